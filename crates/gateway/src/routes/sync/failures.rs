//! What failed, and trying it again.

use std::collections::BTreeSet;

use axum::{Extension, Json, extract::State};
use domain::{ChannelId, DeadLetterId, ErrorCode, KeyId, Trigger};
use http::StatusCode;
use serde::Deserialize;
use store::{DeadLetter, FailureQuery, NewJob, TaskFailure, Triggered};
use utoipa::ToSchema;

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Fields, Params},
    replies::{
        failures::{Failures, Replay},
        jobs::Started,
    },
};

/// Failures looked through for a replay.
const MOST: u32 = 1_000;

/// Tasks that were given up or set aside and not got through since, and undecodable messages; newest first.
#[utoipa::path(get, path = "/api/sync/failures", tag = "sync",
    params(("code" = Option<String>, Query), ("stage" = Option<String>, Query),
        ("limit" = Option<u32>, Query, description = "1 to 100, default 50")),
    responses((status = 200, body = Failures), (status = 422, body = ErrorReply)))]
pub(crate) async fn failures(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Failures>, ApiError> {
    let query = FailureQuery {
        code: params.parsed("code", "an error code such as PLATFORM_ERROR")?,
        stage: params.parsed("stage", "the name of a stage")?,
        limit: params.limit(50, 100)?,
    };
    let failed = gateway.store.failures(&query).await?;
    let dead = dead_letters(&gateway, &query).await?;
    Ok(Json(Failures::new(failed, dead, query.limit as usize)))
}

async fn dead_letters(
    gateway: &Gateway,
    query: &FailureQuery,
) -> Result<Vec<DeadLetter>, ApiError> {
    if query.code.is_some_and(|code| code != ErrorCode::InternalError) {
        return Ok(Vec::new());
    }
    Ok(gateway.store.dead_letters(query.stage, query.limit).await?)
}

/// Names failures: by their ids, or all that a code or a stage have.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document; Fields reads it")]
pub(crate) struct ReplayRequest {
    /// Failures by id.
    ids: Option<Vec<String>>,
    /// All with this error.
    code: Option<String>,
    /// All of this stage.
    stage: Option<String>,
}

/// Synchronise the channels of failures, and take what failed in them as well.
#[utoipa::path(post, path = "/api/sync/failures/replay", tag = "sync", request_body = ReplayRequest,
    responses((status = 202, body = Replay), (status = 422, body = ErrorReply)))]
pub(crate) async fn replay(
    State(gateway): State<Gateway>,
    Extension(key_id): Extension<KeyId>,
    fields: Fields,
) -> Result<(StatusCode, Json<Replay>), ApiError> {
    let ids = fields.optional_texts("ids", MOST as usize)?;
    let query = FailureQuery {
        code: fields.parsed("code", "an error code such as PLATFORM_ERROR")?,
        stage: fields.parsed("stage", "the name of a stage")?,
        limit: MOST,
    };
    let failed = gateway.store.failures(&query).await?;
    let dead = dead_letters(&gateway, &query).await?;
    let named = |id: &str| ids.as_ref().is_none_or(|ids| ids.iter().any(|named| named == id));
    let wanted = |failure: &TaskFailure| named(&failure.task.to_string());
    let channels: BTreeSet<ChannelId> =
        failed.into_iter().filter(wanted).map(|failure| failure.channel_id).collect();
    let dead: Vec<DeadLetterId> =
        dead.into_iter().map(|letter| letter.id).filter(|id| named(id.as_str())).collect();
    let forgotten = match dead.is_empty() {
        true => 0,
        false => gateway.store.forget_dead_letters(&dead).await?,
    };
    let mut replay = Replay { forgotten, ..Replay::default() };
    for channel_id in channels {
        retry(&gateway, &key_id, channel_id, &mut replay).await?;
    }
    Ok((StatusCode::ACCEPTED, Json(replay)))
}

async fn retry(
    gateway: &Gateway,
    key_id: &KeyId,
    channel_id: ChannelId,
    replay: &mut Replay,
) -> Result<(), ApiError> {
    let new = NewJob {
        channel_id: channel_id.clone(),
        force: false,
        trigger: Trigger::Retry,
        asked_by: Some(key_id.clone()),
        trace: trace_context::current(),
        estimated_messages: None,
        idempotency: None,
    };
    match gateway.store.trigger(new).await? {
        Triggered::Started(job, tasks) => {
            gateway.begin(&job, &tasks).await;
            replay.jobs.push(Started::new(&job, None));
        }
        Triggered::InProgress(job) => replay.in_progress.push(job.to_string()),
        Triggered::NotChosen(_) => replay.not_chosen.push(channel_id.to_string()),
        // It went away since, with what had failed in it; and no key was given.
        Triggered::ChannelNotFound | Triggered::Replayed(..) | Triggered::KeyReused => {}
    }
    Ok(())
}
