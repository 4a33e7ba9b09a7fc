//! Health and metrics, on a port of their own.

use std::{future::Future, time::Duration};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use serde_json::{Map, Value, json};
use worker::Ports;

/// A dependency that does not answer within this is not ready.
const WITHIN: Duration = Duration::from_secs(2);

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn router(ports: Ports, metrics: Option<PrometheusHandle>) -> Router {
    let rendered = move || {
        let text = metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
        std::future::ready(text)
    };
    Router::new()
        .route("/health/live", get(|| std::future::ready(Json(json!({"status": "ok"})))))
        .route("/health/ready", get(ready))
        .route("/metrics", get(rendered))
        .with_state(ports)
}

async fn ready(State(ports): State<Ports>) -> impl IntoResponse {
    let (database, queue, progress) = tokio::join!(
        answers(ports.store.ping()),
        answers(ports.queue.ping()),
        answers(ports.progress.ping()),
    );
    let checks = [("database", database), ("queue", queue), ("progress", progress)];
    let all = checks.iter().all(|(_, answer)| answer.is_ok());
    let told: Map<String, Value> = checks
        .into_iter()
        .map(|(name, answer)| {
            (name.to_owned(), Value::String(answer.err().unwrap_or_else(|| "ok".into())))
        })
        .collect();
    let status = if all { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    let verdict = if all { "ok" } else { "unavailable" };
    (status, Json(json!({"status": verdict, "dependencies": told})))
}

async fn answers<E: std::fmt::Display>(
    ping: impl Future<Output = Result<(), E>>,
) -> Result<(), String> {
    match tokio::time::timeout(WITHIN, ping).await {
        Ok(answer) => answer.map_err(|error| error.to_string()),
        Err(_) => Err("does not answer".to_owned()),
    }
}
