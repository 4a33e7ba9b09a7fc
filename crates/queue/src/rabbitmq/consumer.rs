//! Consuming one stage's queue.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{TaskRef, TraceContext};
use futures_util::StreamExt as _;
use lapin::{
    Acker, BasicProperties, Channel, Connection,
    message::Delivery,
    options::{
        BasicAckOptions, BasicCancelOptions, BasicConsumeOptions, BasicNackOptions,
        BasicQosOptions, BasicRejectOptions,
    },
    types::{AMQPValue, FieldTable},
};
use tracing::warn;

use super::{TRACE, topology::Topology, unavailable};
use crate::{Acknowledge, Call, DeadLetter, QueueError, Result, Subscription};

/// A consumer on a channel of its own.
pub(super) struct Consumer {
    calls: lapin::Consumer,
    channel: Arc<OwnChannel>,
}

/// Closed when neither the consumer nor a delivery needs it any more: what was fetched ahead goes back.
struct OwnChannel(Channel);

impl Consumer {
    pub(super) async fn start(connection: &Connection, queue: &str, window: usize) -> Result<Self> {
        let channel = connection.create_channel().await.map_err(unavailable)?;
        let window = u16::try_from(window.max(1)).unwrap_or(u16::MAX);
        channel.basic_qos(window, BasicQosOptions::default()).await.map_err(unavailable)?;
        let options = BasicConsumeOptions::default();
        let calls = channel
            .basic_consume(queue.into(), "".into(), options, FieldTable::default())
            .await
            .map_err(unavailable)?;
        Ok(Self { calls, channel: Arc::new(OwnChannel(channel)) })
    }
}

#[async_trait]
impl Subscription for Consumer {
    async fn next(&mut self) -> Result<crate::Delivery> {
        loop {
            let delivery = match self.calls.next().await {
                Some(Ok(delivery)) => delivery,
                Some(Err(error)) => return Err(unavailable(error)),
                // Its queue was deleted, or the connection is gone.
                None => return Err(QueueError::Closed),
            };
            match serde_json::from_slice::<TaskRef>(&delivery.data) {
                Ok(task) => {
                    let receipt =
                        Receipt { acker: delivery.acker, _channel: Some(self.channel.clone()) };
                    let call = Call { task, trace: trace_of(&delivery.properties) };
                    return Ok(crate::Delivery::new(call, delivery.redelivered, Box::new(receipt)));
                }
                Err(error) => {
                    warn!(%error, "a message that is no call is set aside in the dead-letter queue");
                    metrics::counter!("atlas_messages_set_aside_total").increment(1);
                    let aside = BasicRejectOptions { requeue: false };
                    delivery.acker.reject(aside).await.map_err(unavailable)?;
                }
            }
        }
    }
}

/// What is no trace is none: it never keeps a call from being answered.
fn trace_of(properties: &BasicProperties) -> Option<TraceContext> {
    match properties.headers().as_ref()?.inner().get(TRACE)? {
        AMQPValue::LongString(text) => std::str::from_utf8(text.as_bytes()).ok()?.parse().ok(),
        _ => None,
    }
}

impl Drop for Consumer {
    fn drop(&mut self) {
        let (channel, tag) = (self.channel.clone(), self.calls.tag());
        detached(async move {
            // Fails when the connection is gone, and the consumer with it.
            let _ = channel.0.basic_cancel(tag, BasicCancelOptions::default()).await;
        });
    }
}

impl Drop for OwnChannel {
    fn drop(&mut self) {
        let channel = self.0.clone();
        detached(async move {
            let _ = channel.close(200, "done".into()).await;
        });
    }
}

/// A message from the dead-letter queue.
pub(super) fn dead_letter(topology: &Topology, message: Delivery) -> DeadLetter {
    let headers = message.properties.headers().as_ref().map(FieldTable::inner);
    let from = headers.and_then(|headers| headers.get("x-first-death-queue"));
    let stage = match from {
        Some(AMQPValue::LongString(queue)) => {
            str::from_utf8(queue.as_bytes()).ok().and_then(|queue| topology.stage(queue))
        }
        _ => None,
    };
    let receipt = Receipt { acker: message.acker, _channel: None };
    DeadLetter::new(stage, message.data, Box::new(receipt))
}

struct Receipt {
    acker: Acker,
    /// A consumer's own; what it gets by it goes back when it is closed.
    _channel: Option<Arc<OwnChannel>>,
}

#[async_trait]
impl Acknowledge for Receipt {
    async fn ack(self: Box<Self>) -> Result<()> {
        // `false` says that the connection it came by is gone: it comes again, and is refused.
        self.acker.ack(BasicAckOptions::default()).await.map(drop).map_err(unavailable)
    }

    fn give_back(self: Box<Self>) {
        detached(async move {
            let again = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            let _ = self.acker.nack(again).await;
        });
    }
}

/// Outside a runtime nothing can be sent: the connection ends with the process, which says the same.
fn detached(goodbye: impl Future<Output = ()> + Send + 'static) {
    if let Ok(runtime) = tokio::runtime::Handle::try_current() {
        runtime.spawn(goodbye);
    }
}
