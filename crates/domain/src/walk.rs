//! What a walk through a channel finds out beside messages.

use crate::{MessageId, Timestamp};

/// Where one stream of a channel stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// The stream, in the connector's own words: `thread:1712345678.123456`.
    pub stream: String,
    /// Where it stands, in the connector's own words; `None` forgets the stream.
    pub mark: Option<String>,
}

/// A stretch of a channel's time, both ends included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Which messages of that time.
    pub of: Stream,
    /// Its first moment.
    pub from: Timestamp,
    /// Its last moment, before the walk began: what is sent meanwhile is not missing.
    pub to: Timestamp,
}

/// Messages that a platform lists together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stream {
    /// Those outside threads, and the first of each thread.
    TopLevel,
    /// The replies of the thread with this first message.
    Thread(MessageId),
    /// All of the channel.
    Everything,
}
