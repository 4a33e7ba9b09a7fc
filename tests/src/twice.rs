//! A queue that delivers every call twice.

use async_trait::async_trait;
use domain::Stage;
use queue::{Call, DeadLetter, Queue, Result, Subscription};

/// Publishes to another queue, everything twice.
pub struct Twice<Q>(pub Q);

#[async_trait]
impl<Q: Queue> Queue for Twice<Q> {
    async fn publish(&self, calls: &[Call]) -> Result<()> {
        self.0.publish(calls).await?;
        self.0.publish(calls).await
    }

    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>> {
        self.0.subscribe(stage, window).await
    }

    async fn depth(&self, stage: Stage) -> Result<u64> {
        self.0.depth(stage).await
    }

    async fn dead_letter(&self) -> Result<Option<DeadLetter>> {
        self.0.dead_letter().await
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}
