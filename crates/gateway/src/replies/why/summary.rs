//! One sentence that answers "why is it not moving?" from where a job's tasks stand now.

use domain::{ErrorCode, Happening, Job, JobStatus, Stage, Timestamp, event::counted};
use store::{Explanation, Standing};

/// A ready task is taken within milliseconds where a worker has a free slot.
const SOON: f64 = 5.0;

pub(super) fn of(told: &Explanation) -> String {
    let job = &told.job;
    match job.status {
        JobStatus::Queued | JobStatus::Running => going_on(told),
        JobStatus::Completed => format!("completed in {}{}", taken(job), failing(job)),
        JobStatus::Failed => match &job.error {
            Some(error) => format!("failed after {}: {error}", taken(job)),
            None => format!("failed after {}", taken(job)),
        },
        JobStatus::Cancelled => match canceller(told) {
            Some(by) => format!("cancelled by {by} after {}", taken(job)),
            None => format!("cancelled after {}", taken(job)),
        },
    }
}

fn going_on(told: &Explanation) -> String {
    let now = told.job.as_of;
    let standing = &told.standing;
    let stuck = standing.iter().find(|stage| stage.leased == 0 && waited(stage, now) > SOON);
    let working: Vec<_> = standing.iter().filter(|stage| stage.leased > 0).map(in_work).collect();
    if let Some(stage) = stuck {
        let beside = match &working[..] {
            [] => String::new(),
            working => format!("; in work are {}", working.join(" and ")),
        };
        return format!("{}{beside}", not_taken(stage, now));
    }
    if !working.is_empty() {
        return format!("is being worked on: {}", working.join(", "));
    }
    if let Some(stage) = standing.iter().find(|stage| stage.ready > 0) {
        return format!("{} ready and about to be taken", are(stage.ready, stage.stage));
    }
    match standing.iter().filter(|stage| stage.postponed > 0).min_by_key(|s| s.next_attempt_at) {
        Some(stage) => postponed(stage),
        None => {
            "nothing of it can be taken at the moment: the scheduler looks at it within seconds, \
                 is one running?"
                .to_owned()
        }
    }
}

/// Seconds for which the longest ready task of a stage has been ready.
fn waited(stage: &Standing, now: Timestamp) -> f64 {
    stage.ready_since.filter(|_| stage.ready > 0).map_or(0.0, |since| now.seconds_since(since))
}

fn not_taken(stage: &Standing, now: Timestamp) -> String {
    format!(
        "{} ready, but no worker has taken one for {}: is {} {} running, and not busy with other syncs?",
        are(stage.ready, stage.stage),
        span(waited(stage, now)),
        if stage.stage == Stage::ExtractingFacts { "an" } else { "a" },
        worker(stage.stage),
    )
}

fn in_work(stage: &Standing) -> String {
    let behind = stage.ready + stage.waiting + stage.postponed;
    let tasks = counted(stage.leased, noun(stage.stage));
    match behind {
        0 => format!("{tasks} of {}", stage.stage),
        behind => format!("{tasks} of {}, {behind} more behind", stage.stage),
    }
}

fn postponed(stage: &Standing) -> String {
    let until = stage.next_attempt_at.map_or_else(String::new, clock);
    match stage.code {
        Some(ErrorCode::RateLimit) => {
            format!("waits until {until} for the platform's rate limit ({})", stage.stage)
        }
        Some(code) => {
            format!("waits until {until} to try {} again after {code}", stage.stage)
        }
        None => format!("waits until {until} to go on with {}", stage.stage),
    }
}

fn canceller(told: &Explanation) -> Option<&str> {
    told.events.iter().find_map(|event| match &event.happening {
        Happening::Cancelled { by } => by.as_deref(),
        _ => None,
    })
}

fn failing(job: &Job) -> String {
    match job.failing_messages {
        0 => String::new(),
        failing => format!(
            "; {} given up on, and tried again by the next sync",
            counted(failing, "message")
        ),
    }
}

fn are(count: u64, stage: Stage) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} of {stage} {verb}", counted(count, noun(stage)))
}

/// What a task of a stage is called.
const fn noun(stage: Stage) -> &'static str {
    match stage {
        Stage::FetchingMessages => "part",
        Stage::ExtractingFacts | Stage::BuildingGraph => "batch",
        Stage::GeneratingWiki => "run",
    }
}

const fn worker(stage: Stage) -> &'static str {
    match stage {
        Stage::FetchingMessages => "fetch-worker",
        Stage::ExtractingFacts => "extract-worker",
        Stage::BuildingGraph => "graph-worker",
        Stage::GeneratingWiki => "wiki-worker",
    }
}

fn taken(job: &Job) -> String {
    span(job.duration_seconds())
}

/// A duration as people say it.
fn span(seconds: f64) -> String {
    match seconds {
        ..10.0 => format!("{:.1} s", seconds.max(0.0)),
        ..120.0 => format!("{seconds:.0} s"),
        ..7_200.0 => format!("{:.0} min", seconds / 60.0),
        _ => format!("{:.0} h", seconds / 3_600.0),
    }
}

/// The time of the day, in UTC as everywhere.
fn clock(at: Timestamp) -> String {
    at.to_utc().format("%H:%M:%S UTC").to_string()
}

#[cfg(test)]
mod tests;
