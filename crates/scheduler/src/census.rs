//! Telling operators how many jobs and tasks stand where.

use std::time::{Duration, Instant};

use domain::{JobStatus, Stage, TaskStatus};
use store::Census;

use crate::Scheduler;

/// Between two counts.
const EVERY: Duration = Duration::from_secs(5);

const JOBS: [JobStatus; 5] = [
    JobStatus::Queued,
    JobStatus::Running,
    JobStatus::Completed,
    JobStatus::Failed,
    JobStatus::Cancelled,
];

const TASKS: [TaskStatus; 5] = [
    TaskStatus::Waiting,
    TaskStatus::Ready,
    TaskStatus::Leased,
    TaskStatus::Failed,
    TaskStatus::Poison,
];

/// When to count again.
#[derive(Debug, Default)]
pub(crate) struct Counting {
    counted_at: Option<Instant>,
}

impl Counting {
    pub(crate) async fn take_turn(&mut self, scheduler: &Scheduler) -> store::Result<()> {
        if self.counted_at.is_none_or(|at| at.elapsed() >= EVERY) {
            tell(&scheduler.store.census().await?);
            self.counted_at = Some(Instant::now());
        }
        Ok(())
    }
}

/// What stands nowhere is told as well: a gauge keeps what it was told last.
#[expect(clippy::cast_precision_loss, reason = "gauges are floating point")]
fn tell(census: &Census) {
    for status in JOBS {
        let count = census.jobs.iter().find(|(state, _)| *state == status).map_or(0, |(_, n)| *n);
        metrics::gauge!("atlas_jobs", "status" => status.as_str()).set(count as f64);
    }
    metrics::gauge!("atlas_oldest_queued_job_seconds").set(census.oldest_queued.as_secs_f64());
    metrics::gauge!("atlas_oldest_running_job_seconds").set(census.oldest_running.as_secs_f64());
    for stage in Stage::ALL {
        for status in TASKS {
            let found = census.tasks.iter().find(|(of, state, _)| (*of, *state) == (stage, status));
            let count = found.map_or(0, |(_, _, n)| *n);
            metrics::gauge!("atlas_tasks", "stage" => stage.as_str(), "status" => status.as_str())
                .set(count as f64);
        }
        let postponed = census.postponed.iter().find(|(of, _)| *of == stage).map_or(0, |(_, n)| *n);
        metrics::gauge!("atlas_tasks", "stage" => stage.as_str(), "status" => "postponed")
            .set(postponed as f64);
    }
}
