//! Publishing, and watching over what was published.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use domain::TraceContext;
use lapin::{
    BasicProperties, Channel, Confirmation, PublisherConfirm,
    options::BasicPublishOptions,
    types::{AMQPValue, FieldTable},
};
use tokio::sync::Semaphore;
use tracing::warn;

use super::{TRACE, unavailable};
use crate::{Call, QueueError, Result};

/// Messages that may wait for their confirm.
const UNCONFIRMED: u32 = 1_024;

/// A message survives a restart of the broker.
const PERSISTENT: u8 = 2;

/// Publishes and counts what is not confirmed yet.
pub(super) struct Publisher {
    places: Arc<Semaphore>,
}

impl Default for Publisher {
    fn default() -> Self {
        Self { places: Arc::new(Semaphore::new(UNCONFIRMED as usize)) }
    }
}

impl Publisher {
    /// Hands a message to the broker; waits for room, not for the confirm.
    pub(super) async fn publish(&self, channel: &Channel, queue: &str, call: &Call) -> Result<()> {
        let body = serde_json::to_vec(&call.task)
            .map_err(|error| QueueError::Unavailable(error.into()))?;
        let place = self.places.clone().acquire_owned().await.map_err(|_| QueueError::Closed)?;
        let begun = Instant::now();
        let confirm =
            send(channel, queue, &body, call.trace.as_ref()).await.map_err(unavailable)?;
        let task = call.task.clone();
        tokio::spawn(async move {
            let is_kept = is_kept(confirm.await);
            metrics::histogram!("atlas_publish_seconds").record(begun.elapsed());
            if !is_kept {
                metrics::counter!("atlas_publish_unconfirmed_total").increment(1);
                warn!(%task, "the broker did not keep a call: the sweep calls again");
            }
            drop(place);
        });
        Ok(())
    }

    /// Waits until everything is confirmed, for so long at most.
    pub(super) async fn settle(&self, limit: Duration) {
        let all = self.places.acquire_many(UNCONFIRMED);
        // What is not confirmed by then the sweep calls for.
        let _ = tokio::time::timeout(limit, all).await;
    }
}

pub(super) async fn send(
    channel: &Channel,
    queue: &str,
    body: &[u8],
    trace: Option<&TraceContext>,
) -> lapin::Result<PublisherConfirm> {
    let mandatory = BasicPublishOptions { mandatory: true, ..BasicPublishOptions::default() };
    let mut properties = BasicProperties::default()
        .with_delivery_mode(PERSISTENT)
        .with_content_type("application/json".into());
    if let Some(trace) = trace {
        let mut headers = FieldTable::default();
        headers.insert(TRACE.into(), AMQPValue::LongString(trace.as_str().into()));
        properties = properties.with_headers(headers);
    }
    channel.basic_publish("".into(), queue.into(), mandatory, body, properties).await
}

/// A message that no queue takes is acknowledged as well, and comes back with it.
fn is_kept(confirmation: lapin::Result<Confirmation>) -> bool {
    matches!(confirmation, Ok(Confirmation::Ack(None)))
}
