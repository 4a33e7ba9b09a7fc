//! What a stage can ask of its runner.

use std::{sync::Arc, time::Instant};

use domain::{Classify as _, Failure, Job, Retry, task::Claim};
use queue::Call;
use store::{Committed, Effect};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{Ports, measure};

/// A claimed task's side of the runner. Cheap to clone.
#[derive(Clone)]
pub struct Context {
    inner: Arc<Inner>,
}

struct Inner {
    ports: Ports,
    claim: Claim,
    stop: CancellationToken,
    closing: CancellationToken,
}

impl Context {
    pub(crate) fn new(
        ports: Ports,
        claim: Claim,
        stop: CancellationToken,
        closing: CancellationToken,
    ) -> Self {
        Self { inner: Arc::new(Inner { ports, claim, stop, closing }) }
    }

    /// Cancelled when the work has become pointless: its result would be refused.
    #[must_use]
    pub fn stop(&self) -> &CancellationToken {
        &self.inner.stop
    }

    /// Whether this process is about to end: long work is to be handed on at the next good place.
    #[must_use]
    pub fn closing(&self) -> bool {
        self.inner.closing.is_cancelled()
    }

    /// Writes an effect that does not end the task, in one transaction, and publishes what follows.
    pub async fn commit(&self, effect: Effect) -> Result<Committed, Failure> {
        self.write(effect).await?.ok_or_else(|| {
            self.inner.stop.cancel();
            Failure::internal("the claim on this task is lost", Retry::Backoff)
        })
    }

    /// Writes an effect; `None` when the claim is lost or the job over.
    pub(crate) async fn write(&self, effect: Effect) -> Result<Option<Committed>, Failure> {
        let Inner { ports, claim, .. } = &*self.inner;
        let begun = Instant::now();
        let committed = ports.store.commit(claim, effect).await?;
        measure::written(claim.task.stage, begun.elapsed(), committed.is_none());
        if let Some(committed) = &committed {
            if committed.job.status.is_terminal() {
                let Job { id, channel_id, status, error, .. } = &committed.job;
                let code = error.as_ref().map(|error| error.code.as_str());
                info!(job = %id, channel = %channel_id, status = status.as_str(), code, "the sync has ended");
            }
            announce(ports, committed).await;
        }
        Ok(committed)
    }
}

/// Tells of what is stored, the view and the queue at once. What gets lost here the sweep repairs.
async fn announce(ports: &Ports, committed: &Committed) {
    let calls = Call::all(&committed.released, trace_context::current().as_ref());
    let show = async {
        if let Err(error) = ports.progress.show(&committed.job).await {
            warn!(%error, "the live view is behind");
        }
    };
    let publish = async {
        if !calls.is_empty()
            && let Err(error) = ports.queue.publish(&calls).await
        {
            warn!(error = %error.sync_error(), "tasks wait for the sweep");
        }
    };
    tokio::join!(publish, show);
}
