//! Channels and connections.

mod erase;

use async_trait::async_trait;
use domain::{Channel, ChannelId, Connection, ConnectionId, JobId, Platform};

use super::{
    Database, Session,
    connections::connection,
    query::{Query, query},
    row::{Columns as _, Row},
    session::Lane,
};
use crate::{ChannelSummary, Channels, NewChannel, Result, Totals};

#[async_trait]
impl Channels for Database {
    async fn ensure_connection(
        &self,
        wanted: Option<&ConnectionId>,
        platform: Platform,
        workspace: &str,
        name: &str,
    ) -> Result<Option<Connection>> {
        if let Some(id) = wanted {
            return self.connection(id).await;
        }
        let mut write = self.begin(Lane::Work).await?;
        let now = write.now().await?;
        query(
            // One that was removed comes back with what is imported of its workspace.
            "INSERT INTO connections (connection_id, name, platform, workspace, created_at)
             VALUES ($1, $2, $3, $4, $5) ON CONFLICT (platform, workspace) DO UPDATE SET
                 deleted_at = NULL WHERE connections.deleted_at IS NOT NULL",
        )
        .bind(ConnectionId::random().as_str())
        .bind(name)
        .bind(platform.as_str())
        .bind(workspace)
        .bind(now.micros())
        .execute(&mut write)
        .await?;
        let row = query("SELECT * FROM connections WHERE platform = $1 AND workspace = $2")
            .bind(platform.as_str())
            .bind(workspace)
            .fetch_one(&mut write)
            .await?;
        write.commit().await?;
        connection(&row).map(Some)
    }

    async fn register_channels(
        &self,
        connection: &ConnectionId,
        channels: &[NewChannel],
    ) -> Result<Vec<Channel>> {
        let mut write = self.begin(Lane::Work).await?;
        let mut registered = Vec::with_capacity(channels.len());
        for new in channels {
            register(&mut write, connection, new).await?;
            let sql = format!("{CHANNEL} WHERE connection_id = $1 AND external_id = $2");
            let row = Query::built(sql)
                .bind(connection.as_str())
                .bind(&new.external_id)
                .fetch_one(&mut write)
                .await?;
            registered.push(channel(&row)?);
        }
        write.commit().await?;
        Ok(registered)
    }

    async fn connection(&self, id: &ConnectionId) -> Result<Option<Connection>> {
        let mut reader = self.read().await?;
        let row =
            query("SELECT * FROM connections WHERE connection_id = $1 AND deleted_at IS NULL")
                .bind(id.as_str())
                .fetch_optional(&mut reader)
                .await?;
        row.as_ref().map(connection).transpose()
    }

    async fn channel(&self, id: &ChannelId) -> Result<Option<Channel>> {
        let mut reader = self.read().await?;
        let row = Query::built(format!("{CHANNEL} WHERE channel_id = $1"))
            .bind(id.as_str())
            .fetch_optional(&mut reader)
            .await?;
        row.as_ref().map(channel).transpose()
    }

    async fn channel_summary(&self, id: &ChannelId) -> Result<Option<ChannelSummary>> {
        let mut reader = self.read().await?;
        let sql =
            format!("SELECT channel.*, {COUNTS} FROM ({CHANNEL} WHERE channel_id = $1) AS channel");
        let row = Query::built(sql).bind(id.as_str()).fetch_optional(&mut reader).await?;
        row.as_ref().map(summary).transpose()
    }

    async fn channels(&self, after: Option<&ChannelId>, limit: u32) -> Result<Vec<ChannelSummary>> {
        let mut reader = self.read().await?;
        let sql = format!(
            "SELECT channel.*, {COUNTS} FROM ({CHANNEL} WHERE channel_id > $1
                 ORDER BY channel_id LIMIT $2) AS channel ORDER BY channel_id"
        );
        let rows = Query::built(sql)
            .bind(after.map_or("", ChannelId::as_str))
            .bind(limit)
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(summary).collect()
    }

    async fn erase_channel(&self, id: &ChannelId) -> Result<std::result::Result<(), JobId>> {
        let mut write = self.begin(Lane::Durable).await?;
        write.lock("channel", id.as_str()).await?;
        if let Some(active) = erase::active_job(&mut write, id).await? {
            return Ok(Err(active));
        }
        erase::erase(&mut write, id).await?;
        write.commit().await?;
        Ok(Ok(()))
    }

    async fn totals(&self) -> Result<Totals> {
        let mut reader = self.read().await?;
        let row = query(
            "SELECT (SELECT COUNT(*) FROM channels) AS channels,
                 (SELECT COUNT(*) FROM messages WHERE deleted_at IS NULL) AS messages,
                 (SELECT COUNT(*) FROM facts) AS facts,
                 (SELECT COUNT(*) FROM entities) AS entities,
                 (SELECT COUNT(*) FROM relationships) AS relationships,
                 (SELECT COUNT(*) FROM wiki_pages WHERE removed = FALSE) AS pages,
                 (SELECT COUNT(*) FROM jobs WHERE status IN ('queued', 'running')) AS active_jobs",
        )
        .fetch_one(&mut reader)
        .await?;
        Ok(Totals {
            channels: row.number("channels")?,
            messages: row.number("messages")?,
            facts: row.number("facts")?,
            entities: row.number("entities")?,
            relationships: row.number("relationships")?,
            pages: row.number("pages")?,
            active_jobs: row.number("active_jobs")?,
        })
    }
}

/// Channels, each with its connection's part.
pub(super) const CHANNEL: &str =
    "SELECT channel_id, connection_id, platform, external_id, channels.name AS name,
     topic, last_sync, sync_enabled,
     (deleted_at IS NULL AND disconnected = FALSE AND error IS NULL) AS connected
     FROM channels JOIN connections USING (connection_id)";

const COUNTS: &str = "
     (SELECT COUNT(*) FROM messages WHERE messages.channel_id = channel.channel_id
         AND deleted_at IS NULL) AS messages,
     (SELECT COUNT(*) FROM facts WHERE facts.channel_id = channel.channel_id) AS facts,
     (SELECT COUNT(DISTINCT entity_id) FROM entity_mentions
         WHERE entity_mentions.channel_id = channel.channel_id) AS entities,
     (SELECT COUNT(*) FROM wiki_pages WHERE wiki_pages.channel_id = channel.channel_id
         AND removed = FALSE) AS pages";

/// Adds a channel, or updates what is told of it. Its id is the platform's while no other has it.
async fn register(write: &mut Session, connection: &ConnectionId, new: &NewChannel) -> Result<()> {
    let taken = query(
        "SELECT 1 FROM channels WHERE channel_id = $1
             AND NOT (connection_id = $2 AND external_id = $1)",
    )
    .bind(&new.external_id)
    .bind(connection.as_str())
    .fetch_optional(&mut *write)
    .await?;
    let id = match taken {
        None => new.external_id.clone(),
        Some(_) => format!("{connection}~{}", new.external_id),
    };
    query(
        "INSERT INTO channels (channel_id, connection_id, external_id, name, topic)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (connection_id, external_id) DO UPDATE SET name = excluded.name,
             topic = excluded.topic
         WHERE channels.name <> excluded.name OR channels.topic <> excluded.topic",
    )
    .bind(id)
    .bind(connection.as_str())
    .bind(&new.external_id)
    .bind(&new.name)
    .bind(&new.topic)
    .execute(write)
    .await?;
    Ok(())
}

/// A channel as it is stored.
pub(super) fn channel(row: &Row) -> Result<Channel> {
    Ok(Channel {
        id: row.id("channel_id")?,
        connection_id: row.parsed("connection_id")?,
        platform: row.parsed("platform")?,
        external_id: row.column("external_id")?,
        name: row.column("name")?,
        topic: row.column("topic")?,
        last_sync: row.optional_time("last_sync")?,
    })
}

fn summary(row: &Row) -> Result<ChannelSummary> {
    Ok(ChannelSummary {
        channel: channel(row)?,
        connected: row.column("connected")?,
        messages: row.number("messages")?,
        facts: row.number("facts")?,
        entities: row.number("entities")?,
        pages: row.number("pages")?,
    })
}
