//! Tasks that were given up or set aside, and not got through since.

use async_trait::async_trait;
use domain::{ChannelId, ErrorCode, Stage, SyncError, TaskRef, Timestamp};

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

/// Failures.
#[async_trait]
pub trait Failures: Send + Sync + 'static {
    /// Failures that no later sync of their channel has made good, newest first.
    async fn failures(&self, query: &FailureQuery) -> Result<Vec<TaskFailure>>;
}
