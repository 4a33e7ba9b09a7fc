//! What the handlers work with.

use std::{sync::Arc, time::Duration};

use connections::Accounts;
use connectors::Connector;
use domain::{Job, TaskRef};
use progress::Progress;
use queue::{Call, Queue};
use store::{Store, WalkStart};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::auth::KnownKeys;

/// What is accepted at most.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of an upload.
    pub upload_bytes: u64,
    /// Event streams open at the same time.
    pub streams: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { upload_bytes: 2 << 30, streams: 256 }
    }
}

/// What a gateway is made of.
pub struct Parts {
    /// The truth.
    pub store: Arc<dyn Store>,
    /// The wake-up call.
    pub queue: Arc<dyn Queue>,
    /// The live view.
    pub progress: Arc<dyn Progress>,
    /// Knows how many imported messages a sync would bring.
    pub connector: Arc<dyn Connector>,
    /// Accounts at platforms.
    pub accounts: Arc<Accounts>,
    /// What is accepted at most.
    pub limits: Limits,
    /// Ends open streams.
    pub shutdown: CancellationToken,
}

/// The gateway. Cheap to clone.
#[derive(Clone)]
pub struct Gateway {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) queue: Arc<dyn Queue>,
    pub(crate) progress: Arc<dyn Progress>,
    pub(crate) connector: Arc<dyn Connector>,
    pub(crate) accounts: Arc<Accounts>,
    pub(crate) limits: Limits,
    pub(crate) shutdown: CancellationToken,
    pub(crate) streams: Arc<Semaphore>,
    pub(crate) keys: Arc<KnownKeys>,
}

/// A reply to a trigger waits no longer for an estimate.
const ESTIMATE_WITHIN: Duration = Duration::from_millis(200);

impl Gateway {
    /// A gateway of these parts.
    #[must_use]
    pub fn new(parts: Parts) -> Self {
        let Parts { store, queue, progress, connector, accounts, limits, shutdown } = parts;
        let streams = Arc::new(Semaphore::new(limits.streams));
        let keys = Arc::default();
        Self { store, queue, progress, connector, accounts, limits, shutdown, streams, keys }
    }

    /// Tells of a job that has just been accepted.
    pub(crate) async fn begin(&self, job: &Job, tasks: &[TaskRef]) {
        info!(job = %job.id, channel = %job.channel_id, "a sync begins");
        self.announce(job, tasks).await;
    }

    /// Tells of a job that is stored, and of tasks that may be taken. Never fails: the sweep repairs.
    pub(crate) async fn announce(&self, job: &Job, tasks: &[TaskRef]) {
        if let Err(error) = self.progress.show(job).await {
            warn!(%error, "the live view is behind");
        }
        let calls = Call::all(tasks, trace_context::current().as_ref());
        if !calls.is_empty()
            && let Err(error) = self.queue.publish(&calls).await
        {
            warn!(%error, "tasks wait for the sweep");
        }
    }

    /// How many messages a sync would bring, where that is known at once.
    pub(crate) async fn estimate(&self, start: &WalkStart, force: bool) -> Option<u64> {
        let known = async {
            let watermark = start.watermark.as_deref().filter(|_| !force);
            let imported = self.connector.estimate(&start.channel, watermark).await.ok()?;
            // The platform is not asked: the reply does not wait for it.
            match &start.live {
                None => imported,
                Some(_) if force => None,
                Some(walk) => Some(walk.expected? + imported?),
            }
        };
        tokio::time::timeout(ESTIMATE_WITHIN, known).await.ok().flatten()
    }
}
