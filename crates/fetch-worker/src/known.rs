//! What the store knows of a channel, as connectors ask for it.

use std::sync::Arc;

use async_trait::async_trait;
use connectors::{ConnectorError, Known, Stream};
use domain::{ChannelId, Message, MessageId, Timestamp};
use store::{Store, StoreError};
use tracing::warn;

/// A channel in the store.
pub(crate) struct StoredChannel {
    store: Arc<dyn Store>,
    channel: ChannelId,
}

impl StoredChannel {
    pub(crate) fn new(store: Arc<dyn Store>, channel: ChannelId) -> Self {
        Self { store, channel }
    }
}

fn unavailable(error: StoreError) -> ConnectorError {
    warn!(%error, "what is known of the channel cannot be read");
    ConnectorError::Unavailable
}

#[async_trait]
impl Known for StoredChannel {
    async fn marks(&self, streams: &[String]) -> Result<Vec<Option<String>>, ConnectorError> {
        self.store.marks(&self.channel, streams).await.map_err(unavailable)
    }

    async fn marks_under(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>, ConnectorError> {
        let marks = self.store.marks_under(&self.channel, prefix, after, limit).await;
        marks.map_err(unavailable)
    }

    async fn newest(&self, of: &Stream) -> Result<Option<(MessageId, Timestamp)>, ConnectorError> {
        self.store.newest_of(&self.channel, of).await.map_err(unavailable)
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, ConnectorError> {
        self.store.messages_by_id(&self.channel, ids).await.map_err(unavailable)
    }
}
