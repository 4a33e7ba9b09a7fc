//! Tasks that did not succeed, and messages that nobody could decode.

use domain::{ErrorCode, Stage, SyncError, Timestamp};
use serde::Serialize;
use store::{DeadLetter, TaskFailure};
use utoipa::ToSchema;

/// Failures, newest first.
#[derive(Serialize, ToSchema)]
pub(crate) struct Failures {
    failures: Vec<Failure>,
}

/// A task that was given up or set aside because it kills its worker, or a message of the queue that nobody
/// could decode.
#[derive(Serialize, ToSchema)]
struct Failure {
    /// What a replay names it by.
    id: String,
    job_id: Option<String>,
    channel_id: Option<String>,
    #[schema(value_type = Option<String>)]
    stage: Option<Stage>,
    /// failed, poison or dead_letter.
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

impl Failures {
    /// The newest of both.
    pub(crate) fn new(failed: Vec<TaskFailure>, dead: Vec<DeadLetter>, limit: usize) -> Self {
        let failed = failed.into_iter().map(Failure::from);
        let mut failures: Vec<_> = failed.chain(dead.into_iter().map(Failure::from)).collect();
        failures.sort_by_key(|failure| std::cmp::Reverse(failure.ended_at));
        failures.truncate(limit);
        Self { failures }
    }
}

/// Its error is ours: only our own programs send to the queue.
impl From<DeadLetter> for Failure {
    fn from(letter: DeadLetter) -> Self {
        let message = format!(
            "A message that no worker can decode came {} times: {}. What it may have called for is \
             called for again.",
            letter.times, letter.body
        );
        let error = SyncError::new(ErrorCode::InternalError, message);
        Self {
            id: letter.id.to_string(),
            job_id: None,
            channel_id: None,
            stage: letter.stage,
            status: "dead_letter",
            messages: 0,
            attempts: 0,
            crashes: 0,
            code: Some(error.code),
            error: Some(error),
            ended_at: letter.last_at,
        }
    }
}

impl From<TaskFailure> for Failure {
    fn from(failure: TaskFailure) -> Self {
        Self {
            id: failure.task.to_string(),
            job_id: Some(failure.task.job_id.to_string()),
            channel_id: Some(failure.channel_id.to_string()),
            stage: Some(failure.task.stage),
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
#[derive(Default, Serialize, ToSchema)]
pub(crate) struct Replay {
    /// New syncs, one a channel.
    pub(crate) jobs: Vec<super::jobs::Started>,
    /// Channels that are syncing already, by that sync's id.
    pub(crate) in_progress: Vec<String>,
    /// Channels that are not chosen on their connection, and are tried again once they are.
    pub(crate) not_chosen: Vec<String>,
    /// Undecodable messages that are listed no longer: what they may have called for is called for anyway.
    pub(crate) forgotten: u64,
}
