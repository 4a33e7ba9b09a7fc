//! Channels and connections.

use async_trait::async_trait;
use domain::{Channel, ChannelId, Connection, ConnectionId, Platform};

use crate::Result;

/// A channel with what there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChannelSummary {
    /// The channel.
    pub channel: Channel,
    /// Whether its connection is there and nothing is known against it.
    pub connected: bool,
    /// Messages stored, deleted ones excluded.
    pub messages: u64,
    /// Facts stored.
    pub facts: u64,
    /// Entities that occur in it.
    pub entities: u64,
    /// Wiki pages.
    pub pages: u64,
}

/// What a source tells about one of its channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewChannel {
    /// The platform's id of it.
    pub external_id: String,
    /// Its name, without `#`.
    pub name: String,
    /// What it is about.
    pub topic: String,
}

/// Totals over everything.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Totals {
    /// Channels known.
    pub channels: u64,
    /// Messages stored.
    pub messages: u64,
    /// Facts stored.
    pub facts: u64,
    /// Entities.
    pub entities: u64,
    /// Relationships.
    pub relationships: u64,
    /// Wiki pages.
    pub pages: u64,
    /// Jobs that have not ended.
    pub active_jobs: u64,
}

/// Channels and connections.
#[async_trait]
pub trait Channels: Send + Sync + 'static {
    /// The connection of a workspace, made when there is none; a given id names an existing one.
    /// `None` when that does not exist.
    async fn ensure_connection(
        &self,
        wanted: Option<&ConnectionId>,
        platform: Platform,
        workspace: &str,
        name: &str,
    ) -> Result<Option<Connection>>;
    /// Registers channels of a connection, or updates their names; answers with them in order.
    async fn register_channels(
        &self,
        connection: &ConnectionId,
        channels: &[NewChannel],
    ) -> Result<Vec<Channel>>;
    /// A connection.
    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>>;
    /// A channel.
    async fn channel(&self, id: &ChannelId) -> Result<Option<Channel>>;
    /// A channel with its counts.
    async fn channel_summary(&self, id: &ChannelId) -> Result<Option<ChannelSummary>>;
    /// Channels by id, from after a given one.
    async fn channels(&self, after: Option<&ChannelId>, limit: u32) -> Result<Vec<ChannelSummary>>;
    /// Removes all that was stored and made of a channel, and its watermark; the channel stays, and
    /// so does what was imported of it. `Err(job)` while a job of it is active.
    async fn erase_channel(&self, id: &ChannelId)
    -> Result<std::result::Result<(), domain::JobId>>;
    /// Totals over everything.
    async fn totals(&self) -> Result<Totals>;
}
