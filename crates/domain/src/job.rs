//! Jobs: what a client asked for, and how far it is.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, JobId, Stage, SyncError, Timestamp, fact::Unknown};

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobStatus {
    /// Accepted; no worker has begun.
    Queued,
    /// A worker has begun.
    Running,
    /// Through all stages.
    Completed,
    /// Could not go on.
    Failed,
    /// A user ended it.
    Cancelled,
}

impl JobStatus {
    /// All states.
    pub const ALL: [Self; 5] =
        [Self::Queued, Self::Running, Self::Completed, Self::Failed, Self::Cancelled];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }

    /// Whether the job is over.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl FromStr for JobStatus {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|status| status.as_str() == name).ok_or(Unknown("job status"))
    }
}

/// Who asked for a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trigger {
    /// A client.
    Manual,
    /// A schedule.
    Schedule,
    /// A client that wants what a job left failing or poison tried again.
    Retry,
}

impl Trigger {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Manual => "manual",
            Self::Schedule => "schedule",
            Self::Retry => "retry",
        }
    }
}

impl FromStr for Trigger {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Manual, Self::Schedule, Self::Retry]
            .into_iter()
            .find(|trigger| trigger.as_str() == name)
            .ok_or(Unknown("trigger"))
    }
}

/// A job as the database has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// The channel it synchronises.
    pub channel_id: ChannelId,
    /// Where it stands.
    pub status: JobStatus,
    /// Whether it walks everything again.
    pub force: bool,
    /// Who asked for it.
    pub trigger: Trigger,
    /// When it was accepted.
    pub started_at: Timestamp,
    /// When it ended.
    pub completed_at: Option<Timestamp>,
    /// When this state of it was read or written, by the database's clock.
    pub as_of: Timestamp,
    /// Grows with every change.
    pub revision: i64,
    /// How many messages are expected, where anything is known.
    pub estimated_messages: Option<u64>,
    /// New or changed messages found so far.
    pub total_messages: u64,
    /// Those of them that are through the graph or given up on.
    pub processed_messages: u64,
    /// Those given up on.
    pub failing_messages: u64,
    /// 0 to 100; never goes down.
    pub percentage: u8,
    /// Tasks that have not ended.
    pub open_tasks: u64,
    /// One entry a stage, in order.
    pub stages: Vec<StageProgress>,
    /// What it made.
    pub counts: Counts,
    /// Why it failed.
    pub error: Option<SyncError>,
}

/// What a job made: rows that were not there before it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// New facts.
    pub facts: u64,
    /// New entities.
    pub entities: u64,
    /// New relationships.
    pub relationships: u64,
    /// New versions of pages.
    pub pages: u64,
}

/// How far a stage of a job is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StageProgress {
    /// The stage.
    pub stage: Stage,
    /// Messages (pages in [`Stage::GeneratingWiki`]) that are through this stage.
    pub processed: u64,
    /// Messages (pages) that reached it so far.
    pub total: u64,
    /// Its tasks that have not ended.
    pub open_tasks: u64,
    /// When its first task began.
    pub started_at: Option<Timestamp>,
    /// The worker that took it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub worker: Option<String>,
    /// When its last task ended.
    pub ended_at: Option<Timestamp>,
    /// A task that waits for its next attempt.
    pub retrying: Option<Retrying>,
}

/// A task that waits for its next attempt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retrying {
    /// Why the last attempt failed.
    pub code: crate::ErrorCode,
    /// The attempt that comes next.
    pub attempt: u32,
    /// When.
    pub next_attempt_at: Timestamp,
}

/// How a stage of a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StageStatus {
    /// Nothing has reached it.
    Pending,
    /// It has work.
    Running,
    /// No more work will come.
    Completed,
    /// The job failed before it was done.
    Failed,
    /// The job was cancelled before it was done.
    Cancelled,
}

impl Job {
    /// The earliest stage that still has work; `None` once the job is over.
    #[must_use]
    pub fn current_stage(&self) -> Option<Stage> {
        if self.status.is_terminal() {
            return None;
        }
        let working = self.stages.iter().find(|stage| stage.open_tasks > 0);
        Some(working.map_or(Stage::FetchingMessages, |stage| stage.stage))
    }

    /// How a stage stands: completed when neither it nor any stage before it has work left.
    #[must_use]
    pub fn stage_status(&self, stage: Stage) -> StageStatus {
        let upto = &self.stages[..=stage.index()];
        let own = &self.stages[stage.index()];
        let drained = upto.iter().all(|stage| stage.open_tasks == 0);
        match self.status {
            JobStatus::Completed => StageStatus::Completed,
            JobStatus::Failed | JobStatus::Cancelled if own.ended_at.is_none() || !drained => {
                match (self.status, own.started_at) {
                    (_, None) => StageStatus::Pending,
                    (JobStatus::Failed, _) => StageStatus::Failed,
                    _ => StageStatus::Cancelled,
                }
            }
            _ if drained && own.ended_at.is_some() => StageStatus::Completed,
            _ if own.started_at.is_some() => StageStatus::Running,
            _ => StageStatus::Pending,
        }
    }

    /// When it will probably be over, from its average speed so far.
    #[must_use]
    pub fn estimated_completion(&self) -> Option<Timestamp> {
        if self.status != JobStatus::Running || self.processed_messages == 0 {
            return None;
        }
        let expected = self.total_messages.max(self.estimated_messages.unwrap_or(0));
        let left = expected.saturating_sub(self.processed_messages);
        let elapsed = self.as_of.seconds_since(self.started_at).max(0.001);
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let seconds = elapsed / self.processed_messages as f64 * left as f64;
        Some(self.as_of.plus(std::time::Duration::from_secs_f64(seconds.min(1e9))))
    }

    /// Seconds from acceptance to the end, or to now.
    #[must_use]
    pub fn duration_seconds(&self) -> f64 {
        self.completed_at.unwrap_or(self.as_of).seconds_since(self.started_at)
    }
}

/// What share of a job is done: `processed` against the larger of `total` and the estimate, at most 50
/// while fetching goes on without an estimate, at most 99 before the end.
#[must_use]
pub fn percentage(processed: u64, total: u64, estimate: Option<u64>, fetching: bool) -> u8 {
    let expected = total.max(estimate.unwrap_or(0));
    let ceiling = if fetching && estimate.is_none() { 50 } else { 99 };
    let share = (processed.saturating_mul(100)).checked_div(expected).unwrap_or(0);
    u8::try_from(share.min(ceiling)).unwrap_or(99)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_percentage_is_bounded_until_the_end() {
        assert_eq!(percentage(75, 150, None, false), 50);
        assert_eq!(percentage(150, 150, None, false), 99);
        assert_eq!(percentage(150, 150, None, true), 50);
        assert_eq!(percentage(150, 150, Some(600), true), 25);
        assert_eq!(percentage(0, 0, None, false), 0);
    }
}
