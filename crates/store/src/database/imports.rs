//! Uploaded exports, and the messages they brought.

mod pages;
mod reading;
mod rows;

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ChannelId, ClaimToken, ConnectionId, ImportId, Message,
    import::{Import, ImportFormat},
};

use futures_util::FutureExt as _;

use super::{Database, query::query, row::Columns as _, session::Lane};
use crate::{ClaimedImport, ImportEnd, ImportedPage, Imports, Result};

use self::pages::After;
pub(super) use self::{pages::After as ImportedAfter, reading::take_back};

#[async_trait]
impl Imports for Database {
    async fn begin_import(
        &self,
        id: &ImportId,
        format: ImportFormat,
        wanted: Option<&ConnectionId>,
        options: &str,
    ) -> Result<()> {
        let mut write = self.begin(Lane::Work).await?;
        let now = write.now().await?;
        query(
            "INSERT INTO imports (import_id, format, status, wanted_connection, created_at, options)
             VALUES ($1, $2, 'uploading', $3, $4, $5)",
        )
        .bind(id.as_str())
        .bind(format.as_str())
        .bind(wanted.map(ConnectionId::as_str))
        .bind(now.micros())
        .bind(options)
        .execute(&mut write)
        .await?;
        Ok(write.commit().await?)
    }

    async fn add_chunk(&self, id: &ImportId, n: i64, bytes: &[u8]) -> Result<()> {
        let mut write = self.begin(Lane::Work).await?;
        query("INSERT INTO import_chunks (import_id, n, bytes) VALUES ($1, $2, $3)")
            .bind(id.as_str())
            .bind(n)
            .bind(bytes)
            .execute(&mut write)
            .await?;
        Ok(write.commit().await?)
    }

    async fn accept_import(&self, id: &ImportId, digest: &str) -> Result<Option<Import>> {
        let mut write = self.begin(Lane::Durable).await?;
        let row = query(
            "UPDATE imports SET status = 'queued', digest = $2
             WHERE import_id = $1 AND status = 'uploading' RETURNING *",
        )
        .bind(id.as_str())
        .bind(digest)
        .fetch_optional(&mut write)
        .await?;
        write.commit().await?;
        row.as_ref().map(rows::import).transpose()
    }

    async fn remove_import(&self, id: &ImportId) -> Result<bool> {
        let mut write = self.begin(Lane::Work).await?;
        let outcome = query("DELETE FROM imports WHERE import_id = $1")
            .bind(id.as_str())
            .execute(&mut write)
            .await?;
        write.commit().await?;
        Ok(outcome.rows_affected() == 1)
    }

    async fn import(&self, id: &ImportId) -> Result<Option<Import>> {
        let mut reader = self.read().await?;
        let row = query("SELECT * FROM imports WHERE import_id = $1")
            .bind(id.as_str())
            .fetch_optional(&mut reader)
            .await?;
        row.as_ref().map(rows::import).transpose()
    }

    async fn claim_import(&self, lease: Duration) -> Result<Option<ClaimedImport>> {
        let mut write = self.begin(Lane::Work).await?;
        write.lock("imports", "").await?;
        let now = write.now().await?;
        let claimed = reading::claim(&mut write, now, lease).await?;
        write.commit().await?;
        Ok(claimed)
    }

    async fn renew_import(
        &self,
        id: &ImportId,
        token: &ClaimToken,
        lease: Duration,
    ) -> Result<bool> {
        let mut write = self.begin(Lane::Beat).await?;
        let now = write.now().await?;
        let outcome =
            query("UPDATE imports SET lease_until = $3 WHERE import_id = $1 AND claim_token = $2")
                .bind(id.as_str())
                .bind(token.as_str())
                .bind(now.plus(lease).micros())
                .execute(&mut write)
                .await?;
        write.commit().await?;
        Ok(outcome.rows_affected() == 1)
    }

    async fn chunk(&self, id: &ImportId, n: i64) -> Result<Option<Vec<u8>>> {
        let mut reader = self.read().await?;
        let row = query("SELECT bytes FROM import_chunks WHERE import_id = $1 AND n = $2")
            .bind(id.as_str())
            .bind(n)
            .fetch_optional(&mut reader)
            .await?;
        row.map(|row| row.column("bytes")).transpose()
    }

    async fn same_import(&self, claimed: &ClaimedImport) -> Result<Option<Import>> {
        let mut reader = self.read().await?;
        let row = query(
            "SELECT * FROM imports WHERE digest = $1 AND wanted_connection IS NOT DISTINCT FROM $2
                 AND status = 'completed' AND import_id <> $3 AND format = $4 AND options = $5
             ORDER BY created_at DESC LIMIT 1",
        )
        .bind(&claimed.digest)
        .bind(claimed.wanted_connection.as_ref().map(ConnectionId::as_str))
        .bind(claimed.import.id.as_str())
        .bind(claimed.import.format.as_str())
        .bind(&claimed.options)
        .fetch_optional(&mut reader)
        .await?;
        row.as_ref().map(rows::import).transpose()
    }

    async fn add_imported(
        &self,
        id: &ImportId,
        token: &ClaimToken,
        channel: &ChannelId,
        messages: &[Message],
    ) -> Result<bool> {
        let mut write = self.begin(Lane::Work).await?;
        if !reading::holds(&mut write, id, token).await? {
            return Ok(false);
        }
        rows::upsert(&mut write, channel, messages).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn finish_import(
        &self,
        id: &ImportId,
        token: &ClaimToken,
        end: ImportEnd,
    ) -> Result<bool> {
        let mut write = self.begin(Lane::Durable).await?;
        if !reading::holds(&mut write, id, token).await? {
            return Ok(false);
        }
        reading::finish(&mut write, id, &end).await?;
        write.commit().await?;
        Ok(true)
    }

    async fn imported_after(
        &self,
        channel: &ChannelId,
        seq: i64,
        limit: u32,
    ) -> Result<ImportedPage> {
        let after = After { channel_id: channel.clone(), seq };
        self.together(&self.shared.gatherings.imported, (after, limit), |database, asked| {
            async { pages::after(&mut database.read().await?, asked).await }.boxed()
        })
        .await
    }

    async fn count_imported_after(&self, channel: &ChannelId, seq: i64) -> Result<u64> {
        let after = After { channel_id: channel.clone(), seq };
        self.together(&self.shared.gatherings.imported_counts, after, |database, asked| {
            async { pages::count(&mut database.read().await?, asked).await }.boxed()
        })
        .await
    }
}
