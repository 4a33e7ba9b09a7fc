//! The units of threads, long ones read in parts.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, MessageId};

use super::{
    row::stored,
    touched::{Cut, Places},
    window::units_around,
};
use crate::{
    Result,
    database::{Session, json, query::query, row::Columns as _},
    lanes::{Lane, Stored},
};

/// A thread of at most this many messages is read whole, together with other short ones.
const SHORT_THREAD: u32 = 512;

/// Of a longer thread whose first message has changed, this much is read: every later part of a thread
/// is extracted in the light of its first message.
const LONGEST_THREAD: u32 = 10_000;

/// The units of the threads at these places.
pub(super) async fn threads(
    connection: &mut Session,
    channel: &ChannelId,
    places: &Places,
) -> Result<Vec<Cut>> {
    let touched: Vec<&MessageId> = places
        .keys()
        .filter_map(|lane| match lane {
            Lane::Thread(thread) => Some(thread),
            Lane::Channel => None,
        })
        .collect();
    if touched.is_empty() {
        return Ok(Vec::new());
    }
    let long = long_threads(connection, channel, &touched).await?;
    let short: Vec<_> = touched.into_iter().filter(|thread| !long.contains(*thread)).collect();
    let mut cuts = Vec::new();
    for (thread, messages) in whole_threads(connection, channel, &short).await? {
        let root = messages.iter().find(|stored| stored.message.id == thread).cloned();
        cuts.extend(parts(&thread, root, Lane::Thread(thread.clone()).cut(messages)));
    }
    for thread in long {
        let lane = Lane::Thread(thread.clone());
        let root = first_of_thread(connection, channel, &thread).await?;
        let around = places.get(&lane).map_or(&[][..], Vec::as_slice);
        let units = if around.iter().any(|(_, id)| *id == thread) {
            lane.cut(long_thread(connection, channel, &thread).await?)
        } else {
            units_around(connection, channel, &lane, around).await?
        };
        cuts.extend(parts(&thread, root, units));
    }
    Ok(cuts)
}

/// The parts of a thread, each but the first with the thread's first message to understand it by.
fn parts(
    thread: &MessageId,
    root: Option<Stored>,
    units: Vec<Vec<Stored>>,
) -> impl Iterator<Item = Cut> {
    units.into_iter().map(move |messages| {
        let first = messages.first().is_some_and(|stored| stored.message.id == *thread);
        let context = root.clone().filter(|_| !first).into_iter().collect();
        Cut { context, messages }
    })
}

async fn long_threads(
    connection: &mut Session,
    channel: &ChannelId,
    threads: &[&MessageId],
) -> Result<BTreeSet<MessageId>> {
    let rows = query(
        "SELECT thread_id FROM messages
         WHERE channel_id = $1 AND thread_id IN (SELECT atom FROM json_each($2))
         GROUP BY thread_id HAVING COUNT(*) > $3",
    )
    .bind(channel.as_str())
    .bind(json::encode(threads)?)
    .bind(SHORT_THREAD)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.id("thread_id")).collect()
}

async fn whole_threads(
    connection: &mut Session,
    channel: &ChannelId,
    threads: &[&MessageId],
) -> Result<BTreeMap<MessageId, Vec<Stored>>> {
    let rows = query(
        "SELECT * FROM messages
         WHERE channel_id = $1 AND thread_id IN (SELECT atom FROM json_each($2))
             AND deleted_at IS NULL AND kind = 'text'",
    )
    .bind(channel.as_str())
    .bind(json::encode(threads)?)
    .fetch_all(connection)
    .await?;
    let mut found: BTreeMap<MessageId, Vec<Stored>> = BTreeMap::new();
    for row in &rows {
        found.entry(row.id("thread_id")?).or_default().push(stored(row)?);
    }
    // Sorted here: asked for in order, the database walks all threads of the channel instead.
    let by_place = |a: &Stored, b: &Stored| a.place().cmp(&b.place());
    found.values_mut().for_each(|messages| messages.sort_by(by_place));
    Ok(found)
}

/// The beginning of a long thread.
async fn long_thread(
    connection: &mut Session,
    channel: &ChannelId,
    thread: &MessageId,
) -> Result<Vec<Stored>> {
    let rows = query(
        "SELECT * FROM messages
         WHERE channel_id = $1 AND thread_id = $2 AND deleted_at IS NULL AND kind = 'text'
         ORDER BY sent_at, message_id LIMIT $3",
    )
    .bind(channel.as_str())
    .bind(thread.as_str())
    .bind(LONGEST_THREAD)
    .fetch_all(connection)
    .await?;
    rows.iter().map(stored).collect()
}

async fn first_of_thread(
    connection: &mut Session,
    channel: &ChannelId,
    thread: &MessageId,
) -> Result<Option<Stored>> {
    let row = query(
        "SELECT * FROM messages WHERE channel_id = $1 AND message_id = $2 AND deleted_at IS NULL",
    )
    .bind(channel.as_str())
    .bind(thread.as_str())
    .fetch_optional(connection)
    .await?;
    row.as_ref().map(stored).transpose()
}
