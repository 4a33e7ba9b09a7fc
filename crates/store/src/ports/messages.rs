//! Messages, and the conversations they make.

use async_trait::async_trait;
use domain::{
    ChannelId, Message, MessageId, Timestamp, UnitId, batch::Seed, conversation::Conversation,
};

use crate::Result;

/// The units that a batch touches, as they are now.
#[derive(Debug, Clone, Default)]
pub struct TouchedUnits {
    /// The channel's `change_seq` when they were read.
    pub as_of: i64,
    /// The units, by id.
    pub units: Vec<TouchedUnit>,
    /// Units whose messages belong to others now.
    pub retired: Vec<UnitId>,
}

/// A conversation as it is now, and what was last made of it.
#[derive(Debug, Clone)]
pub struct TouchedUnit {
    /// The conversation.
    pub conversation: Conversation,
    /// Digest of all messages in it, context included.
    pub digest: String,
    /// The input hash with which it was last extracted.
    pub input_hash: Option<String>,
}

/// Messages and conversations.
#[async_trait]
pub trait Messages: Send + Sync + 'static {
    /// Messages of a channel, newest first, before a place.
    async fn messages(
        &self,
        channel: &ChannelId,
        before: Option<(Timestamp, MessageId)>,
        limit: u32,
    ) -> Result<Vec<Message>>;
    /// A message; deleted ones are gone.
    async fn message(&self, channel: &ChannelId, id: &MessageId) -> Result<Option<Message>>;
    /// The conversations that changed messages belong to or border on.
    async fn touched_units(&self, channel: &ChannelId, seeds: &[Seed]) -> Result<TouchedUnits>;
}
