//! Explaining a sync.

use axum::{Json, extract::State};

use crate::{ApiError, Gateway, error::ErrorReply, input::Params, replies::why::Why};

/// What a sync has been through, and why it stands where it stands.
#[utoipa::path(get, path = "/api/sync/why", tag = "sync", params(("job_id" = String, Query)),
    responses((status = 200, body = Why), (status = 404, body = ErrorReply), (status = 422, body = ErrorReply)))]
pub(crate) async fn why(
    State(gateway): State<Gateway>,
    params: Params,
) -> Result<Json<Why>, ApiError> {
    let id = params.required("job_id")?.parse().map_err(|_| ApiError::not_found("JOB"))?;
    let told = gateway.store.why(&id).await?.ok_or_else(|| ApiError::not_found("JOB"))?;
    Ok(Json(told.into()))
}
