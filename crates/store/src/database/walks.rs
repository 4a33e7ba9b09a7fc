//! Marks of streams, sightings, and what follows from what was not seen.

mod start;

use std::collections::HashMap;

use async_trait::async_trait;
use domain::{
    ChannelId, Message, MessageId, Timestamp,
    walk::{Mark, Stream, Window},
};
use futures_util::FutureExt as _;

use super::{
    Database, Session, json,
    messages::message,
    query::{Query, query},
    row::Columns as _,
};
use crate::{PageEffect, PageNext, Result, WalkStart, Walks};

/// Sorts behind every name that begins like it.
const BEHIND: char = char::MAX;

#[async_trait]
impl Walks for Database {
    async fn walk_start(&self, channel: &ChannelId) -> Result<Option<WalkStart>> {
        self.together(&self.shared.gatherings.walk_starts, channel.clone(), |database, channels| {
            async { start::starts(&mut database.read().await?, channels).await }.boxed()
        })
        .await
    }

    async fn marks(&self, channel: &ChannelId, streams: &[String]) -> Result<Vec<Option<String>>> {
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT stream, mark FROM channel_marks
             WHERE channel_id = $1 AND stream IN (SELECT atom FROM json_each($2))",
        )
        .bind(channel.as_str())
        .bind(json::encode(streams)?)
        .fetch_all(&mut reader)
        .await?;
        let known = rows
            .iter()
            .map(|row| Ok((row.column("stream")?, row.column("mark")?)))
            .collect::<Result<HashMap<String, String>>>()?;
        Ok(streams.iter().map(|stream| known.get(stream).cloned()).collect())
    }

    async fn marks_under(
        &self,
        channel: &ChannelId,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>> {
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT stream, mark FROM channel_marks
             WHERE channel_id = $1 AND stream >= $2 AND stream < $3 AND stream > $4
             ORDER BY stream LIMIT $5",
        )
        .bind(channel.as_str())
        .bind(prefix)
        .bind(format!("{prefix}{BEHIND}"))
        .bind(after.unwrap_or_default())
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(|row| Ok((row.column("stream")?, row.column("mark")?))).collect()
    }

    async fn newest_of(
        &self,
        channel: &ChannelId,
        of: &Stream,
    ) -> Result<Option<(MessageId, Timestamp)>> {
        let mut reader = self.read().await?;
        let row = Query::built(format!(
            "SELECT message_id, sent_at FROM messages
             WHERE channel_id = $1 AND deleted_at IS NULL AND {}
             ORDER BY sent_at DESC, message_id DESC LIMIT 1",
            is_of(of)
        ))
        .bind(channel.as_str())
        .bind(root(of))
        .fetch_optional(&mut reader)
        .await?;
        row.map(|row| Ok((row.id("message_id")?, row.time("sent_at")?))).transpose()
    }

    async fn messages_by_id(&self, channel: &ChannelId, ids: &[MessageId]) -> Result<Vec<Message>> {
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT * FROM messages
             WHERE channel_id = $1 AND message_id IN (SELECT atom FROM json_each($2))
             ORDER BY message_id",
        )
        .bind(channel.as_str())
        .bind(json::encode(ids)?)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(message).collect()
    }
}

/// Which messages a stream lists; `$2` is the root of a thread.
fn is_of(stream: &Stream) -> &'static str {
    match stream {
        Stream::TopLevel => "(thread_id IS NULL OR thread_id = message_id) AND $2 = ''",
        Stream::Thread(_) => "thread_id = $2 AND message_id <> $2",
        Stream::Everything => "$2 = ''",
    }
}

fn root(stream: &Stream) -> &str {
    match stream {
        Stream::Thread(root) => root.as_str(),
        Stream::TopLevel | Stream::Everything => "",
    }
}

/// Notes what a page has seen, deletes what its windows miss, and moves its marks; answers with the messages
/// that are gone by it. Comes after the page's own messages, and after what former walks saw is forgotten.
pub(super) async fn apply(
    write: &mut Session,
    channel: &ChannelId,
    page: &PageEffect,
) -> Result<Vec<MessageId>> {
    note_sightings(write, channel, &page.sightings).await?;
    let mut missing = Vec::new();
    for window in &page.walked {
        missing.extend(delete_missing(write, channel, window).await?);
    }
    move_marks(write, channel, &page.marks).await?;
    if matches!(page.next, PageNext::Live(_) | PageNext::End(_)) && !page.begins {
        forget_sightings(write, &[channel]).await?;
    }
    Ok(missing)
}

/// Each walk sees for itself.
pub(super) async fn forget_sightings(write: &mut Session, channels: &[&ChannelId]) -> Result<()> {
    if channels.is_empty() {
        return Ok(());
    }
    query("DELETE FROM walk_sightings WHERE channel_id IN (SELECT atom FROM json_each($1))")
        .bind(json::encode(channels)?)
        .execute(write)
        .await?;
    Ok(())
}

async fn note_sightings(
    write: &mut Session,
    channel: &ChannelId,
    sightings: &[MessageId],
) -> Result<()> {
    if sightings.is_empty() {
        return Ok(());
    }
    query(
        "INSERT INTO walk_sightings (channel_id, message_id)
         SELECT DISTINCT $1, atom FROM json_each($2) WHERE TRUE
         ON CONFLICT (channel_id, message_id) DO NOTHING",
    )
    .bind(channel.as_str())
    .bind(json::encode(sightings)?)
    .execute(write)
    .await?;
    Ok(())
}

/// A message that is gone keeps its place and its revision and loses its content.
async fn delete_missing(
    write: &mut Session,
    channel: &ChannelId,
    window: &Window,
) -> Result<Vec<MessageId>> {
    let now = write.now().await?;
    let rows = Query::built(format!(
        "UPDATE messages SET deleted_at = $5, missing = TRUE, content_hash = '', text = '',
             mentions = '[]', links = '[]', reactions = '[]', attachments = '[]', permalink = NULL
         WHERE channel_id = $1 AND deleted_at IS NULL AND {}
             AND sent_at >= $3 AND sent_at <= $4
             AND NOT EXISTS (SELECT 1 FROM walk_sightings AS seen
                 WHERE seen.channel_id = $1 AND seen.message_id = messages.message_id)
         RETURNING message_id",
        is_of(&window.of)
    ))
    .bind(channel.as_str())
    .bind(root(&window.of))
    .bind(window.from.micros())
    .bind(window.to.micros())
    .bind(now.micros())
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.id("message_id")).collect()
}

async fn move_marks(write: &mut Session, channel: &ChannelId, marks: &[Mark]) -> Result<()> {
    // Of two marks of one stream the last counts.
    let last: HashMap<&str, Option<&str>> =
        marks.iter().map(|mark| (mark.stream.as_str(), mark.mark.as_deref())).collect();
    let forgotten: Vec<_> = last.iter().filter(|(_, mark)| mark.is_none()).map(|m| m.0).collect();
    if !forgotten.is_empty() {
        query(
            "DELETE FROM channel_marks
             WHERE channel_id = $1 AND stream IN (SELECT atom FROM json_each($2))",
        )
        .bind(channel.as_str())
        .bind(json::encode(&forgotten)?)
        .execute(&mut *write)
        .await?;
    }
    let moved: Vec<_> =
        last.iter().filter_map(|(stream, mark)| Some([*stream, (*mark)?])).collect();
    if !moved.is_empty() {
        query(
            "INSERT INTO channel_marks (channel_id, stream, mark)
             SELECT $1, value ->> 0, value ->> 1 FROM json_each($2) WHERE TRUE
             ON CONFLICT (channel_id, stream) DO UPDATE SET mark = excluded.mark
             WHERE channel_marks.mark <> excluded.mark",
        )
        .bind(channel.as_str())
        .bind(json::encode(&moved)?)
        .execute(write)
        .await?;
    }
    Ok(())
}
