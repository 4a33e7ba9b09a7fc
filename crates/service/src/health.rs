//! Health and metrics, on a port of their own.

use std::{
    future::Future,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use axum::{Json, Router, extract::State, http::StatusCode, response::IntoResponse, routing::get};
use metrics_exporter_prometheus::PrometheusHandle;
use queue::Queue;
use serde_json::{Map, Value, json};
use worker::{Hearing, Ports};

/// A dependency that does not answer within this is not ready.
const WITHIN: Duration = Duration::from_secs(2);

/// A runner that has heard nothing for so long although the queue answers will not hear again.
const DEAF_AFTER: Duration = Duration::from_secs(120);

/// The runners of a process. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Hearings {
    all: Arc<Mutex<Vec<Hearing>>>,
}

impl Hearings {
    /// One more runner.
    pub fn add(&self, hearing: Hearing) {
        self.all.lock().unwrap_or_else(PoisonError::into_inner).push(hearing);
    }

    fn deaf_for(&self) -> Option<Duration> {
        let all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        all.iter().filter_map(Hearing::deaf_for).max()
    }
}

/// `/health/live`, `/health/ready` and `/metrics`.
pub fn router(ports: Ports, hearings: Hearings, metrics: Option<PrometheusHandle>) -> Router {
    let queue = ports.queue.clone();
    let live = move || live(queue.clone(), hearings.clone());
    let rendered = move || {
        let text = metrics.as_ref().map(PrometheusHandle::render).unwrap_or_default();
        std::future::ready(text)
    };
    Router::new()
        .route("/health/live", get(live))
        .route("/health/ready", get(ready))
        .route("/metrics", get(rendered))
        .with_state(ports)
}

/// A broker that is away is waited for; a consumer that stays deaf beside a broker that answers is not
/// made better by waiting: the process is to be started anew.
async fn live(queue: Arc<dyn Queue>, hearings: Hearings) -> impl IntoResponse {
    let deaf = hearings.deaf_for().is_some_and(|time| time > DEAF_AFTER);
    if deaf && answers(queue.ping()).await.is_ok() {
        return (StatusCode::SERVICE_UNAVAILABLE, Json(json!({"status": "deaf"})));
    }
    (StatusCode::OK, Json(json!({"status": "ok"})))
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
