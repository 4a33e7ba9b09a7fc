//! The RabbitMQ adapter: a durable quorum queue a stage.
//!
//! A process has one connection, made when it is first needed and anew when it is lost; until then every
//! call answers [`QueueError::Unavailable`], which callers outlive: what is not published the sweep calls
//! for, and who consumes subscribes again. Messages are persistent and mandatory; their confirms are
//! watched beside the work, a bounded number at a time, because what they tell of is in the database.
//! Only quorum queues: a classic one confirms before the disk has the message.

mod consumer;
mod publisher;
mod topology;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use domain::Stage;
use lapin::{
    Channel, Connection, ConnectionProperties,
    options::{BasicGetOptions, QueueDeclareOptions},
    types::FieldTable,
};
use tokio::sync::Mutex;

use self::{consumer::Consumer, publisher::Publisher, topology::Topology};
use crate::{Call, DeadLetter, Queue, QueueError, Result, Subscription};

/// A broker that takes longer to answer counts as away.
const WITHIN: Duration = Duration::from_secs(5);

/// Seconds without a sign of life after which broker and client ask; twice that ends the connection.
const HEARTBEAT: u16 = 5;

/// The header with the trace that a call belongs to, by W3C's name.
const TRACE: &str = "traceparent";

/// A queue on a broker. Cheap to clone.
#[derive(Clone)]
pub struct RabbitQueue {
    inner: Arc<Inner>,
}

struct Inner {
    url: String,
    topology: Topology,
    publisher: Publisher,
    link: Mutex<Option<Arc<Link>>>,
}

/// A living connection, its queues declared.
struct Link {
    connection: Connection,
    /// Confirms what is published.
    publishing: Channel,
    /// For questions.
    asking: Channel,
}

impl Link {
    fn is_alive(&self) -> bool {
        self.connection.status().connected()
            && self.publishing.status().connected()
            && self.asking.status().connected()
    }
}

impl RabbitQueue {
    /// A queue on the broker of an `amqp://` URL, whose queues' names begin with `prefix`. Does not connect
    /// yet: a broker that is away at the start is no other than one that goes away later.
    #[must_use]
    pub fn new(url: &str, prefix: &str) -> Self {
        // A count that is not there before its first event is not seen to rise by it.
        for count in ["atlas_publish_unconfirmed_total", "atlas_messages_set_aside_total"] {
            metrics::counter!(count).increment(0);
        }
        let inner = Inner {
            url: with_heartbeat(url),
            topology: Topology::new(prefix),
            publisher: Publisher::default(),
            link: Mutex::default(),
        };
        Self { inner: Arc::new(inner) }
    }

    /// Waits until what was published is confirmed, and says goodbye to the broker.
    pub async fn close(&self) {
        self.inner.publisher.settle(WITHIN).await;
        if let Some(link) = self.inner.link.lock().await.take() {
            let goodbye = link.connection.close(200, "closing".into());
            // A broker that is gone needs none.
            let _ = tokio::time::timeout(WITHIN, goodbye).await;
        }
    }

    async fn link(&self) -> Result<Arc<Link>> {
        let mut link = self.inner.link.lock().await;
        if let Some(living) = link.as_ref().filter(|link| link.is_alive()) {
            return Ok(living.clone());
        }
        *link = None;
        let new = Arc::new(in_time(self.connect()).await?);
        *link = Some(new.clone());
        Ok(new)
    }

    async fn connect(&self) -> Result<Link> {
        let properties = ConnectionProperties::default().with_connection_name("atlas-sync".into());
        let connection =
            Connection::connect(&self.inner.url, properties).await.map_err(unavailable)?;
        let publishing = connection.create_channel().await.map_err(unavailable)?;
        publishing
            .confirm_select(lapin::options::ConfirmSelectOptions::default())
            .await
            .map_err(unavailable)?;
        let asking = connection.create_channel().await.map_err(unavailable)?;
        self.inner.topology.declare(&asking).await.map_err(unavailable)?;
        Ok(Link { connection, publishing, asking })
    }
}

#[async_trait]
impl Queue for RabbitQueue {
    async fn publish(&self, calls: &[Call]) -> Result<()> {
        let link = self.link().await?;
        for call in calls {
            let queue = self.inner.topology.queue(call.task.stage);
            in_time(self.inner.publisher.publish(&link.publishing, queue, call)).await?;
        }
        Ok(())
    }

    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>> {
        let link = self.link().await?;
        // Somebody may have deleted it.
        in_time(async { self.inner.topology.declare(&link.asking).await.map_err(unavailable) })
            .await?;
        let queue = self.inner.topology.queue(stage);
        let consumer = in_time(Consumer::start(&link.connection, queue, window)).await?;
        Ok(Box::new(consumer))
    }

    async fn depth(&self, stage: Stage) -> Result<u64> {
        let link = self.link().await?;
        let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
        let queue = self.inner.topology.queue(stage).into();
        let asked = async {
            let told = link.asking.queue_declare(queue, passive, FieldTable::default());
            told.await.map_err(unavailable)
        };
        Ok(in_time(asked).await?.message_count().into())
    }

    async fn dead_letter(&self) -> Result<Option<DeadLetter>> {
        let link = self.link().await?;
        let name = self.inner.topology.dead();
        let asked = async {
            let next = link.asking.basic_get(name.as_str().into(), BasicGetOptions::default());
            next.await.map_err(unavailable)
        };
        let Some(message) = in_time(asked).await? else { return Ok(None) };
        Ok(Some(consumer::dead_letter(&self.inner.topology, message.delivery)))
    }

    async fn ping(&self) -> Result<()> {
        self.link().await.map(drop)
    }
}

/// A process that was stopped holds calls that nobody else gets: the broker is to notice soon.
fn with_heartbeat(url: &str) -> String {
    if url.contains("heartbeat=") {
        return url.to_owned();
    }
    let between = if url.contains('?') { '&' } else { '?' };
    format!("{url}{between}heartbeat={HEARTBEAT}")
}

fn unavailable(error: lapin::Error) -> QueueError {
    QueueError::Unavailable(Box::new(error))
}

async fn in_time<T>(asked: impl Future<Output = Result<T>>) -> Result<T> {
    match tokio::time::timeout(WITHIN, asked).await {
        Ok(answer) => answer,
        Err(late) => Err(QueueError::Unavailable(Box::new(late))),
    }
}

#[cfg(test)]
mod tests {
    use domain::TaskRef;

    use super::*;

    fn fresh() -> RabbitQueue {
        let url = std::env::var("ATLAS_TEST_QUEUE_URL").unwrap_or_else(|_| {
            panic!("ATLAS_TEST_QUEUE_URL must name a RabbitMQ: run scripts/test, which starts one")
        });
        RabbitQueue::new(&url, &format!("atlas-test-{}", domain::JobId::random()))
    }

    crate::contract!(fresh());

    #[tokio::test]
    async fn what_cannot_be_decoded_is_set_aside_and_stops_nobody() {
        let queue = fresh();
        let mut calls = queue.subscribe(Stage::BuildingGraph, 1).await.unwrap();
        let link = queue.link().await.unwrap();
        let name = queue.inner.topology.queue(Stage::BuildingGraph);
        publisher::send(&link.publishing, name, b"rubbish", None).await.unwrap().await.unwrap();
        let task = TaskRef { job_id: domain::JobId::random(), stage: Stage::BuildingGraph, seq: 1 };
        queue.publish(&[task.clone().into()]).await.unwrap();
        assert_eq!(calls.next().await.unwrap().task, task);
        let next = || async {
            loop {
                match queue.dead_letter().await.unwrap() {
                    Some(letter) => return letter,
                    None => tokio::time::sleep(Duration::from_millis(20)).await,
                }
            }
        };
        let letter = next().await;
        assert_eq!(letter.stage, Some(Stage::BuildingGraph));
        drop(letter);
        let letter = next().await;
        assert_eq!(letter.body, b"rubbish", "it was set aside again");
        letter.ack().await.unwrap();
        assert!(queue.dead_letter().await.unwrap().is_none());
    }

    #[tokio::test]
    async fn a_broker_that_is_away_is_told_as_such_and_soon() {
        let queue = RabbitQueue::new("amqp://guest:guest@127.0.0.1:1/%2f", "nobody");
        assert!(matches!(queue.ping().await, Err(QueueError::Unavailable(_))));
        assert!(queue.subscribe(Stage::BuildingGraph, 1).await.is_err());
        queue.close().await;
    }

    #[tokio::test]
    async fn a_deleted_queue_is_declared_again_with_the_next_subscription() {
        let queue = fresh();
        let mut calls = queue.subscribe(Stage::BuildingGraph, 1).await.unwrap();
        let link = queue.link().await.unwrap();
        let name = queue.inner.topology.queue(Stage::BuildingGraph);
        link.asking.queue_delete(name.into(), Default::default()).await.unwrap();
        assert!(calls.next().await.is_err(), "the consumer is told");
        let mut calls = queue.subscribe(Stage::BuildingGraph, 1).await.unwrap();
        let task = TaskRef { job_id: domain::JobId::random(), stage: Stage::BuildingGraph, seq: 1 };
        queue.publish(&[task.clone().into()]).await.unwrap();
        assert_eq!(calls.next().await.unwrap().task, task);
    }
}
