//! Tasks: the rows that workers take.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{ChannelId, ClaimToken, JobId, Stage, TraceContext, UnitId, batch::Seed};

/// A task's name, and all that a queue message says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct TaskRef {
    /// The job it belongs to.
    pub job_id: JobId,
    /// The stage that takes it.
    pub stage: Stage,
    /// Number within job and stage, from 1.
    pub seq: i64,
}

impl fmt::Display for TaskRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}/{}", self.job_id, self.stage, self.seq)
    }
}

/// Where a task stands: `waiting → ready → leased → done`, or one of the other ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TaskStatus {
    /// Outside its job's window; not on the queue.
    Waiting,
    /// To be taken, at once or when its time comes.
    Ready,
    /// A worker has it.
    Leased,
    /// Its results are stored.
    Done,
    /// Given up after its attempts.
    Failed,
    /// Set aside because it kills its worker.
    Poison,
    /// Its job was cancelled or failed.
    Cancelled,
}

impl TaskStatus {
    /// The name in the database.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Waiting => "waiting",
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Poison => "poison",
            Self::Cancelled => "cancelled",
        }
    }
}

impl FromStr for TaskStatus {
    type Err = UnknownTaskStatus;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        use TaskStatus::{Cancelled, Done, Failed, Leased, Poison, Ready, Waiting};
        [Waiting, Ready, Leased, Done, Failed, Poison, Cancelled]
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or(UnknownTaskStatus)
    }
}

/// A name that no task status has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a task status")]
pub struct UnknownTaskStatus;

/// What a task has to work on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum TaskInput {
    /// Walk on from a place in what was imported of the channel; the platform comes after it.
    Fetch {
        /// The connector's own mark; `None` starts at the channel's watermark.
        cursor: Option<String>,
    },
    /// Walk on from a place in the channel on its platform.
    FetchLive {
        /// The connector's own mark; `None` starts at the channel's live watermark.
        cursor: Option<String>,
    },
    /// Extract the conversations that these messages touch.
    Extract {
        /// The changed messages.
        seeds: Vec<Seed>,
    },
    /// Fold the knowledge of these units into the graph.
    Graph {
        /// The changed messages that are through once this is done.
        seeds: Vec<Seed>,
        /// The units they touched.
        units: Vec<UnitId>,
    },
    /// Render what is dirty.
    Wiki,
    /// A kind that a newer release writes and this one does not know: given back.
    #[serde(other)]
    Unknown,
}

impl TaskInput {
    /// How many messages it carries, for progress.
    #[must_use]
    pub fn messages(&self) -> u64 {
        match self {
            Self::Extract { seeds } | Self::Graph { seeds, .. } => seeds.len() as u64,
            Self::Fetch { .. } | Self::FetchLive { .. } | Self::Wiki | Self::Unknown => 0,
        }
    }
}

/// The right to work on a task: held by exactly one worker, shown with every write.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The task.
    pub task: TaskRef,
    /// The proof.
    pub token: ClaimToken,
}

/// A task as a worker holds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ClaimedTask {
    /// The right to it.
    pub claim: Claim,
    /// The channel of its job.
    pub channel_id: ChannelId,
    /// What to work on.
    pub input: TaskInput,
    /// Which attempt without progress this is, from 1.
    pub attempt: u32,
    /// How often its worker vanished without progress.
    pub crashes: u32,
    /// Whether the job walks everything again.
    pub force: bool,
    /// How long it could have been taken before it was.
    pub waited: Duration,
    /// The trace of its job, for a call that came without one.
    pub trace: Option<TraceContext>,
}

/// After this many vanished workers a task runs alone in its process.
pub const ALONE_AFTER: u32 = 2;

/// After this many vanished workers a task is poison.
pub const POISON_AFTER: u32 = 3;
