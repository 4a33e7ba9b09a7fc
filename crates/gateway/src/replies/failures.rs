//! Tasks that did not succeed.

use domain::{ErrorCode, Stage, SyncError, Timestamp};
use serde::Serialize;
use store::TaskFailure;
use utoipa::ToSchema;

/// Failures, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Failures {
    failures: Vec<Failure>,
}

/// A task that was given up, or set aside because it kills its worker.
#[derive(Serialize, ToSchema)]
struct Failure {
    /// What a replay names it by.
    id: String,
    job_id: String,
    channel_id: String,
    #[schema(value_type = String)]
    stage: Stage,
    /// failed or poison.
    status: &'static str,
    messages: u64,
    attempts: u32,
    crashes: u32,
    #[schema(value_type = Option<String>)]
    code: Option<ErrorCode>,
    #[schema(value_type = Option<Object>)]
    error: Option<SyncError>,
    #[schema(value_type = String)]
    ended_at: Timestamp,
}

impl From<Vec<TaskFailure>> for Failures {
    fn from(failures: Vec<TaskFailure>) -> Self {
        Self { failures: failures.into_iter().map(Failure::from).collect() }
    }
}

impl From<TaskFailure> for Failure {
    fn from(failure: TaskFailure) -> Self {
        Self {
            id: failure.task.to_string(),
            job_id: failure.task.job_id.to_string(),
            channel_id: failure.channel_id.to_string(),
            stage: failure.task.stage,
            status: if failure.poison { "poison" } else { "failed" },
            messages: failure.messages,
            attempts: failure.attempts,
            crashes: failure.crashes,
            code: failure.error.as_ref().map(|error| error.code),
            error: failure.error,
            ended_at: failure.ended_at,
        }
    }
}

/// The syncs that try failures again.
#[derive(Serialize, ToSchema)]
pub(crate) struct Replay {
    /// New syncs, one a channel.
    pub(crate) jobs: Vec<super::jobs::Started>,
    /// Channels that are syncing already, by that sync's id.
    pub(crate) in_progress: Vec<String>,
}
