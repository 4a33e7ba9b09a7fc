//! The scheduler: starts what is due, and repairs what stands still.
//!
//! Any number of them may run. A due schedule is taken by a conditional update, and so is a task that is
//! called for again, so that of any number exactly one does it. Nothing here is needed for work that goes
//! well; everything that goes wrong elsewhere ends here.

mod census;
mod dead_letters;
mod measure;
mod retention;
mod schedules;
mod sweep;

use std::{sync::Arc, time::Duration};

use domain::{Job, TaskRef};
use progress::Progress;
use queue::{Call, Queue};
use store::Store;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

/// Longest wait after turns that failed, so that a database that comes back is noticed soon.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// A month of history.
const KEEP: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// How a scheduler works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Between two turns.
    pub turn: Duration,
    /// How long a released task may lie untaken before it is called for again.
    pub quiet: Duration,
    /// How long an ended job and its tasks are kept; the newest hundred of a channel stay whatever.
    pub keep: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self { turn: Duration::from_millis(500), quiet: Duration::from_secs(10), keep: KEEP }
    }
}

/// A scheduler.
pub struct Scheduler {
    store: Arc<dyn Store>,
    queue: Arc<dyn Queue>,
    progress: Arc<dyn Progress>,
    settings: Settings,
}

impl Scheduler {
    /// A scheduler over these.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        queue: Arc<dyn Queue>,
        progress: Arc<dyn Progress>,
        settings: Settings,
    ) -> Self {
        Self { store, queue, progress, settings }
    }

    /// Takes turns until `shutdown`.
    pub async fn run(self, shutdown: CancellationToken) {
        measure::begins();
        let mut wait = Duration::ZERO;
        let mut retention = retention::Retention::default();
        let mut counting = census::Counting::default();
        let mut dead_letters = dead_letters::DeadLetters::default();
        while shutdown.run_until_cancelled(tokio::time::sleep(wait)).await.is_some() {
            let turn = match self.take_turn().await {
                Ok(()) => {
                    let forgotten = retention.take_turn(&self).await;
                    let counted = counting.take_turn(&self).await;
                    forgotten.and(counted).and(dead_letters.take_turn(&self).await)
                }
                failed => failed,
            };
            wait = match turn {
                Ok(()) => self.settings.turn,
                Err(error) => {
                    let longer = (wait.max(self.settings.turn) * 2).min(LONGEST_WAIT);
                    warn!(%error, "a turn of the scheduler failed; it tries again in {longer:?}");
                    longer
                }
            };
        }
        info!("the scheduler has stopped");
    }

    /// One turn: due schedules first, then repairs.
    pub async fn take_turn(&self) -> store::Result<()> {
        let schedules = self.fire_due().await;
        let repairs = self.sweep().await;
        schedules.and(repairs)
    }

    /// Tells of what is stored. What gets lost here the next sweep finds.
    async fn announce(&self, jobs: &[Job], tasks: &[TaskRef]) {
        for job in jobs {
            if let Err(error) = self.progress.show(job).await {
                warn!(%error, "the live view is behind");
            }
        }
        // What is called for again goes on in its job's trace: its row knows which.
        let calls = Call::all(tasks, trace_context::current().as_ref());
        if !calls.is_empty()
            && let Err(error) = self.queue.publish(&calls).await
        {
            warn!(%error, "tasks wait for the next sweep");
        }
    }
}

#[cfg(test)]
mod tests;
