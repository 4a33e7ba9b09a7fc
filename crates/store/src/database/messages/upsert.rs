//! Storing what a walk brought.

use std::collections::{BTreeMap, BTreeSet, HashMap};

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

/// Messages of one page, and the job that walks; several are of different channels.
pub(in crate::database) struct Walked<'p> {
    pub(in crate::database) channel: &'p ChannelId,
    pub(in crate::database) job: &'p JobId,
    /// Whether unchanged messages are to go through the stages again as well.
    pub(in crate::database) force: bool,
    /// Whether they are as the platform has them now.
    pub(in crate::database) live: bool,
    pub(in crate::database) messages: &'p [Message],
}

/// A message and its channel.
pub(in crate::database) type Place = (ChannelId, MessageId);

/// The newest revision of each message of a page, and their channel.
type Newest<'p> = (&'p ChannelId, BTreeMap<&'p MessageId, &'p Message>);

/// Stores messages, only newer revisions over older ones; answers with those that are to go through the
/// stages by it.
pub(in crate::database) async fn upsert(
    write: &mut Session,
    walked: &[Walked<'_>],
) -> Result<BTreeSet<Place>> {
    let mut changed = BTreeSet::new();
    for live in [false, true] {
        let newest: Vec<Newest<'_>> = walked
            .iter()
            .filter(|page| page.live == live && !page.messages.is_empty())
            .map(|page| (page.channel, newest_revisions(page.messages)))
            .collect();
        if !newest.is_empty() {
            changed.extend(insert_newer(write, &newest, live).await?);
            changed.extend(mark_thread_roots(write, &newest).await?);
        }
    }
    for page in walked.iter().filter(|page| page.force) {
        changed.extend(page.messages.iter().map(|m| (page.channel.clone(), m.id.clone())));
    }
    Ok(changed)
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
    newest: &[Newest<'_>],
    live: bool,
) -> Result<BTreeSet<Place>> {
    let messages = newest.iter().flat_map(|(channel, messages)| {
        messages.values().map(|message| NewRow::new(channel, message))
    });
    let rows = messages.collect::<Result<Vec<_>>>()?;
    // A thread's first message may be told before its first reply is: that it is one is not forgotten.
    // Of a deletion only the fact may be known, not the time: it stands until something newer is said.
    // What the platform itself has told stands against an export of the same revision.
    let stored = query(
        "INSERT INTO messages (channel_id, message_id, thread_id, author_id, author_name, author_kind,
             kind, text, mentions, links, reactions, attachments, permalink, sent_at, edited_at,
             deleted_at, revised_at, content_hash)
         SELECT value ->> 'channel_id', value ->> 'message_id', value ->> 'thread_id', value ->> 'author_id',
             value ->> 'author_name', value ->> 'author_kind', value ->> 'kind', value ->> 'text',
             value ->> 'mentions', value ->> 'links', value ->> 'reactions',
             value ->> 'attachments', value ->> 'permalink', CAST(value ->> 'sent_at' AS BIGINT),
             CAST(value ->> 'edited_at' AS BIGINT), CAST(value ->> 'deleted_at' AS BIGINT), CAST(value ->> 'revised_at' AS BIGINT),
             value ->> 'content_hash'
         FROM json_each($1) WHERE TRUE
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
                     AND ($2 OR NOT EXISTS (SELECT 1 FROM channels
                         WHERE channels.channel_id = messages.channel_id
                             AND live_watermark IS NOT NULL)))
                 OR excluded.deleted_at IS NOT NULL)
         RETURNING channel_id, message_id",
    )
    .bind(json::encode(&rows)?)
    .bind(live)
    .fetch_all(write)
    .await?;
    stored.iter().map(place).collect()
}

fn place(row: &Row) -> Result<Place> {
    Ok((row.id("channel_id")?, row.id("message_id")?))
}

/// A message that has replies is the first of a thread, whatever the platform says of it.
async fn mark_thread_roots(write: &mut Session, newest: &[Newest<'_>]) -> Result<Vec<Place>> {
    let mut roots = with_replies(write, newest).await?;
    for (channel, messages) in newest {
        let replied_to = messages.values().filter_map(|message| message.thread_id.clone());
        roots.extend(replied_to.map(|root| ((*channel).clone(), root)));
    }
    if roots.is_empty() {
        return Ok(Vec::new());
    }
    let marked = query(
        "UPDATE messages SET thread_id = message_id FROM json_each($1) AS root
         WHERE channel_id = root.value ->> 0 AND message_id = root.value ->> 1
             AND thread_id IS NULL
         RETURNING channel_id, message_id",
    )
    .bind(json::encode(&roots)?)
    .fetch_all(write)
    .await?;
    marked.iter().map(place).collect()
}

/// Which of these messages others reply to.
async fn with_replies(connection: &mut Session, newest: &[Newest<'_>]) -> Result<BTreeSet<Place>> {
    let mut found = BTreeSet::new();
    let messages = newest
        .iter()
        .flat_map(|(channel, messages)| messages.keys().map(move |id| (*channel, *id)));
    let rows = query(
        "SELECT DISTINCT reply.channel_id, reply.thread_id AS message_id
         FROM json_each($1) AS root
         JOIN messages AS reply ON reply.channel_id = root.value ->> 0
             AND reply.thread_id = root.value ->> 1",
    )
    .bind(json::encode(&messages.collect::<Vec<_>>())?)
    .fetch_all(connection)
    .await?;
    for row in &rows {
        found.insert(place(row)?);
    }
    Ok(found)
}

/// Notes as pending, each for the job that walks its channel, what has changed by these walks; answers with
/// that.
pub(in crate::database) async fn note_pending(
    write: &mut Session,
    walked: &[Walked<'_>],
    changed: &BTreeSet<Place>,
) -> Result<HashMap<ChannelId, Vec<Pending>>> {
    let mut noted: HashMap<ChannelId, Vec<Pending>> = HashMap::new();
    if changed.is_empty() {
        return Ok(noted);
    }
    let channels: BTreeSet<&ChannelId> = changed.iter().map(|(channel, _)| channel).collect();
    query(
        "UPDATE channels SET change_seq = change_seq + 1
         WHERE channel_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(json::encode(&channels)?)
    .execute(&mut *write)
    .await?;
    let jobs: HashMap<&ChannelId, &JobId> =
        walked.iter().map(|page| (page.channel, page.job)).collect();
    let rows: Vec<_> =
        changed.iter().map(|(channel, id)| (channel, id, jobs.get(channel))).collect();
    let rows = query(
        "INSERT INTO pending_messages (channel_id, message_id, change_seq, thread_id, sent_at, job_id)
         SELECT message.channel_id, message.message_id,
             (SELECT change_seq FROM channels WHERE channels.channel_id = message.channel_id),
             message.thread_id, message.sent_at, changed.value ->> 2
         FROM json_each($1) AS changed
         JOIN messages AS message ON message.channel_id = changed.value ->> 0
             AND message.message_id = changed.value ->> 1
         WHERE TRUE
         ON CONFLICT (channel_id, message_id) DO UPDATE SET change_seq = excluded.change_seq,
             thread_id = excluded.thread_id, sent_at = excluded.sent_at, job_id = excluded.job_id,
             set_aside_by = NULL
         RETURNING channel_id, message_id, change_seq, thread_id, sent_at",
    )
    .bind(json::encode(&rows)?)
    .fetch_all(write)
    .await?;
    for row in &rows {
        noted.entry(row.id("channel_id")?).or_default().push(pending(row)?);
    }
    Ok(noted)
}

pub(in crate::database) fn pending(row: &Row) -> Result<Pending> {
    Ok(Pending {
        seed: Seed { message_id: row.id("message_id")?, change_seq: row.column("change_seq")? },
        thread_id: row.optional_id("thread_id")?,
        sent_at: row.time("sent_at")?,
    })
}
