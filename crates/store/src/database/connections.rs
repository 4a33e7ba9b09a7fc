//! Connections to live platforms.

mod choice;
mod credentials;
mod removal;

use async_trait::async_trait;
use domain::{Channel, Connection, ConnectionId, ConnectionStatus, Job, Platform, SyncError};

use super::{
    Database, json,
    query::{Query, query},
    retried,
    row::{Columns as _, Row},
    session::Lane,
};
use crate::{
    Added, ConnectionChange, ConnectionSummary, Connections, Credentials, NewChannel,
    NewConnection, Plan, Result, Sealed,
};

#[async_trait]
impl Connections for Database {
    async fn vacant_connection(
        &self,
        platform: Platform,
        workspace: &str,
    ) -> Result<Option<ConnectionId>> {
        let mut reader = self.read().await?;
        let row = query(
            "SELECT connection_id FROM connections WHERE platform = $1 AND workspace = $2
                 AND NOT EXISTS (SELECT 1 FROM connection_credentials AS held
                     WHERE held.connection_id = connections.connection_id)",
        )
        .bind(platform.as_str())
        .bind(workspace)
        .fetch_optional(&mut reader)
        .await?;
        row.map(|row| row.parsed("connection_id")).transpose()
    }

    async fn add_connection(&self, new: &NewConnection) -> Result<Added> {
        retried!(self.try_add_connection(new))
    }

    async fn connections(
        &self,
        after: Option<&ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ConnectionSummary>> {
        let mut reader = self.read().await?;
        let rows = Query::built(format!(
            "{SUMMARY} WHERE deleted_at IS NULL AND connection_id > $1
             ORDER BY connection_id LIMIT $2"
        ))
        .bind(after.map_or("", ConnectionId::as_str))
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(summary).collect()
    }

    async fn connection_summary(&self, id: &ConnectionId) -> Result<Option<ConnectionSummary>> {
        let mut reader = self.read().await?;
        let row =
            Query::built(format!("{SUMMARY} WHERE deleted_at IS NULL AND connection_id = $1"))
                .bind(id.as_str())
                .fetch_optional(&mut reader)
                .await?;
        row.as_ref().map(summary).transpose()
    }

    async fn credentials(&self, id: &ConnectionId) -> Result<Option<Credentials>> {
        credentials::of(&mut self.read().await?, id).await
    }

    async fn change_connection(
        &self,
        id: &ConnectionId,
        change: &ConnectionChange,
    ) -> Result<Option<Connection>> {
        let mut write = self.begin(Lane::Durable).await?;
        let changed = credentials::change(&mut write, id, change).await?;
        write.commit().await?;
        Ok(changed)
    }

    async fn judge_credentials(
        &self,
        id: &ConnectionId,
        version: i64,
        error: Option<&SyncError>,
    ) -> Result<bool> {
        let mut write = self.begin(Lane::Work).await?;
        let outcome = query(
            "UPDATE connections SET error = $3
             WHERE connection_id = $1 AND credentials_version = $2 AND deleted_at IS NULL
                 AND error IS DISTINCT FROM $3",
        )
        .bind(id.as_str())
        .bind(version)
        .bind(error.map(json::encode).transpose()?)
        .execute(&mut write)
        .await?;
        write.commit().await?;
        Ok(outcome.rows_affected() == 1)
    }

    async fn disconnect(&self, id: &ConnectionId, error: &SyncError) -> Result<Option<Vec<Job>>> {
        retried!(self.try_end_connection(id, error, false))
    }

    async fn remove_connection(
        &self,
        id: &ConnectionId,
        error: &SyncError,
    ) -> Result<Option<Vec<Job>>> {
        retried!(self.try_end_connection(id, error, true))
    }

    async fn connection_channels(&self, id: &ConnectionId) -> Result<Vec<(Channel, bool)>> {
        choice::known(&mut self.read().await?, id).await
    }

    async fn choose_channels(
        &self,
        id: &ConnectionId,
        chosen: &[NewChannel],
        plan: Option<&Plan>,
    ) -> Result<Vec<Channel>> {
        self.choose(id, chosen, plan).await
    }

    async fn under_other_keys(
        &self,
        master_key: &str,
        limit: u32,
    ) -> Result<Vec<(ConnectionId, Platform, Sealed)>> {
        credentials::under_other_keys(&mut self.read().await?, master_key, limit).await
    }

    async fn rewrap(&self, id: &ConnectionId, old: &Sealed, new: &Sealed) -> Result<bool> {
        let mut write = self.begin(Lane::Durable).await?;
        let rewrapped = credentials::rewrap(&mut write, id, old, new).await?;
        write.commit().await?;
        Ok(rewrapped)
    }
}

impl Database {
    async fn try_add_connection(&self, new: &NewConnection) -> Result<Added> {
        let mut write = self.begin(Lane::Durable).await?;
        write.lock("workspace", &format!("{}:{}", new.platform, new.workspace)).await?;
        let added = credentials::add(&mut write, new).await?;
        write.commit().await?;
        Ok(added)
    }

    async fn try_end_connection(
        &self,
        id: &ConnectionId,
        error: &SyncError,
        remove: bool,
    ) -> Result<Option<Vec<Job>>> {
        let mut write = self.begin(Lane::Durable).await?;
        let ended = match removal::end(&mut write, id, remove).await? {
            true => Some(removal::end_jobs(&mut write, id, error).await?),
            false => None,
        };
        write.commit().await?;
        Ok(ended)
    }
}

const SUMMARY: &str = "SELECT connections.*,
     (SELECT COUNT(*) FROM channels WHERE channels.connection_id = connections.connection_id)
         AS channels,
     (SELECT MAX(last_sync) FROM channels WHERE channels.connection_id = connections.connection_id)
         AS last_sync
     FROM connections";

fn summary(row: &Row) -> Result<ConnectionSummary> {
    Ok(ConnectionSummary {
        connection: connection(row)?,
        channels: row.number("channels")?,
        last_sync: row.optional_time("last_sync")?,
    })
}

/// A connection as it is stored.
pub(super) fn connection(row: &Row) -> Result<Connection> {
    let error: Option<SyncError> =
        row.column::<Option<&str>>("error")?.map(|text| json::decode(text, "error")).transpose()?;
    let status = match (row.column("disconnected")?, &error) {
        (true, _) => ConnectionStatus::Disconnected,
        (false, Some(_)) => ConnectionStatus::Error,
        (false, None) => ConnectionStatus::Connected,
    };
    Ok(Connection {
        id: row.parsed("connection_id")?,
        name: row.column("name")?,
        platform: row.parsed("platform")?,
        workspace: row.column("workspace")?,
        base_url: row.column("base_url")?,
        status,
        error,
        created_at: row.time("created_at")?,
    })
}
