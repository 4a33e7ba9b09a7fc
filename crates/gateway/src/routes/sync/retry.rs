//! Trying again what a sync left failing.

use axum::{Extension, extract::State, response::Response};
use domain::{KeyId, Trigger};
use http::HeaderMap;
use serde::Deserialize;
use utoipa::ToSchema;

use super::trigger::{Wanted, start};
use crate::{ApiError, Gateway, error::ErrorReply, input::Fields, replies::jobs::Started};

/// Names a job.
#[derive(Deserialize, ToSchema)]
#[expect(dead_code, reason = "describes the body in the API's document; Fields reads it")]
pub(crate) struct JobRequest {
    /// The job.
    job_id: String,
}

/// Synchronise a job's channel, and also take what it left failing or set aside.
#[utoipa::path(post, path = "/api/sync/retry", tag = "sync", request_body = JobRequest,
    responses((status = 202, body = Started), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
pub(crate) async fn retry(
    State(gateway): State<Gateway>,
    Extension(key_id): Extension<KeyId>,
    headers: HeaderMap,
    fields: Fields,
) -> Result<Response, ApiError> {
    let job = gateway.store.job(&fields.job()?).await?;
    let job = job.ok_or_else(|| ApiError::not_found("JOB"))?;
    let wanted = Wanted {
        channel_id: job.channel_id,
        force: false,
        trigger: Trigger::Retry,
        route: "POST /api/sync/retry",
    };
    start(&gateway, key_id, &headers, wanted).await
}
