//! The channels of a connection whose platform is walked.

use std::collections::HashMap;

use domain::{Channel, ChannelId, ConnectionId, Timestamp};

use crate::{
    Channels as _, LiveWalk, NewChannel, Plan, Result,
    database::{
        Database, Session,
        channels::{CHANNEL, channel},
        json,
        query::{Query, query},
        row::Columns as _,
        session::Lane,
    },
};

/// Channels that are registered in one transaction.
const AT_ONCE: usize = 200;

/// How far back it is looked for how much people write, in microseconds.
const RECENT: i64 = 7 * 24 * 60 * 60 * 1_000_000;

pub(super) async fn known(
    connection: &mut Session,
    id: &ConnectionId,
) -> Result<Vec<(Channel, bool)>> {
    let rows = Query::built(format!("{CHANNEL} WHERE connection_id = $1 ORDER BY external_id"))
        .bind(id.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((channel(row)?, row.column("sync_enabled")?))).collect()
}

/// Where a channel's messages can come from.
pub(in crate::database) enum Source {
    /// From its platform, or from what was imported.
    Known,
    /// From the platform of this connection only, which is not walked.
    NotChosen(ConnectionId),
}

/// `None` when there is no such channel. A connection that never had credentials is one of imports.
pub(in crate::database) async fn source(
    connection: &mut Session,
    id: &ChannelId,
) -> Result<Option<Source>> {
    let row = query(
        "SELECT connection_id, (sync_enabled = FALSE AND credentials_version > 0
             AND NOT EXISTS (SELECT 1 FROM imported_messages WHERE channel_id = $1)) AS not_chosen
         FROM channels JOIN connections USING (connection_id) WHERE channel_id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(match row.column("not_chosen")? {
        true => Source::NotChosen(row.parsed("connection_id")?),
        false => Source::Known,
    }))
}

pub(super) async fn live_walk(
    connection: &mut Session,
    id: &ChannelId,
) -> Result<Option<LiveWalk>> {
    let now = connection.now().await?;
    let row = query(
        "SELECT live_watermark, last_sync, (SELECT COUNT(*) FROM messages
             WHERE messages.channel_id = channels.channel_id AND deleted_at IS NULL
                 AND sent_at > last_sync - $2 AND sent_at <= last_sync) AS recent
         FROM channels WHERE channel_id = $1 AND sync_enabled = TRUE",
    )
    .bind(id.as_str())
    .bind(RECENT)
    .fetch_optional(connection)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let watermark: Option<String> = row.column("live_watermark")?;
    let last_sync = row.optional_time("last_sync")?.filter(|_| watermark.is_some());
    let recent: u64 = row.number("recent")?;
    Ok(Some(LiveWalk { watermark, expected: last_sync.map(|last| expected(recent, last, now)) }))
}

fn expected(recent: u64, last_sync: Timestamp, now: Timestamp) -> u64 {
    let passed = u64::try_from(now.micros() - last_sync.micros()).unwrap_or(0);
    let messages = u128::from(recent) * u128::from(passed) / u128::from(RECENT.unsigned_abs());
    u64::try_from(messages).unwrap_or(u64::MAX)
}

impl Database {
    pub(super) async fn choose(
        &self,
        id: &ConnectionId,
        chosen: &[NewChannel],
        plan: Option<&Plan>,
    ) -> Result<Vec<Channel>> {
        for some in chosen.chunks(AT_ONCE) {
            self.register_channels(id, some).await?;
        }
        let mut write = self.begin(Lane::Durable).await?;
        let wanted: Vec<_> = chosen.iter().map(|channel| &channel.external_id).collect();
        mark(&mut write, id, &json::encode(&wanted)?).await?;
        if let Some(plan) = plan {
            schedule(&mut write, id, plan).await?;
        }
        let known = known(&mut write, id).await?;
        write.commit().await?;
        let mut known: HashMap<String, Channel> =
            known.into_iter().map(|(channel, _)| (channel.external_id.clone(), channel)).collect();
        Ok(chosen.iter().filter_map(|channel| known.remove(&channel.external_id)).collect())
    }
}

async fn mark(write: &mut Session, id: &ConnectionId, wanted: &str) -> Result<()> {
    for statement in [
        "DELETE FROM schedules WHERE channel_id IN (SELECT channel_id FROM channels
             WHERE connection_id = $1 AND sync_enabled = TRUE
                 AND external_id NOT IN (SELECT atom FROM json_each($2)))",
        "UPDATE channels SET sync_enabled = (external_id IN (SELECT atom FROM json_each($2)))
         WHERE connection_id = $1
             AND sync_enabled <> (external_id IN (SELECT atom FROM json_each($2)))",
    ] {
        query(statement).bind(id.as_str()).bind(wanted).execute(&mut *write).await?;
    }
    Ok(())
}

async fn schedule(write: &mut Session, id: &ConnectionId, plan: &Plan) -> Result<()> {
    query(
        "INSERT INTO schedules (channel_id, expression, timezone, enabled, next_sync)
         SELECT channel_id, $2, $3, TRUE, $4 FROM channels
         WHERE connection_id = $1 AND sync_enabled = TRUE
         ON CONFLICT (channel_id) DO UPDATE SET expression = excluded.expression,
             timezone = excluded.timezone, enabled = excluded.enabled,
             next_sync = excluded.next_sync",
    )
    .bind(id.as_str())
    .bind(&plan.expression)
    .bind(&plan.timezone)
    .bind(plan.next_sync.map(Timestamp::micros))
    .execute(write)
    .await?;
    Ok(())
}
