//! Forgetting what ended long ago.

use std::time::{Duration, Instant};

use tracing::info;

use crate::{Scheduler, measure};

/// Between two looks while there is nothing to forget.
const LOOK: Duration = Duration::from_secs(60);

/// The newest jobs of a channel stay, however old they are.
const KEPT: u32 = 100;

/// Jobs in one transaction: small, so that nobody waits for it.
const AT_ONCE: u32 = 20;

/// When to look again.
#[derive(Debug, Default)]
pub(crate) struct Retention {
    rested_at: Option<Instant>,
}

impl Retention {
    /// Forgets a few jobs; rests for a while once none are left.
    pub(crate) async fn take_turn(&mut self, scheduler: &Scheduler) -> store::Result<()> {
        if self.rested_at.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(());
        }
        let keep = scheduler.settings.keep;
        let forgotten = scheduler.store.forget_jobs(keep, KEPT, AT_ONCE).await?;
        self.rested_at = (forgotten < u64::from(AT_ONCE)).then(Instant::now);
        if forgotten > 0 {
            info!(jobs = forgotten, "old jobs are forgotten");
            measure::forgotten(forgotten);
        }
        Ok(())
    }
}
