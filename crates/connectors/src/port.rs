//! The traits of the port.

use async_trait::async_trait;
use domain::{
    Channel, Message, MessageId, Timestamp,
    walk::{Mark, Stream, Window},
};

use crate::ConnectorError;

/// Asks for one page of a walk.
#[derive(Debug, Clone)]
pub struct PageRequest {
    /// The channel to walk.
    pub channel: Channel,
    /// Where the last whole walk ended; `None` before the first, and when everything is walked again.
    pub watermark: Option<String>,
    /// Where this walk stands; `None` on its first page.
    pub cursor: Option<String>,
}

/// One page of a walk. All of it is stored together, or nothing.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Messages, in any order, seen before or not.
    pub messages: Vec<Message>,
    /// How many messages the whole walk is expected to bring, where the source knows.
    pub estimate: Option<u64>,
    /// Marks of single streams (a thread, a sweep) that move with this page.
    pub marks: Vec<Mark>,
    /// Messages that were seen in windows of this walk, those in `messages` included, whether they have
    /// changed or not.
    pub sightings: Vec<MessageId>,
    /// Windows that this walk has seen all of, this page included: what is stored in them and was not
    /// seen has been deleted on the platform.
    pub walked: Vec<Window>,
    /// How the walk goes on.
    pub next: Next,
}

impl Page {
    /// A page with messages and nothing else.
    #[must_use]
    pub const fn new(messages: Vec<Message>, next: Next) -> Self {
        Self {
            messages,
            estimate: None,
            marks: Vec::new(),
            sightings: Vec::new(),
            walked: Vec::new(),
            next,
        }
    }
}

/// How a walk goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// With the page at this cursor.
    Cursor(String),
    /// Not at all; the next walk begins at this watermark (`None`: at the beginning).
    End(Option<String>),
}

/// What is stored of a channel, for connectors whose platform tells changes only by comparison.
#[async_trait]
pub trait Known: Send + Sync {
    /// Where these streams stand, in the order asked for; at most 1,000 at a time.
    async fn marks(&self, streams: &[String]) -> Result<Vec<Option<String>>, ConnectorError>;
    /// Streams whose names begin so, in order of name, after a given one.
    async fn marks_under(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>, ConnectorError>;
    /// The newest live message of a stream, where there is one.
    async fn newest(&self, of: &Stream) -> Result<Option<(MessageId, Timestamp)>, ConnectorError>;
    /// Messages with these ids that are stored; at most 1,000 at a time, deleted ones included.
    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, ConnectorError>;
}

/// A source of messages.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// One page of a walk. Dropping the future stops the work.
    async fn page(&self, request: &PageRequest, known: &dyn Known) -> Result<Page, ConnectorError>;
    /// How many messages a walk from this watermark would bring, where that is known without a walk. Of what is
    /// new no platform tells how much it is.
    async fn estimate(
        &self,
        channel: &Channel,
        watermark: Option<&str>,
    ) -> Result<Option<u64>, ConnectorError> {
        match watermark {
            Some(_) => Ok(None),
            None => self.total(channel).await,
        }
    }
    /// How many messages a channel has, where that is known without a walk.
    async fn total(&self, _channel: &Channel) -> Result<Option<u64>, ConnectorError> {
        Ok(None)
    }
}
