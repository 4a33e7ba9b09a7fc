//! One line in the log and one count for every request.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use tracing::debug;

/// Observes a request by its route, never by what stands in it.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let response = next.run(request).await;
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let status = response.status().as_u16();
    debug!(%method, route, status, elapsed = ?begun.elapsed(), "request");
    metrics::counter!("atlas_requests_total", "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    metrics::histogram!("atlas_request_seconds", "route" => route)
        .record(begun.elapsed().as_secs_f64());
    response
}
