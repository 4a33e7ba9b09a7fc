//! Channels of live platforms as a source to walk.

use std::sync::Arc;

use async_trait::async_trait;
use connectors::{Connector, ConnectorError, Known, Page, PageRequest};
use domain::{Channel, Classify as _, ErrorCode};

use crate::Accounts;

/// Walks each channel through the account of its connection.
pub struct LiveChannels {
    accounts: Arc<Accounts>,
}

impl LiveChannels {
    /// A source that opens these accounts.
    #[must_use]
    pub fn new(accounts: Arc<Accounts>) -> Self {
        Self { accounts }
    }
}

#[async_trait]
impl Connector for LiveChannels {
    /// A refusal of the credentials is noted with their connection.
    async fn page(&self, request: &PageRequest, known: &dyn Known) -> Result<Page, ConnectorError> {
        let id = &request.channel.connection_id;
        let open = self.accounts.open(id).await?;
        let page = open.account.page(request, known).await;
        if let Err(error) = &page
            && error.sync_error().code == ErrorCode::AuthError
        {
            self.accounts.judge(id, open.version, Some(error)).await?;
        }
        page
    }

    async fn estimate(
        &self,
        channel: &Channel,
        watermark: Option<&str>,
    ) -> Result<Option<u64>, ConnectorError> {
        let open = self.accounts.open(&channel.connection_id).await?;
        open.account.estimate(channel, watermark).await
    }
}
