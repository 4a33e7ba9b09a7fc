//! What a walk begins with.

use std::collections::HashMap;

use domain::{ChannelId, Timestamp};

use crate::{
    LiveWalk, Result, WalkStart,
    database::{
        Session,
        channels::channel,
        json,
        query::query,
        row::{Columns as _, Row},
    },
};

/// How far back it is looked for how much people write, in microseconds.
const RECENT: i64 = 7 * 24 * 60 * 60 * 1_000_000;

/// Of channels, in order.
pub(in crate::database) async fn starts(
    connection: &mut Session,
    channels: &[ChannelId],
) -> Result<Vec<Option<WalkStart>>> {
    let rows = query(
        "SELECT channel_id, connection_id, platform, external_id, channels.name AS name, topic,
             last_sync, sync_enabled, watermark, live_watermark,
             EXISTS (SELECT 1 FROM pending_messages AS pending
                 WHERE pending.channel_id = channels.channel_id) AS any_pending,
             CASE WHEN sync_enabled = TRUE THEN (SELECT COUNT(*) FROM messages
                 WHERE messages.channel_id = channels.channel_id AND deleted_at IS NULL
                     AND sent_at > last_sync - $2 AND sent_at <= last_sync) ELSE 0 END AS recent,
             (sync_enabled = FALSE AND credentials_version > 0 AND NOT EXISTS (
                 SELECT 1 FROM imported_messages AS imported
                 WHERE imported.channel_id = channels.channel_id)) AS not_chosen
         FROM channels JOIN connections USING (connection_id)
         WHERE channel_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(json::encode(channels)?)
    .bind(RECENT)
    .fetch_all(connection)
    .await?;
    // Asked for only by what is expected of a platform.
    let walked = rows.iter().map(|row| row.column("sync_enabled"));
    let now = match walked.collect::<Result<Vec<bool>>>()?.contains(&true) {
        true => connection.now().await?,
        false => Timestamp::default(),
    };
    let starts = rows
        .iter()
        .map(|row| start(row, now).map(|start| (start.channel.id.clone(), start)))
        .collect::<Result<HashMap<ChannelId, WalkStart>>>()?;
    Ok(channels.iter().map(|id| starts.get(id).cloned()).collect())
}

fn start(row: &Row, now: Timestamp) -> Result<WalkStart> {
    let live = match row.column("sync_enabled")? {
        true => Some(live_walk(row, now)?),
        false => None,
    };
    Ok(WalkStart {
        channel: channel(row)?,
        watermark: row.column("watermark")?,
        live,
        not_chosen: row.column("not_chosen")?,
        any_pending: row.column("any_pending")?,
    })
}

fn live_walk(row: &Row, now: Timestamp) -> Result<LiveWalk> {
    let watermark: Option<String> = row.column("live_watermark")?;
    let last_sync = row.optional_time("last_sync")?.filter(|_| watermark.is_some());
    let recent: u64 = row.number("recent")?;
    Ok(LiveWalk { watermark, expected: last_sync.map(|last| expected(recent, last, now)) })
}

fn expected(recent: u64, last_sync: Timestamp, now: Timestamp) -> u64 {
    let passed = u64::try_from(now.micros() - last_sync.micros()).unwrap_or(0);
    let messages = u128::from(recent) * u128::from(passed) / u128::from(RECENT.unsigned_abs());
    u64::try_from(messages).unwrap_or(u64::MAX)
}
