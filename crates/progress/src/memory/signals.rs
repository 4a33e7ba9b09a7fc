//! What those hold who wait for views and cancels.

use std::sync::Arc;

use async_trait::async_trait;
use domain::JobId;
use tokio::{
    sync::{broadcast, watch},
    time::Instant,
};

use super::Shared;
use crate::{Cancels, ProgressError, Result, View, Watch};

/// The views of one job.
pub(super) struct MemoryWatch {
    shared: Arc<Shared>,
    id: JobId,
    /// `None` only while dropping.
    views: Option<watch::Receiver<Option<View>>>,
    seen: Option<i64>,
}

impl MemoryWatch {
    pub(super) fn new(shared: &Arc<Shared>, id: &JobId) -> Self {
        let views = shared.write().watch(id, Instant::now());
        Self { shared: Arc::clone(shared), id: id.clone(), views: Some(views), seen: None }
    }
}

#[async_trait]
impl Watch for MemoryWatch {
    async fn next(&mut self) -> Result<View> {
        let views = self.views.as_mut().ok_or_else(gone)?;
        loop {
            // Comparing revisions, and not only waiting for a change, makes the first view come too.
            let latest = views.borrow_and_update().clone();
            if let Some(view) = latest.filter(|view| self.seen < Some(view.job.revision)) {
                self.seen = Some(view.job.revision);
                return Ok(view);
            }
            views.changed().await.map_err(|_closed| gone())?;
        }
    }
}

impl Drop for MemoryWatch {
    fn drop(&mut self) {
        self.views = None;
        self.shared.write().unwatch(&self.id);
    }
}

/// Cancels as they come.
pub(super) struct MemoryCancels(pub(super) broadcast::Receiver<JobId>);

#[async_trait]
impl Cancels for MemoryCancels {
    async fn next(&mut self) -> Result<JobId> {
        loop {
            match self.0.recv().await {
                Ok(id) => return Ok(id),
                // Those that were missed come with the next heartbeat.
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(broadcast::error::RecvError::Closed) => return Err(gone()),
            }
        }
    }
}

fn gone() -> ProgressError {
    ProgressError::Unavailable("the live view has been closed".into())
}
