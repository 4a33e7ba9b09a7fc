//! Why a job stands where it stands.

use async_trait::async_trait;
use domain::{ErrorCode, Job, JobEvent, JobId, Stage, Timestamp};

use crate::Result;

/// Events of a job that are kept at most beyond those that its own row tells: the first half of them and
/// the newest half.
pub const MAX_EVENTS: u32 = 200;

/// A job, what it has been through, and where its tasks stand.
#[derive(Debug, Clone)]
pub struct Explanation {
    /// The job.
    pub job: Job,
    /// What happened to it, in order.
    pub events: Vec<JobEvent>,
    /// Whether events in the middle may have been left out.
    pub left_out: bool,
    /// Where its tasks stand that have not ended, by stage, in order; a stage without any is left out.
    pub standing: Vec<Standing>,
}

/// Where a stage's tasks of a job stand that have not ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// The stage.
    pub stage: Stage,
    /// Tasks outside the job's window.
    pub waiting: u64,
    /// Tasks that a worker could take.
    pub ready: u64,
    /// Since when the longest of these has been there to be taken.
    pub ready_since: Option<Timestamp>,
    /// Tasks in work.
    pub leased: u64,
    /// Tasks whose time has not come yet.
    pub postponed: u64,
    /// When the first of these comes.
    pub next_attempt_at: Option<Timestamp>,
    /// Why it waits.
    pub code: Option<ErrorCode>,
}

/// Explaining jobs.
#[async_trait]
pub trait Explaining: Send + Sync + 'static {
    /// What a job has been through and where it stands.
    async fn why(&self, id: &JobId) -> Result<Option<Explanation>>;
}
