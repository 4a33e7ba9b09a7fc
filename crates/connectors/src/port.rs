//! The trait of the port.

use async_trait::async_trait;
use domain::{Channel, Message};

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

/// One page of a walk.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Messages, in any order, seen before or not.
    pub messages: Vec<Message>,
    /// How many messages the whole walk is expected to bring, where the source knows.
    pub estimate: Option<u64>,
    /// How the walk goes on.
    pub next: Next,
}

/// How a walk goes on after a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// With the page at this cursor.
    Cursor(String),
    /// Not at all; the next walk begins at this watermark (`None`: at the beginning).
    End(Option<String>),
}

/// A source of messages.
#[async_trait]
pub trait Connector: Send + Sync + 'static {
    /// One page of a walk. Dropping the future stops the work.
    async fn page(&self, request: &PageRequest) -> Result<Page, ConnectorError>;
    /// How many messages a walk from this watermark would bring, where that is known without a walk.
    async fn estimate(
        &self,
        channel: &Channel,
        watermark: Option<&str>,
    ) -> Result<Option<u64>, ConnectorError>;
}
