//! The HTTP API.
//!
//! A request is checked, becomes one call of a port, and its result one reply; no business is done here.
//! Every refusal is the contract's error object ([`ApiError`]); every input is bounded. What a handler
//! changes is stored before it replies; what follows (queue, live view) may fail, because the sweep
//! repairs it.

mod auth;
mod error;
mod input;
mod openapi;
mod paging;
mod replies;
mod routes;
mod state;
mod trace;

pub use error::ApiError;
pub use openapi::document;
pub use state::{Gateway, Limits, Parts};

use axum::{Router, extract::DefaultBodyLimit, middleware};
use tower_http::catch_panic::CatchPanicLayer;

/// Largest JSON body, in bytes.
const MAX_BODY: usize = 64 * 1024;

/// The whole API.
pub fn router(gateway: Gateway) -> Router {
    let (api, document) = openapi::split();
    let api = api
        .layer(DefaultBodyLimit::max(MAX_BODY))
        .layer(middleware::from_fn_with_state(gateway.clone(), auth::require_key));
    Router::new()
        .merge(api)
        .merge(routes::docs::router(document))
        .fallback(error::no_such_route)
        .method_not_allowed_fallback(error::no_such_method)
        .layer(CatchPanicLayer::custom(error::panicked))
        .layer(middleware::from_fn(trace::observe))
        .with_state(gateway)
}
