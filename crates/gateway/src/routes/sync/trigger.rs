//! Accepting a sync.

use axum::{
    Extension, Json,
    extract::State,
    response::{IntoResponse, Response},
};
use domain::{ChannelId, KeyId, Trigger, message::hex};
use http::{HeaderMap, HeaderValue, StatusCode, header};
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use store::{Idempotency, NewJob, Triggered};
use utoipa::ToSchema;

use crate::{
    ApiError, Gateway,
    error::ErrorReply,
    input::{Fields, SHORT},
    replies::jobs::Started,
};

/// A request for a sync.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document; Fields reads it")]
pub(crate) struct TriggerRequest {
    /// The channel to synchronise.
    channel_id: String,
    /// Whether to walk everything again.
    #[serde(default)]
    force: bool,
}

/// Trigger the synchronisation of one channel.
#[utoipa::path(post, path = "/api/sync", tag = "sync", request_body = TriggerRequest,
    params(("Idempotency-Key" = Option<String>, Header, description = "the same key and body give the first reply again for 24 hours")),
    responses((status = 202, body = Started), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn trigger(
    State(gateway): State<Gateway>,
    Extension(key_id): Extension<KeyId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let wanted = Wanted {
        channel_id: fields.channel()?,
        force: fields.flag("force", false)?,
        trigger: Trigger::Manual,
        route: "POST /api/sync",
    };
    start(&gateway, key_id, &headers, wanted).await
}

/// A sync that somebody wants.
pub(super) struct Wanted {
    pub(super) channel_id: ChannelId,
    pub(super) force: bool,
    pub(super) trigger: Trigger,
    pub(super) route: &'static str,
}

pub(super) async fn start(
    gateway: &Gateway,
    key_id: KeyId,
    headers: &HeaderMap,
    wanted: Wanted,
) -> Result<Response, ApiError> {
    let asked_by = Some(key_id.clone());
    let idempotency = idempotency(headers, key_id, &wanted)?;
    let start = gateway.store.walk_start(&wanted.channel_id).await?;
    let start = start.ok_or_else(|| ApiError::not_found("CHANNEL"))?;
    let new = NewJob {
        estimated_messages: gateway.estimate(&start, wanted.force).await,
        channel_id: wanted.channel_id,
        force: wanted.force,
        trigger: wanted.trigger,
        asked_by,
        trace: trace_context::current(),
        idempotency,
    };
    match gateway.store.trigger(new).await? {
        Triggered::Started(job, tasks) => {
            gateway.begin(&job, &tasks).await;
            let estimate = job.estimated_messages;
            Ok(accepted(&Started::new(&job, estimate), &job))
        }
        Triggered::Replayed(job, estimate) => Ok(accepted(&Started::new(&job, estimate), &job)),
        Triggered::InProgress(job) => Err(ApiError::sync_in_progress(&job)),
        Triggered::KeyReused => Err(ApiError::key_reused()),
        Triggered::ChannelNotFound => Err(ApiError::not_found("CHANNEL")),
        Triggered::NotChosen(connection) => Err(ApiError::not_chosen(&connection)),
    }
}

fn accepted(started: &Started, job: &domain::Job) -> Response {
    let channel = super::status::query_part(job.channel_id.as_str());
    let place = format!("/api/sync/status?channel_id={channel}&job_id={}", job.id);
    let mut response = (StatusCode::ACCEPTED, Json(started)).into_response();
    if let Ok(place) = HeaderValue::from_str(&place) {
        response.headers_mut().insert(header::LOCATION, place);
    }
    response
}

fn idempotency(
    headers: &HeaderMap,
    key_id: KeyId,
    wanted: &Wanted,
) -> Result<Option<Idempotency>, ApiError> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let wrong = || {
        ApiError::invalid(
            "Idempotency-Key",
            format!("Idempotency-Key must have 1 to {SHORT} visible characters"),
        )
    };
    let key = value.to_str().map_err(|_| wrong())?;
    if key.is_empty() || key.len() > SHORT {
        return Err(wrong());
    }
    let mut digest = Sha256::new();
    digest.update(wanted.channel_id.as_str());
    digest.update([0, u8::from(wanted.force)]);
    let request_hash = hex(&digest.finalize()[..16]);
    Ok(Some(Idempotency { key_id, route: wanted.route, key: key.to_owned(), request_hash }))
}
