//! One line in the log and one measurement for every request.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::StatusCode;
use tracing::debug;

/// Observes a request by its route, never by what stands in it.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let status = response.status();
    debug!(%method, route, %status, elapsed = ?begun.elapsed(), "request");
    metrics::histogram!("atlas_request_seconds", "route" => route, "status" => class(status))
        .record(begun.elapsed().as_secs_f64());
    response
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..400 => "ok",
        400..500 => "refused",
        _ => "failed",
    }
}
