//! Tasks that were given up or set aside and not got through since, and messages that nobody could decode.

use std::time::Duration;

use async_trait::async_trait;
use domain::{ChannelId, DeadLetterId, ErrorCode, Stage, SyncError, TaskRef, Timestamp};

use crate::Result;

/// Which failures.
#[derive(Debug, Clone, Default)]
pub struct FailureQuery {
    /// With one error only.
    pub code: Option<ErrorCode>,
    /// Of one stage only.
    pub stage: Option<Stage>,
    /// How many at most.
    pub limit: u32,
}

/// A task that did not succeed, with what is known about it.
#[derive(Debug, Clone)]
pub struct TaskFailure {
    /// The task.
    pub task: TaskRef,
    /// Its channel.
    pub channel_id: ChannelId,
    /// Whether it was set aside because it kills its worker.
    pub poison: bool,
    /// Messages that it carries.
    pub messages: u64,
    /// Attempts that failed.
    pub attempts: u32,
    /// Workers that vanished over it.
    pub crashes: u32,
    /// The last error.
    pub error: Option<SyncError>,
    /// When it was given up.
    pub ended_at: Timestamp,
}

/// Characters of an undecodable message that are kept; enough to see what it is.
pub const MAX_DEAD_LETTER: usize = 500;

/// Undecodable messages that are kept; of more the oldest are forgotten.
pub const MAX_DEAD_LETTERS: u32 = 1_000;

/// A message of the queue that nobody could decode.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// Derived from what it says.
    pub id: DeadLetterId,
    /// The stage that it was sent to, where that is known.
    pub stage: Option<Stage>,
    /// What it says, as far as it is kept; what cannot be read as text is escaped.
    pub body: String,
    /// How often it came.
    pub times: u64,
    /// When it came last.
    pub last_at: Timestamp,
}

/// Failures.
#[async_trait]
pub trait Failures: Send + Sync + 'static {
    /// Failures that no later sync of their channel has made good, newest first.
    async fn failures(&self, query: &FailureQuery) -> Result<Vec<TaskFailure>>;
    /// Keeps an undecodable message; the same one again is counted. Those that last came so long ago are
    /// forgotten.
    async fn keep_dead_letter(
        &self,
        stage: Option<Stage>,
        body: &[u8],
        keep: Duration,
    ) -> Result<()>;
    /// Undecodable messages, those that came last first.
    async fn dead_letters(&self, stage: Option<Stage>, limit: u32) -> Result<Vec<DeadLetter>>;
    /// Forgets undecodable messages; answers with how many there were.
    async fn forget_dead_letters(&self, ids: &[DeadLetterId]) -> Result<u64>;
}
