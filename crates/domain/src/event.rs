//! Events: what a job has been through, so that "why is it not moving" has an answer without logs.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{ErrorCode, Stage, Timestamp, Trigger};

/// Something that happened to a job.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobEvent {
    /// When, by the database's clock.
    pub at: Timestamp,
    /// The stage it happened in, where it is not of the job as a whole.
    pub stage: Option<Stage>,
    /// The task of that stage, where it is of one task.
    pub seq: Option<i64>,
    /// What happened.
    pub happening: Happening,
}

/// What can happen to a job. Names and fields are the API's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Happening {
    /// It was accepted.
    Created {
        /// What asked for it.
        trigger: Trigger,
        /// Whether everything is walked again.
        force: bool,
        /// Name of the API key that did.
        by: Option<String>,
    },
    /// A worker took a task: the first of a stage, or one that had failed before.
    Claimed {
        /// The worker.
        worker: Option<String>,
        /// Which attempt this is.
        attempt: u32,
    },
    /// An attempt failed and another follows.
    Retried {
        /// Why.
        code: ErrorCode,
        /// What the user is told.
        message: String,
        /// The attempt that follows.
        attempt: u32,
        /// When.
        next_attempt_at: Timestamp,
    },
    /// The platform asked for a pause.
    Waited {
        /// What the user is told.
        message: String,
        /// Its end.
        until: Timestamp,
    },
    /// A task was given up.
    GivenUp {
        /// Why.
        code: ErrorCode,
        /// What the user is told.
        message: String,
        /// Messages that it carried.
        messages: u64,
    },
    /// A task's worker gave no sign of life for a lease: the task goes to another.
    LeaseExpired {
        /// The worker.
        worker: Option<String>,
        /// Workers that vanished over the task so far.
        crashes: u32,
    },
    /// The process that held a task was gone when its successor started.
    TakenBack {
        /// The worker.
        worker: Option<String>,
        /// Workers that vanished over the task so far.
        crashes: u32,
    },
    /// A worker gave a task back unfinished.
    GivenBack,
    /// The sweep called again for tasks that nobody had taken.
    Republished {
        /// How many.
        tasks: u64,
    },
    /// A task was set aside because it kills its workers.
    SetAside {
        /// Messages that it carried.
        messages: u64,
    },
    /// A stage is through.
    StageCompleted {
        /// Messages (pages in [`Stage::GeneratingWiki`]) that passed it.
        processed: u64,
    },
    /// The job is through.
    Completed {
        /// Messages that got through.
        messages: u64,
        /// Messages that were given up on.
        failing: u64,
    },
    /// The job could not go on.
    Failed {
        /// Why.
        code: Option<ErrorCode>,
        /// What the user is told.
        message: String,
    },
    /// A user ended the job.
    Cancelled {
        /// Name of the API key that did.
        by: Option<String>,
    },
    /// What a newer release writes and this one does not know.
    #[serde(other)]
    Unknown,
}

impl Happening {
    /// Where it belongs among what happened at the same instant: a job begins and ends with itself.
    #[must_use]
    pub const fn rank(&self) -> u8 {
        match self {
            Self::Created { .. } => 0,
            Self::Completed { .. } | Self::Failed { .. } | Self::Cancelled { .. } => 2,
            _ => 1,
        }
    }
}

/// In words, for people.
impl fmt::Display for Happening {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unnamed = || "a worker".to_owned();
        match self {
            Self::Created { trigger, force, by } => {
                let what = if *force { "accepted as a full sync" } else { "accepted" };
                match (trigger, by) {
                    (Trigger::Schedule, _) => write!(f, "{what}: its schedule was due"),
                    (Trigger::Retry, Some(by)) => write!(f, "{what}: a retry asked for by {by}"),
                    (Trigger::Retry, None) => write!(f, "{what}: a retry"),
                    (Trigger::Manual, Some(by)) => write!(f, "{what}: asked for by {by}"),
                    (Trigger::Manual, None) => write!(f, "{what}: asked for by a client"),
                }
            }
            Self::Claimed { worker, attempt } => {
                let worker = worker.clone().unwrap_or_else(unnamed);
                match attempt {
                    1 => write!(f, "taken by {worker}"),
                    again => write!(f, "taken by {worker}: attempt {again}"),
                }
            }
            Self::Retried { code, message, attempt, next_attempt_at } => {
                write!(f, "{code}: {message}; attempt {attempt} follows at {next_attempt_at}")
            }
            Self::Waited { message, until } => {
                write!(f, "waits until {until} for the platform's rate limit: {message}")
            }
            Self::GivenUp { code, message, messages } => {
                write!(f, "given up with {}: {code}: {message}", counted(*messages, "message"))
            }
            Self::LeaseExpired { worker, crashes } => {
                let worker = worker.clone().unwrap_or_else(unnamed);
                write!(
                    f,
                    "taken back: no sign of life from {worker} for a lease ({crashes} so far)"
                )
            }
            Self::TakenBack { worker, crashes } => {
                let worker = worker.clone().unwrap_or_else(unnamed);
                write!(f, "taken back: the process of {worker} is gone ({crashes} so far)")
            }
            Self::GivenBack => {
                f.write_str("given back: its worker was shut down, or is too old for it")
            }
            Self::Republished { tasks } => {
                let tasks = counted(*tasks, "task");
                write!(f, "the sweep called again for {tasks} that nobody had taken")
            }
            Self::SetAside { messages } => write!(
                f,
                "set aside with {}: its worker vanished too often over it",
                counted(*messages, "message")
            ),
            Self::StageCompleted { processed } => {
                write!(f, "nothing is left to do ({processed} passed)")
            }
            Self::Completed { messages, failing: 0 } => {
                write!(f, "completed: {}", counted(*messages, "message"))
            }
            Self::Completed { messages, failing } => {
                let messages = counted(*messages, "message");
                write!(f, "completed: {messages}, {failing} given up on")
            }
            Self::Failed { code: Some(code), message } => write!(f, "failed: {code}: {message}"),
            Self::Failed { code: None, message } => write!(f, "failed: {message}"),
            Self::Cancelled { by: Some(by) } => write!(f, "cancelled by {by}"),
            Self::Cancelled { by: None } => f.write_str("cancelled"),
            Self::Unknown => f.write_str("something that a newer release knows of"),
        }
    }
}

/// `1 message`, `2 messages`, `3 batches`.
#[must_use]
pub fn counted(count: u64, what: &str) -> String {
    let plural = match (count, what.ends_with("ch")) {
        (1, _) => "",
        (_, true) => "es",
        _ => "s",
    };
    format!("{count} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_newer_release_writes_can_be_read() {
        let newer = r#"{"kind":"teleported","to":"mars"}"#;
        assert_eq!(serde_json::from_str::<Happening>(newer).unwrap(), Happening::Unknown);
        let known = Happening::Claimed { worker: Some("w-1".into()), attempt: 2 };
        let text = serde_json::to_string(&known).unwrap();
        assert_eq!(text, r#"{"kind":"claimed","worker":"w-1","attempt":2}"#);
        assert_eq!(serde_json::from_str::<Happening>(&text).unwrap(), known);
    }
}
