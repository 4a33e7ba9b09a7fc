//! Storing what a walk brought.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ChannelId, JobId, Message, MessageId,
    batch::{Pending, Seed},
};

use super::row::NewRow;
use crate::{
    Result,
    database::{
        Session, json,
        query::query,
        row::{Columns as _, Row},
    },
};

/// Messages of one page, and the job that walks.
pub(in crate::database) struct Walked<'p> {
    pub(in crate::database) channel: &'p ChannelId,
    pub(in crate::database) job: &'p JobId,
    /// Whether unchanged messages are to go through the stages again as well.
    pub(in crate::database) force: bool,
    /// Whether they are as the platform has them now.
    pub(in crate::database) live: bool,
    pub(in crate::database) messages: &'p [Message],
}

/// Stores messages, only newer revisions over older ones, and notes as pending, for this job, what has
/// changed by it; answers with that.
pub(in crate::database) async fn upsert(
    write: &mut Session,
    walked: &Walked<'_>,
) -> Result<Vec<Pending>> {
    if walked.messages.is_empty() {
        return Ok(Vec::new());
    }
    let newest = newest_revisions(walked.messages);
    let ids = json::encode(&newest.keys().collect::<Vec<_>>())?;
    let mut changed = insert_newer(write, walked, &newest).await?;
    changed.extend(mark_thread_roots(write, walked.channel, &newest, &ids).await?);
    if walked.force {
        changed.extend(newest.keys().map(|id| (*id).clone()));
    }
    if changed.is_empty() {
        return Ok(Vec::new());
    }
    note_pending(write, walked, &json::encode(&changed)?).await
}

/// Notes as pending, for this job, what a walk has missed.
pub(in crate::database) async fn gone(
    write: &mut Session,
    walked: &Walked<'_>,
    missing: &[MessageId],
) -> Result<Vec<Pending>> {
    match missing {
        [] => Ok(Vec::new()),
        missing => note_pending(write, walked, &json::encode(missing)?).await,
    }
}

/// A page may hold a message twice.
fn newest_revisions(messages: &[Message]) -> BTreeMap<&MessageId, &Message> {
    let mut newest = BTreeMap::new();
    for message in messages {
        let kept = newest.entry(&message.id).or_insert(message);
        if message.revised_at() > kept.revised_at() {
            *kept = message;
        }
    }
    newest
}

async fn insert_newer(
    write: &mut Session,
    walked: &Walked<'_>,
    newest: &BTreeMap<&MessageId, &Message>,
) -> Result<Vec<MessageId>> {
    let rows = newest.values().map(|message| NewRow::new(message)).collect::<Result<Vec<_>>>()?;
    // A thread's first message may be told before its first reply is: that it is one is not forgotten.
    // Of a deletion only the fact may be known, not the time: it stands until something newer is said.
    // What the platform itself has told stands against an export of the same revision.
    let stored = query(
        "INSERT INTO messages (channel_id, message_id, thread_id, author_id, author_name, author_kind,
             kind, text, mentions, links, reactions, attachments, permalink, sent_at, edited_at,
             deleted_at, revised_at, content_hash)
         SELECT $1, value ->> 'message_id', value ->> 'thread_id', value ->> 'author_id',
             value ->> 'author_name', value ->> 'author_kind', value ->> 'kind', value ->> 'text',
             value ->> 'mentions', value ->> 'links', value ->> 'reactions',
             value ->> 'attachments', value ->> 'permalink', CAST(value ->> 'sent_at' AS BIGINT),
             CAST(value ->> 'edited_at' AS BIGINT), CAST(value ->> 'deleted_at' AS BIGINT), CAST(value ->> 'revised_at' AS BIGINT),
             value ->> 'content_hash'
         FROM json_each($2) WHERE TRUE
         ON CONFLICT (channel_id, message_id) DO UPDATE SET
             thread_id = COALESCE(excluded.thread_id, messages.thread_id),
             author_id = excluded.author_id, author_name = excluded.author_name,
             author_kind = excluded.author_kind, kind = excluded.kind, text = excluded.text,
             mentions = excluded.mentions, links = excluded.links, reactions = excluded.reactions,
             attachments = excluded.attachments, permalink = excluded.permalink,
             sent_at = excluded.sent_at, edited_at = excluded.edited_at,
             deleted_at = excluded.deleted_at, revised_at = excluded.revised_at,
             content_hash = excluded.content_hash, missing = FALSE
         WHERE excluded.content_hash <> messages.content_hash
             AND (excluded.revised_at > messages.revised_at
                 OR (excluded.revised_at = messages.revised_at
                     AND (messages.deleted_at IS NULL OR messages.missing)
                     AND ($3 OR NOT EXISTS (SELECT 1 FROM channels
                         WHERE channels.channel_id = $1 AND live_watermark IS NOT NULL)))
                 OR excluded.deleted_at IS NOT NULL)
         RETURNING message_id",
    )
    .bind(walked.channel.as_str())
    .bind(json::encode(&rows)?)
    .bind(walked.live)
    .fetch_all(write)
    .await?;
    stored.iter().map(|row| row.id("message_id")).collect()
}

/// A message that has replies is the first of a thread, whatever the platform says of it.
async fn mark_thread_roots(
    write: &mut Session,
    channel: &ChannelId,
    newest: &BTreeMap<&MessageId, &Message>,
    ids: &str,
) -> Result<Vec<MessageId>> {
    let mut roots = with_replies(write, channel, ids).await?;
    roots.extend(newest.values().filter_map(|message| message.thread_id.clone()));
    let marked = query(
        "UPDATE messages SET thread_id = message_id
         WHERE channel_id = $1 AND thread_id IS NULL
             AND message_id IN (SELECT atom FROM json_each($2))
         RETURNING message_id",
    )
    .bind(channel.as_str())
    .bind(json::encode(&roots)?)
    .fetch_all(write)
    .await?;
    marked.iter().map(|row| row.id("message_id")).collect()
}

/// Which of these messages others reply to.
async fn with_replies(
    connection: &mut Session,
    channel: &ChannelId,
    ids: &str,
) -> Result<BTreeSet<MessageId>> {
    let rows = query(
        "SELECT DISTINCT thread_id FROM messages
         WHERE channel_id = $1 AND thread_id IN (SELECT atom FROM json_each($2))",
    )
    .bind(channel.as_str())
    .bind(ids)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.id("thread_id")).collect()
}

async fn note_pending(
    write: &mut Session,
    walked: &Walked<'_>,
    changed: &str,
) -> Result<Vec<Pending>> {
    let row = query(
        "UPDATE channels SET change_seq = change_seq + 1 WHERE channel_id = $1 RETURNING change_seq",
    )
    .bind(walked.channel.as_str())
    .fetch_one(&mut *write)
    .await?;
    let change_seq: i64 = row.column("change_seq")?;
    let rows = query(
        "INSERT INTO pending_messages (channel_id, message_id, change_seq, thread_id, sent_at, job_id)
         SELECT channel_id, message_id, $2, thread_id, sent_at, $3 FROM messages
         WHERE channel_id = $1 AND message_id IN (SELECT atom FROM json_each($4))
         ON CONFLICT (channel_id, message_id) DO UPDATE SET change_seq = excluded.change_seq,
             thread_id = excluded.thread_id, sent_at = excluded.sent_at, job_id = excluded.job_id,
             set_aside_by = NULL
         RETURNING message_id, change_seq, thread_id, sent_at",
    )
    .bind(walked.channel.as_str())
    .bind(change_seq)
    .bind(walked.job.as_str())
    .bind(changed)
    .fetch_all(write)
    .await?;
    rows.iter().map(pending).collect()
}

pub(in crate::database) fn pending(row: &Row) -> Result<Pending> {
    Ok(Pending {
        seed: Seed { message_id: row.id("message_id")?, change_seq: row.column("change_seq")? },
        thread_id: row.optional_id("thread_id")?,
        sent_at: row.time("sent_at")?,
    })
}
