//! Imported messages as a source to walk.

use std::sync::Arc;

use async_trait::async_trait;
use connectors::{Connector, ConnectorError, Known, Next, Page, PageRequest};
use domain::Channel;
use store::{Store, StoreError};
use tracing::warn;

/// Messages of one page: large enough to cost little, small enough for a short transaction.
const PAGE: u32 = 500;

/// Walks imported messages in order of arrival; the mark is the place of the last one seen.
pub struct ImportedChannel {
    store: Arc<dyn Store>,
}

impl ImportedChannel {
    /// A source that reads from this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

fn place(mark: Option<&str>) -> Result<i64, ConnectorError> {
    mark.map_or(Ok(0), |mark| mark.parse().map_err(|_| ConnectorError::InvalidMark))
}

fn unavailable(error: StoreError) -> ConnectorError {
    warn!(%error, "imported messages cannot be read");
    ConnectorError::Unavailable
}

#[async_trait]
impl Connector for ImportedChannel {
    async fn page(
        &self,
        request: &PageRequest,
        _known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let channel = &request.channel.id;
        let watermark = request.watermark.as_deref();
        let from = place(request.cursor.as_deref().or(watermark))?;
        let page = self.store.imported_after(channel, from, PAGE).await.map_err(unavailable)?;
        let is_last = page.messages.len() < PAGE as usize;
        // Counted once, on the first page.
        let estimate = match request.cursor {
            None if is_last => Some(page.messages.len() as u64),
            None => self.estimate(&request.channel, watermark).await?,
            Some(_) => None,
        };
        let mark = page.last_seq.to_string();
        let next = match is_last {
            true => Next::End((page.last_seq > 0).then_some(mark)),
            false => Next::Cursor(mark),
        };
        Ok(Page { estimate, ..Page::new(page.messages, next) })
    }

    async fn estimate(
        &self,
        channel: &Channel,
        watermark: Option<&str>,
    ) -> Result<Option<u64>, ConnectorError> {
        let from = place(watermark)?;
        let count = self.store.count_imported_after(&channel.id, from).await;
        count.map(Some).map_err(unavailable)
    }
}
