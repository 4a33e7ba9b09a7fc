//! What the runner measures of every stage.

use std::time::Duration;

use domain::{ErrorCode, Stage};
use metrics::{counter, histogram};

/// A stage is worked on: a count that is not there before its first event is not seen to rise by it.
pub(crate) fn begins(stage: Stage) {
    counter!("atlas_fenced_writes_total", "stage" => stage.as_str()).increment(0);
    for outcome in ["done", "retried", "given_up", "refused", "dropped", "given_back"] {
        counter!("atlas_tasks_total", "stage" => stage.as_str(), "outcome" => outcome).increment(0);
    }
    for code in ErrorCode::ALL {
        for outcome in ["retried", "given_up"] {
            attempts_failed(stage, code, outcome, 0);
        }
    }
}

/// A task was taken, so long after it could have been.
pub(crate) fn taken(stage: Stage, waited: Duration) {
    histogram!("atlas_task_wait_seconds", "stage" => stage.as_str()).record(waited);
}

/// An attempt ended; what took no time was no attempt.
pub(crate) fn ended(stage: Stage, outcome: &'static str, elapsed: Option<Duration>) {
    let stage = stage.as_str();
    counter!("atlas_tasks_total", "stage" => stage, "outcome" => outcome).increment(1);
    if let Some(elapsed) = elapsed {
        histogram!("atlas_task_seconds", "stage" => stage).record(elapsed);
    }
}

/// An attempt failed, and what follows from that is stored.
pub(crate) fn failed(stage: Stage, code: ErrorCode, outcome: &'static str) {
    attempts_failed(stage, code, outcome, 1);
}

fn attempts_failed(stage: Stage, code: ErrorCode, outcome: &'static str, attempts: u64) {
    let (stage, code) = (stage.as_str(), code.as_str());
    counter!("atlas_task_failures_total", "stage" => stage, "code" => code, "outcome" => outcome)
        .increment(attempts);
}

/// A write reached the database, or was refused there because the claim was lost or the job over.
pub(crate) fn written(stage: Stage, elapsed: Duration, fenced_off: bool) {
    let stage = stage.as_str();
    histogram!("atlas_commit_seconds", "stage" => stage).record(elapsed);
    counter!("atlas_fenced_writes_total", "stage" => stage).increment(u64::from(fenced_off));
}
