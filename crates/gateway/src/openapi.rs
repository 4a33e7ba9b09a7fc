//! The routes and their description, from one list.

use axum::Router;
use utoipa::{
    Modify, OpenApi,
    openapi::{
        OpenApi as Document,
        security::{Http, HttpAuthScheme, SecurityScheme},
    },
};
use utoipa_axum::{router::OpenApiRouter, routes};

use crate::{
    Gateway,
    routes::{channels, connections, events, graph, imports, memories, schedules, sync, wiki},
};

#[derive(OpenApi)]
#[openapi(
    info(title = "Atlas Sync", description = "Keeps chat channels turned into knowledge."),
    security(("api_key" = [])),
    modifiers(&ApiKey)
)]
struct Described;

struct ApiKey;

impl Modify for ApiKey {
    fn modify(&self, document: &mut Document) {
        let components = document.components.get_or_insert_default();
        let scheme = SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer));
        components.add_security_scheme("api_key", scheme);
    }
}

/// The routes under `/api`, and the document that describes them.
pub(crate) fn split() -> (Router<Gateway>, Document) {
    let (uploads, uploads_described) =
        OpenApiRouter::<Gateway>::default().routes(routes!(imports::upload)).split_for_parts();
    let (router, mut document) = OpenApiRouter::with_openapi(Described::openapi())
        .routes(routes!(sync::trigger))
        .routes(routes!(sync::status))
        .routes(routes!(sync::history))
        .routes(routes!(sync::jobs))
        .routes(routes!(sync::why))
        .routes(routes!(sync::failures))
        .routes(routes!(sync::replay))
        .routes(routes!(sync::cancel))
        .routes(routes!(sync::retry))
        .routes(routes!(events::events))
        .routes(routes!(schedules::list, schedules::set, schedules::remove))
        .routes(routes!(connections::list, connections::add))
        .routes(routes!(connections::one, connections::change, connections::remove))
        .routes(routes!(connections::validate))
        .routes(routes!(connections::offered, connections::choose))
        .routes(routes!(channels::list))
        .routes(routes!(channels::one))
        .routes(routes!(channels::messages))
        .routes(routes!(channels::message))
        .routes(routes!(channels::erase))
        .routes(routes!(channels::stats))
        .routes(routes!(memories::list))
        .routes(routes!(memories::one))
        .routes(routes!(graph::entities))
        .routes(routes!(graph::entity))
        .routes(routes!(graph::neighbors))
        .routes(routes!(graph::relationships))
        .routes(routes!(wiki::structure))
        .routes(routes!(wiki::one))
        .routes(routes!(wiki::versions))
        .routes(routes!(wiki::download))
        .routes(routes!(imports::one, imports::remove))
        .split_for_parts();
    document.merge(uploads_described);
    (router.merge(imports::unbounded(uploads)), document)
}

/// The document that `/openapi.json` serves.
#[must_use]
pub fn document() -> Document {
    split().1
}
