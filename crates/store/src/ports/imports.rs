//! Uploaded exports, and the messages they brought.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ChannelId, ClaimToken, ConnectionId, ImportId, Message, SyncError,
    import::{Import, ImportFormat, RowError},
};

use crate::Result;

/// An import as its reader holds it.
#[derive(Debug, Clone)]
pub struct ClaimedImport {
    /// The import.
    pub import: Import,
    /// The connection that the upload named.
    pub wanted_connection: Option<ConnectionId>,
    /// SHA-256 of the file.
    pub digest: String,
    /// What the upload says about its file, as it was sent.
    pub options: String,
    /// Proof of holding it.
    pub token: ClaimToken,
}

/// How reading an import ended.
#[derive(Debug, Clone)]
pub enum ImportEnd {
    /// Its messages are stored.
    Completed {
        /// The connection its channels belong to.
        connection: ConnectionId,
        /// The channels found in it.
        channels: Vec<ChannelId>,
        /// Messages read.
        rows: u64,
        /// What could not be read; at most [`domain::import::MAX_ROW_ERRORS`].
        row_errors: Vec<RowError>,
    },
    /// It could not be read.
    Failed(SyncError),
}

/// A page of imported messages.
#[derive(Debug, Clone, Default)]
pub struct ImportedPage {
    /// The messages, in order of arrival.
    pub messages: Vec<Message>,
    /// Place of the last one; the next page begins after it.
    pub last_seq: i64,
}

/// Uploaded exports: bytes come in, a reader claims them, messages come out.
#[async_trait]
pub trait Imports: Send + Sync + 'static {
    /// Begins an upload; not accepted before [`Imports::accept_import`].
    async fn begin_import(
        &self,
        id: &ImportId,
        format: ImportFormat,
        wanted: Option<&ConnectionId>,
        options: &str,
    ) -> Result<()>;
    /// Stores the `n`-th piece of an upload, from 0.
    async fn add_chunk(&self, id: &ImportId, n: i64, bytes: &[u8]) -> Result<()>;
    /// Accepts a finished upload: from here on it will be read, whatever dies.
    async fn accept_import(&self, id: &ImportId, digest: &str) -> Result<Option<Import>>;
    /// Removes an import and its bytes (not the messages it brought); `false` when unknown.
    async fn remove_import(&self, id: &ImportId) -> Result<bool>;
    /// An import.
    async fn import(&self, id: &ImportId) -> Result<Option<Import>>;
    /// Takes the oldest import that nobody reads, or whose reader has vanished. After three vanished
    /// readers it is failed instead.
    async fn claim_import(&self, lease: Duration) -> Result<Option<ClaimedImport>>;
    /// Prolongs the claim; `false` when it is lost.
    async fn renew_import(
        &self,
        id: &ImportId,
        token: &ClaimToken,
        lease: Duration,
    ) -> Result<bool>;
    /// The `n`-th piece of an upload; `None` after the last.
    async fn chunk(&self, id: &ImportId, n: i64) -> Result<Option<Vec<u8>>>;
    /// A completed import of the same bytes, read in the same way, into the same wanted connection, if
    /// there is one.
    async fn same_import(&self, claimed: &ClaimedImport) -> Result<Option<Import>>;
    /// Stores messages of a channel; only newer revisions replace, and only where something differs.
    /// `false` when the claim is lost: nothing was written.
    async fn add_imported(
        &self,
        id: &ImportId,
        token: &ClaimToken,
        channel: &ChannelId,
        messages: &[Message],
    ) -> Result<bool>;
    /// Ends the reading and drops the bytes; `false` when the claim is lost.
    async fn finish_import(
        &self,
        id: &ImportId,
        token: &ClaimToken,
        end: ImportEnd,
    ) -> Result<bool>;
    /// Imported messages of a channel after a place.
    async fn imported_after(
        &self,
        channel: &ChannelId,
        seq: i64,
        limit: u32,
    ) -> Result<ImportedPage>;
    /// How many imported messages of a channel come after a place.
    async fn count_imported_after(&self, channel: &ChannelId, seq: i64) -> Result<u64>;
}
