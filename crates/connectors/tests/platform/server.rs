//! What servers of our own have in common, whatever they answer.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    body::Body,
    handler::Handler,
    http::{Response, response::Builder},
    middleware::{Next, from_fn},
};
use chrono::DateTime;
use tokio::net::TcpListener;

pub(crate) type Headers = Vec<(&'static str, String)>;

/// A free port, and the address of a server there.
pub(crate) async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    (listener, url)
}

/// Answers to all that is asked there.
pub(crate) fn serve<S, H, A>(listener: TcpListener, server: &Arc<S>, answer: H)
where
    S: Send + Sync + 'static,
    H: Handler<A, Arc<S>>,
    A: 'static,
{
    let mut router = Router::new().fallback(answer).with_state(server.clone());
    if let Some(latency) = latency() {
        let late = move |request, next: Next| async move {
            tokio::time::sleep(latency).await;
            next.run(request).await
        };
        router = router.layer(from_fn(late));
    }
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// How long an answer takes beside its own work, for who measures.
fn latency() -> Option<Duration> {
    let millis = std::env::var("ATLAS_MEASURE_LATENCY_MS").ok()?;
    Some(Duration::from_millis(millis.parse().expect("milliseconds")))
}

/// An answer that tells the server's time, in microseconds.
pub(crate) fn dated(now: i64) -> Builder {
    let date = DateTime::from_timestamp_micros(now).expect("a time");
    Response::builder().header("date", date.format("%a, %d %b %Y %H:%M:%S GMT").to_string())
}

/// The whole answer.
pub(crate) fn answered(
    response: Builder,
    status: u16,
    headers: &Headers,
    body: String,
) -> Response<Body> {
    let response = headers.iter().fold(response, |r, (name, value)| r.header(*name, value));
    response.status(status).body(Body::from(body)).expect("a response")
}
