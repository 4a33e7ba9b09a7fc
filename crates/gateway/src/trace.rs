//! One line in the log, one measurement and one span for every request.

use std::time::Instant;

use axum::{
    extract::{MatchedPath, Request},
    middleware::Next,
    response::Response,
};
use http::{HeaderMap, Method, StatusCode};
use tracing::{Instrument as _, Span, debug, field::Empty, info_span};

/// Observes a request by its route, never by what stands in it.
pub(crate) async fn observe(request: Request, next: Next) -> Response {
    let begun = Instant::now();
    let method = request.method().clone();
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or("none", MatchedPath::as_str).to_owned();
    let span = span(&method, &route, request.headers());
    let response = next.run(request).instrument(span.clone()).await;
    let status = response.status();
    span.record("http.response.status_code", status.as_u16());
    if status.is_server_error() {
        span.record("otel.status_code", "ERROR");
    }
    debug!(%method, route, %status, elapsed = ?begun.elapsed(), "request");
    metrics::histogram!("atlas_request_seconds", "route" => route, "status" => class(status))
        .record(begun.elapsed().as_secs_f64());
    response
}

/// Goes on in the caller's trace where it names one.
fn span(method: &Method, route: &str, headers: &HeaderMap) -> Span {
    let span = info_span!(
        "request",
        otel.name = %format_args!("{method} {route}"),
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = %method,
        http.route = route,
        http.response.status_code = Empty,
        trace_id = Empty,
    );
    let received = headers.get("traceparent").and_then(|value| value.to_str().ok()?.parse().ok());
    if let Some(received) = received {
        trace_context::continue_in(&span, &received);
    }
    trace_context::tell(&span);
    span
}

const fn class(status: StatusCode) -> &'static str {
    match status.as_u16() {
        ..400 => "ok",
        400..500 => "refused",
        _ => "failed",
    }
}
