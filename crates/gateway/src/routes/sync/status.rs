//! How a sync stands. Asked for most often of all: a poll costs a look into the live view.

use axum::{
    extract::State,
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use domain::{ChannelId, Job, JobId};
use http::{HeaderValue, header};

use crate::{ApiError, Gateway, error::ErrorReply, input::Params, replies::jobs::Status};

/// How a channel's newest sync, or a given one, stands.
#[utoipa::path(get, path = "/api/sync/status", tag = "sync",
    params(("channel_id" = String, Query), ("job_id" = Option<String>, Query)),
    responses((status = 200, body = Status), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn status(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Response, ApiError> {
    let channel = params.channel()?;
    let job = match params.text("job_id")? {
        Some(id) => Some(id.parse().map_err(|_| ApiError::not_found("JOB"))?),
        None => None,
    };
    let body = body(&gateway, &channel, job.as_ref()).await?;
    let json = HeaderValue::from_static("application/json");
    Ok(([(header::CONTENT_TYPE, json)], body).into_response())
}

async fn body(
    gateway: &Gateway,
    channel: &ChannelId,
    id: Option<&JobId>,
) -> Result<Bytes, ApiError> {
    let view = match id {
        Some(id) => gateway.progress.job(id).await,
        None => gateway.progress.newest(channel).await,
    };
    // Without the live view the database answers.
    if let Ok(Some(view)) = view {
        return match view.job.channel_id == *channel {
            true => Ok(view.body(rendered)),
            false => Err(ApiError::not_found("JOB")),
        };
    }
    let job = load(gateway, channel, id).await?;
    let _ = gateway.progress.show(&job).await;
    Ok(rendered(&job))
}

/// A job of this channel, from the database.
pub(crate) async fn load(
    gateway: &Gateway,
    channel: &ChannelId,
    id: Option<&JobId>,
) -> Result<Job, ApiError> {
    let job = match id {
        Some(id) => gateway.store.job(id).await?,
        None => gateway.store.newest_job(channel).await?,
    };
    job.filter(|job| job.channel_id == *channel).ok_or_else(|| ApiError::not_found("JOB"))
}

/// A job as the API tells it.
pub(crate) fn rendered(job: &Job) -> Bytes {
    // Strings and numbers: its serialisation cannot fail.
    serde_json::to_vec(&Status::from(job)).unwrap_or_default().into()
}

/// A value behind the question mark, as a URL writes it.
pub(super) fn query_part(text: &str) -> String {
    use std::fmt::Write as _;
    text.bytes().fold(String::with_capacity(text.len()), |mut part, byte| {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            part.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(part, "%{byte:02X}");
        }
        part
    })
}
