//! Facts.

use axum::{Json, extract::State};
use domain::{FactId, Timestamp};
use store::FactQuery;

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Id, Params},
    paging::{Asked, page},
    replies::knowledge::{FactReply, Memories},
};

/// Facts, newest first.
#[utoipa::path(get, path = "/api/memories", tag = "memories",
    params(("channel_id" = Option<String>, Query), ("kind" = Option<String>, Query), ("since" = Option<String>, Query),
        ("until" = Option<String>, Query), ("q" = Option<String>, Query), ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query)),
    responses((status = 200, body = Memories), (status = 422, body = ErrorReply)))]
pub(crate) async fn list(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Memories>, ApiError> {
    let asked = Asked::<(Timestamp, FactId)>::read(&params)?;
    let channel_id = params.optional_channel()?;
    if let Some(channel) = &channel_id {
        super::channels::require(&gateway, channel).await?;
    }
    let (limit, fetch) = (asked.limit, asked.fetch());
    let query = FactQuery {
        channel_id,
        kinds: params.parsed("kind", "a kind of fact such as decision")?.into_iter().collect(),
        since: params.time("since")?,
        until: params.time("until")?,
        text: params.text("q")?,
        after: asked.after,
        limit: fetch,
        ..FactQuery::default()
    };
    let facts = gateway.store.facts(&query).await?;
    let (facts, next_cursor) = page(facts, limit, |f| (f.fact.asserted_at, f.fact.id.clone()));
    Ok(Json(Memories { memories: facts.into_iter().map(FactReply::from).collect(), next_cursor }))
}

/// A fact.
#[utoipa::path(get, path = "/api/memories/{id}", tag = "memories", params(("id" = String, Path)),
    responses((status = 200, body = FactReply), (status = 404, body = ErrorReply)))]
pub(crate) async fn one(
    State(gateway): State<Gateway>,
    Id(id): Id,
) -> Result<Json<FactReply>, ApiError> {
    let id: FactId = id.parse().map_err(|_| ApiError::not_found("FACT"))?;
    let fact = gateway.store.fact(&id).await?;
    Ok(Json(FactReply::from(fact.ok_or_else(|| ApiError::not_found("FACT"))?)))
}
