//! What walks know of a channel.

use async_trait::async_trait;
use domain::{ChannelId, Message, MessageId, Timestamp, walk::Stream};

use crate::Result;

/// What is known of a channel by walks that compare.
#[async_trait]
pub trait Walks: Send + Sync + 'static {
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
