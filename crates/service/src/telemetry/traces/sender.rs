//! Sends spans with the HTTP client that is there already.

use std::{
    fmt,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use bytes::Bytes;
use http::{Request, Response};
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::Runtime;
use tracing::{info, warn};

use crate::Address;

/// A collector that takes longer to answer counts as away.
const WITHIN: Duration = Duration::from_secs(5);

/// Largest answer that is read.
const MAX_ANSWER: u64 = 1 << 20;

/// A client with a thread of its own: exporting takes no time from the work, and work that keeps its
/// threads busy does not keep spans.
pub(super) struct Sender {
    collector: Address,
    client: reqwest::Client,
    runtime: Runtime,
    failing: AtomicBool,
}

impl Sender {
    pub(super) fn start(collector: Address) -> Result<Self, Box<dyn std::error::Error>> {
        // The one provider of all TLS connections; it may have been chosen before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().timeout(WITHIN).build()?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .thread_name("spans")
            .enable_all()
            .build()?;
        Ok(Self { collector, client, runtime, failing: AtomicBool::new(false) })
    }

    /// Says once that the collector is away, and once that it is back.
    fn note(&self, problem: Option<&str>) {
        match (problem, self.failing.swap(problem.is_some(), Ordering::Relaxed)) {
            (Some(problem), false) => {
                let collector = &self.collector;
                warn!(%collector, problem, "traces cannot be sent: spans are lost, work goes on");
            }
            (None, true) => info!(collector = %self.collector, "traces are sent again"),
            _ => {}
        }
    }
}

impl fmt::Debug for Sender {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sender").field("collector", &self.collector).finish_non_exhaustive()
    }
}

#[async_trait]
impl HttpClient for Sender {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let request = reqwest::Request::try_from(request)?;
        let client = self.client.clone();
        let sent =
            self.runtime.spawn(async move { answered(client.execute(request).await?).await });
        let answer = sent.await.map_err(HttpError::from).flatten();
        match &answer {
            Ok(answer) if answer.status().is_success() => self.note(None),
            Ok(answer) => self.note(Some(&format!("it answers {}", answer.status()))),
            // Its address may hold a secret.
            Err(error) => {
                self.note(Some(if is_late(error) { "it is too slow" } else { "it is away" }));
            }
        }
        answer
    }
}

fn is_late(error: &HttpError) -> bool {
    error.downcast_ref::<reqwest::Error>().is_some_and(reqwest::Error::is_timeout)
}

async fn answered(answer: reqwest::Response) -> Result<Response<Bytes>, HttpError> {
    let status = answer.status();
    if answer.content_length().is_some_and(|length| length > MAX_ANSWER) {
        return Err("the answer is too long".into());
    }
    let body = answer.bytes().await?;
    Ok(Response::builder().status(status).body(body)?)
}
