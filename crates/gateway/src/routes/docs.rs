//! The API's own description, open to all.

use axum::{Json, Router, routing::get};
use utoipa::openapi::OpenApi;
use utoipa_swagger_ui::SwaggerUi;

use crate::Gateway;

/// `/openapi.json`, and `/docs` to read it by.
pub(crate) fn router(document: OpenApi) -> Router<Gateway> {
    let told = document.clone();
    Router::new()
        .route("/openapi.json", get(move || std::future::ready(Json(told.clone()))))
        .merge(SwaggerUi::new("/docs").url("/docs/openapi.json", document))
}
