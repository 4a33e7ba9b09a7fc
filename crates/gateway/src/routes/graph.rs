//! The knowledge graph.

use axum::{Json, extract::State};
use domain::{EntityId, RelationshipId};
use store::{EntityQuery, RelationshipQuery};

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Id, Params},
    paging::{Asked, page},
    replies::knowledge::{Entities, EntityReply, Neighborhood, RelationshipReply, Relationships},
};

/// Entities, by id.
#[utoipa::path(get, path = "/api/graph/entities", tag = "graph",
    params(("channel_id" = Option<String>, Query), ("type" = Option<String>, Query), ("q" = Option<String>, Query),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Entities), (status = 422, body = ErrorReply)))]
pub(crate) async fn entities(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Entities>, ApiError> {
    let asked = Asked::<EntityId>::read(&params)?;
    let channel_id = params.optional_channel()?;
    if let Some(channel) = &channel_id {
        super::channels::require(&gateway, channel).await?;
    }
    let (limit, fetch) = (asked.limit, asked.fetch());
    let query = EntityQuery {
        channel_id,
        kind: params.parsed("type", "a type of entity such as person")?,
        text: params.text("q")?,
        after: asked.after,
        limit: fetch,
    };
    let (found, next_cursor) = page(gateway.store.entities(&query).await?, limit, |e| e.id.clone());
    Ok(Json(Entities { entities: found.into_iter().map(EntityReply::from).collect(), next_cursor }))
}

fn entity_id(id: &str) -> Result<EntityId, ApiError> {
    id.parse().map_err(|_| ApiError::not_found("ENTITY"))
}

/// An entity.
#[utoipa::path(get, path = "/api/graph/entities/{id}", tag = "graph", params(("id" = String, Path)),
    responses((status = 200, body = EntityReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn entity(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<Json<EntityReply>, ApiError> {
    let entity = gateway.store.entity(&entity_id(&id)?).await?;
    Ok(Json(EntityReply::from(entity.ok_or_else(|| ApiError::not_found("ENTITY"))?)))
}

/// What is one to three steps away from an entity.
#[utoipa::path(get, path = "/api/graph/entities/{id}/neighbors", tag = "graph",
    params(("id" = String, Path), ("depth" = Option<u8>, Query, description = "1 to 3")),
    responses((status = 200, body = Neighborhood), (status = 404, body = ErrorReply)))]
pub(crate) async fn neighbors(
    State(gateway): State<Gateway>,
    Id(id): Id,
    params: Params,
) -> Result<Json<Neighborhood>, ApiError> {
    let depth: Option<u8> = params.parsed("depth", "a number from 1 to 3")?;
    let depth = depth.unwrap_or(1);
    if !(1..=3).contains(&depth) {
        return Err(ApiError::invalid("depth", "depth must be a number from 1 to 3"));
    }
    let (nodes, edges) = gateway.store.neighbors(&entity_id(&id)?, depth).await?;
    if nodes.is_empty() {
        return Err(ApiError::not_found("ENTITY"));
    }
    Ok(Json(Neighborhood {
        nodes: nodes.into_iter().map(EntityReply::from).collect(),
        edges: edges.into_iter().map(RelationshipReply::from).collect(),
    }))
}

/// Relationships, the best supported first.
#[utoipa::path(get, path = "/api/graph/relationships", tag = "graph",
    params(("channel_id" = Option<String>, Query), ("type" = Option<String>, Query), ("entity" = Option<String>, Query),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Relationships), (status = 422, body = ErrorReply)))]
pub(crate) async fn relationships(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Relationships>, ApiError> {
    let asked = Asked::<(u32, RelationshipId)>::read(&params)?;
    let (limit, fetch) = (asked.limit, asked.fetch());
    let query = RelationshipQuery {
        channel_id: params.optional_channel()?,
        kind: params.parsed("type", "a type of relationship such as OWNS")?,
        entity: params.parsed("entity", "the id of an entity")?,
        after: asked.after,
        limit: fetch,
    };
    let found = gateway.store.relationships(&query).await?;
    let (found, next_cursor) = page(found, limit, |(support, r)| (*support, r.id.clone()));
    let relationships = found.into_iter().map(|(_, r)| RelationshipReply::from(r)).collect();
    Ok(Json(Relationships { relationships, next_cursor }))
}
