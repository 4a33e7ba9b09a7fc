//! Ending a sync.

use axum::{Extension, Json, extract::State};
use domain::KeyId;
use store::Cancellation;
use tracing::{info, warn};

use super::retry::JobRequest;
use crate::{ApiError, Gateway, error::ErrorReply, input::Fields, replies::jobs::Cancelled};

/// Cancel a sync in any state before its end.
#[utoipa::path(post, path = "/api/sync/cancel", tag = "sync", request_body = JobRequest,
    responses((status = 200, body = Cancelled), (status = 404, body = ErrorReply), (status = 409, body = ErrorReply)))]
pub(crate) async fn cancel(
    State(gateway): State<Gateway>,
    Extension(key_id): Extension<KeyId>,
    fields: Fields,
) -> Result<Json<Cancelled>, ApiError> {
    let id = fields.job()?;
    match gateway.store.cancel(&id, Some(&key_id)).await? {
        Cancellation::Cancelled(job, cancelled_at) => {
            info!(job = %job.id, channel = %job.channel_id, "the sync is cancelled");
            // The fence holds already; this stops work that could only be refused.
            if let Err(error) = gateway.progress.cancel(&id).await {
                warn!(%error, "workers learn of the cancel by their next heartbeat");
            }
            gateway.announce(&job, &[]).await;
            Ok(Json(Cancelled { status: "cancelled", job_id: id.to_string(), cancelled_at }))
        }
        Cancellation::NotRunning(status) => Err(ApiError::sync_not_running(status)),
        Cancellation::NotFound => Err(ApiError::not_found("JOB")),
    }
}
