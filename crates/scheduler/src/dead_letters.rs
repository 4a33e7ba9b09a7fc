//! Messages that nobody could decode: taken from the queue into the database, where people find them.

use std::time::{Duration, Instant};

use tracing::warn;

use crate::Scheduler;

/// Between two looks while there are none.
const LOOK: Duration = Duration::from_secs(2);

/// Messages in one turn.
const AT_ONCE: u32 = 100;

/// When to look again.
#[derive(Debug, Default)]
pub(crate) struct DeadLetters {
    looked_at: Option<Instant>,
}

impl DeadLetters {
    pub(crate) async fn take_turn(&mut self, scheduler: &Scheduler) -> store::Result<()> {
        if self.looked_at.is_some_and(|at| at.elapsed() < LOOK) {
            return Ok(());
        }
        self.looked_at = Some(Instant::now());
        for _ in 0..AT_ONCE {
            // A queue that does not answer is told of by the sweep.
            let Ok(Some(letter)) = scheduler.queue.dead_letter().await else { return Ok(()) };
            let keep = scheduler.settings.keep;
            scheduler.store.keep_dead_letter(letter.stage, &letter.body, keep).await?;
            warn!(
                stage = letter.stage.map(domain::Stage::as_str),
                "an undecodable message is kept"
            );
            if let Err(error) = letter.ack().await {
                warn!(%error, "not taken off the queue: it comes again, and is counted twice");
            }
        }
        self.looked_at = None;
        Ok(())
    }
}
