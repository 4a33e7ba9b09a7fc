//! The queues, by name.

use domain::Stage;
use lapin::{
    Channel,
    options::QueueDeclareOptions,
    types::{AMQPValue, FieldTable},
};

/// Calls that may wait in a queue; what does not fit is refused, and the sweep calls for it later.
const LONGEST: i64 = 100_000;

/// The queues of one installation.
pub(super) struct Topology {
    prefix: String,
    queues: [String; 4],
}

impl Topology {
    pub(super) fn new(prefix: &str) -> Self {
        let queues = Stage::ALL.map(|stage| format!("{prefix}.{}", stage.as_str()));
        Self { prefix: prefix.to_owned(), queues }
    }

    pub(super) fn queue(&self, stage: Stage) -> &str {
        &self.queues[stage.index()]
    }

    /// The stage whose queue has this name.
    pub(super) fn stage(&self, queue: &str) -> Option<Stage> {
        Stage::ALL.into_iter().find(|stage| self.queue(*stage) == queue)
    }

    /// Where messages go that cannot be decoded.
    pub(super) fn dead(&self) -> String {
        format!("{}.dead", self.prefix)
    }

    pub(super) async fn declare(&self, channel: &Channel) -> lapin::Result<()> {
        let durable = QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() };
        let dead = self.dead();
        channel.queue_declare(dead.as_str().into(), durable, quorum(None)).await?;
        for queue in &self.queues {
            channel.queue_declare(queue.as_str().into(), durable, quorum(Some(&dead))).await?;
        }
        Ok(())
    }
}

fn quorum(dead: Option<&str>) -> FieldTable {
    let text = |text: &str| AMQPValue::LongString(text.into());
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-max-length".into(), AMQPValue::LongLongInt(LONGEST));
    if let Some(dead) = dead {
        arguments.insert("x-overflow".into(), text("reject-publish"));
        arguments.insert("x-dead-letter-exchange".into(), text(""));
        arguments.insert("x-dead-letter-routing-key".into(), text(dead));
        arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    }
    arguments
}
