//! What walks know of a channel.

use async_trait::async_trait;
use domain::{Channel, ChannelId, Message, MessageId, Timestamp, walk::Stream};

use crate::Result;

/// What a walk of a channel begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WalkStart {
    /// The channel.
    pub channel: Channel,
    /// Where the next walk of what was imported begins; `None` at the beginning.
    pub watermark: Option<String>,
    /// How far the platform has been walked; `None` when it is not walked at all.
    pub live: Option<LiveWalk>,
    /// Whether its messages could only come from its platform, which is not walked.
    pub not_chosen: bool,
    /// Whether messages are pending: changed, and not through the graph yet.
    pub any_pending: bool,
}

/// How far the platform has been walked.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveWalk {
    /// Where the next walk begins; `None` at the beginning.
    pub watermark: Option<String>,
    /// How many messages a sync would bring if people write as they did before the last one.
    pub expected: Option<u64>,
}

/// What is known of a channel by walks that compare.
#[async_trait]
pub trait Walks: Send + Sync + 'static {
    /// What a walk of a channel begins with; `None` for an unknown one.
    async fn walk_start(&self, channel: &ChannelId) -> Result<Option<WalkStart>>;
    /// Where these streams stand, in the order asked for.
    async fn marks(&self, channel: &ChannelId, streams: &[String]) -> Result<Vec<Option<String>>>;
    /// Streams whose names begin so, in order of name, after a given one.
    async fn marks_under(
        &self,
        channel: &ChannelId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>>;
    /// The newest live message of a stream.
    async fn newest_of(
        &self,
        channel: &ChannelId,
        of: &Stream,
    ) -> Result<Option<(MessageId, Timestamp)>>;
    /// Messages with these ids, deleted ones included.
    async fn messages_by_id(&self, channel: &ChannelId, ids: &[MessageId]) -> Result<Vec<Message>>;
}
