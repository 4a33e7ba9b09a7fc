//! Syncs of the past.

use axum::{Json, extract::State};
use store::JobQuery;

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::Params,
    replies::jobs::{History, HistoryEntry, Jobs, Status},
};

/// Syncs of a channel, newest first.
#[utoipa::path(get, path = "/api/sync/history", tag = "sync",
    params(("channel_id" = String, Query), ("limit" = Option<u32>, Query, description = "1 to 100, default 10"),
        ("before" = Option<String>, Query, description = "a job: entries behind it"), ("status" = Option<String>, Query)),
    responses((status = 200, body = History), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn history(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<History>, ApiError> {
    let channel = params.channel()?;
    let query = JobQuery {
        channel_id: Some(channel.clone()),
        status: params.parsed("status", "queued, running, completed, failed or cancelled")?,
        before: params.parsed("before", "the id of a job")?,
        limit: params.limit(10, 100)?,
    };
    let jobs = gateway.store.jobs(&query).await?;
    if jobs.is_empty() && gateway.store.channel(&channel).await?.is_none() {
        return Err(ApiError::not_found("CHANNEL"));
    }
    Ok(Json(History { history: jobs.iter().map(HistoryEntry::from).collect() }))
}

/// Syncs of all channels, newest first.
#[utoipa::path(get, path = "/api/sync/jobs", tag = "sync",
    params(("channel_id" = Option<String>, Query), ("limit" = Option<u32>, Query, description = "1 to 100, default 20"),
        ("before" = Option<String>, Query, description = "a job: those behind it"), ("status" = Option<String>, Query)),
    responses((status = 200, body = Jobs), (status = 422, body = ErrorReply)))]
pub(crate) async fn jobs(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Jobs>, ApiError> {
    let query = JobQuery {
        channel_id: params.optional_channel()?,
        status: params.parsed("status", "queued, running, completed, failed or cancelled")?,
        before: params.parsed("before", "the id of a job")?,
        limit: params.limit(20, 100)?,
    };
    let jobs = gateway.store.jobs(&query).await?;
    Ok(Json(Jobs { jobs: jobs.iter().map(Status::from).collect() }))
}
