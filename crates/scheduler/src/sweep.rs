//! The sweep: leases that have run out, tasks whose time has come, calls that got lost.

use domain::Stage;
use tracing::{info, warn};

use crate::{Scheduler, measure};

/// Calls for one stage in one turn.
const AT_ONCE: u32 = 256;

impl Scheduler {
    pub(crate) async fn sweep(&self) -> store::Result<()> {
        let swept = self.store.expire_leases().await?;
        if swept.expired > 0 {
            warn!(tasks = swept.expired, "leases have run out: their workers are gone");
            measure::repaired("expired_lease", swept.expired);
        }
        self.announce(&swept.jobs, &swept.due).await;
        for stage in Stage::ALL {
            self.call_again(stage).await?;
        }
        Ok(())
    }

    async fn call_again(&self, stage: Stage) -> store::Result<()> {
        let queued = match self.queue.depth(stage).await {
            Ok(queued) => queued,
            Err(error) => {
                warn!(%stage, %error, "the queue does not answer");
                return Ok(());
            }
        };
        let due = self.store.due(stage, queued, self.settings.quiet, AT_ONCE).await?;
        if due.repaired > 0 {
            info!(%stage, tasks = due.repaired, "called again for what no worker has taken");
            measure::repaired("called_again", due.repaired);
        }
        let first = due.tasks.len() as u64 - due.repaired;
        if first > 0 {
            info!(%stage, tasks = first, "called for what is due");
        }
        self.announce(&[], &due.tasks).await;
        Ok(())
    }
}
