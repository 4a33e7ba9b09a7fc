//! What is measured of calls to a platform.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::{
    ConnectorError,
    http::{Bucket, Dialect, Http, Limiter, Reply},
};
use domain::Platform;
use metrics_exporter_prometheus::PrometheusBuilder;

/// A platform that says what it means by the status alone.
struct Plain;

impl Dialect for Plain {
    fn platform(&self) -> Platform {
        Platform::Matrix
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        match reply.status.as_u16() {
            200 => Ok(()),
            _ => Err(ConnectorError::Auth("no".into())),
        }
    }
}

/// Makes one call wait.
#[derive(Default)]
struct Once(AtomicBool);

#[async_trait]
impl Limiter for Once {
    async fn acquire(&self, _: &Bucket) -> Duration {
        match self.0.swap(true, Ordering::SeqCst) {
            false => Duration::from_millis(10),
            true => Duration::ZERO,
        }
    }

    async fn pause(&self, _: &Bucket, _: Duration, _: Instant) {}
}

#[tokio::test]
async fn calls_are_told_by_platform_and_outcome_and_so_are_waits() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
    let router = axum::Router::new().route("/good", axum::routing::get(|| async { "good" }));
    tokio::spawn(async move { axum::serve(listener, router).await });
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::new().into();
    let http = Http::new(client, base, None, Arc::new(Once::default()), Arc::new(Plain)).unwrap();
    let bucket = || Bucket::new("all", 1, Duration::from_secs(1), 1);
    http.get("good").bucket(bucket()).send().await.unwrap();
    http.get("good").bucket(bucket()).send().await.unwrap();
    assert!(http.get("gone").send().await.is_err());
    let text = told.render();
    for line in [
        "atlas_connector_call_seconds_count{platform=\"matrix\",outcome=\"ok\"} 2\n",
        "atlas_connector_call_seconds_count{platform=\"matrix\",outcome=\"AUTH_ERROR\"} 1\n",
        "atlas_connector_wait_seconds_count{platform=\"matrix\"} 1\n",
    ] {
        assert!(text.contains(line), "{line}{text}");
    }
}
