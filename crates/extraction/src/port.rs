//! The trait of the port.

use async_trait::async_trait;
use domain::{Classify, ErrorCode, Retry, SyncError, conversation::Conversation, fact::Extraction};
use tokio_util::sync::CancellationToken;

/// What can go wrong with an extraction.
#[derive(Debug, thiserror::Error)]
pub enum ExtractionError {
    /// It was told to stop.
    #[error("the extraction was stopped")]
    Stopped,
    /// The extractor itself failed; a defect of ours.
    #[error("the extractor failed: {0}")]
    Failed(String),
}

impl Classify for ExtractionError {
    fn sync_error(&self) -> SyncError {
        SyncError::new(ErrorCode::InternalError, self.to_string())
    }

    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

/// Finds out what conversations teach.
#[async_trait]
pub trait Extractor: Send + Sync + 'static {
    /// Names the extractor and all that its answers depend on besides the conversation: a new version
    /// means that everything is to be extracted again.
    fn version(&self) -> &str;
    /// What each conversation teaches, in their order. Long computations run off the async threads
    /// and look at `stop` at least every 50 ms.
    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError>;
}
