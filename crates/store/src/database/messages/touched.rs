//! The units that a batch touches.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, MessageId, UnitId, batch::Seed, conversation::Conversation};

use super::{row::stored, window::units_around};
use crate::{
    Result, TouchedUnit, TouchedUnits,
    database::{Session, json, query::query, row::Columns as _},
    lanes::{self, Lane, Place, Stored},
};

/// A thread of at most this many messages is read whole, together with other short ones.
const SHORT_THREAD: u32 = 512;

/// Of a longer thread whose first message has changed, this much is read: every later part of a thread
/// is extracted in the light of its first message.
const LONGEST_THREAD: u32 = 10_000;

struct Scene {
    scope: String,
    as_of: i64,
}

/// A unit of a lane, and what is read with it.
struct Cut {
    context: Vec<Stored>,
    messages: Vec<Stored>,
}

pub(super) async fn touched_units(
    connection: &mut Session,
    channel: &ChannelId,
    seeds: &[Seed],
) -> Result<TouchedUnits> {
    let scene = scene(connection, channel).await?;
    let places = places_by_lane(connection, channel, seeds).await?;
    let mut cuts = Vec::new();
    if let Some(places) = places.get(&Lane::Channel) {
        let units = units_around(connection, channel, &Lane::Channel, places).await?;
        cuts.extend(units.into_iter().map(|messages| Cut { context: Vec::new(), messages }));
    }
    cuts.extend(threads(connection, channel, &places).await?);
    assemble(connection, channel, scene, cuts, seeds).await
}

async fn scene(connection: &mut Session, channel: &ChannelId) -> Result<Scene> {
    let row = query(
        "SELECT change_seq, platform || ':' || workspace AS scope
         FROM channels JOIN connections USING (connection_id) WHERE channel_id = $1",
    )
    .bind(channel.as_str())
    .fetch_one(connection)
    .await?;
    Ok(Scene { scope: row.column("scope")?, as_of: row.column("change_seq")? })
}

/// Where the seeds are, or were before they became the first message of a thread.
async fn places_by_lane(
    connection: &mut Session,
    channel: &ChannelId,
    seeds: &[Seed],
) -> Result<BTreeMap<Lane, Vec<Place>>> {
    let ids = json::encode(&seeds.iter().map(|seed| &seed.message_id).collect::<Vec<_>>())?;
    let rows = query(
        "SELECT message_id, thread_id, sent_at FROM messages
         WHERE channel_id = $1 AND message_id IN (SELECT atom FROM json_each($2))",
    )
    .bind(channel.as_str())
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut places: BTreeMap<Lane, Vec<Place>> = BTreeMap::new();
    for row in &rows {
        let id: MessageId = row.id("message_id")?;
        let thread: Option<MessageId> = row.optional_id("thread_id")?;
        let place = (row.time("sent_at")?, id.clone());
        if thread.as_ref().is_none_or(|thread| *thread == id) {
            places.entry(Lane::Channel).or_default().push(place.clone());
        }
        if let Some(thread) = thread {
            places.entry(Lane::Thread(thread)).or_default().push(place);
        }
    }
    // Sorted here: asked for in order, the database walks the channel's whole index by time instead.
    places.values_mut().for_each(|places| places.sort());
    Ok(places)
}

async fn threads(
    connection: &mut Session,
    channel: &ChannelId,
    places: &BTreeMap<Lane, Vec<Place>>,
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
    for (thread, messages) in whole_threads(connection, channel, &short, u32::MAX).await? {
        let root = messages.iter().find(|stored| stored.message.id == thread).cloned();
        cuts.extend(parts(&thread, root, Lane::Thread(thread.clone()).cut(messages)));
    }
    for thread in long {
        let lane = Lane::Thread(thread.clone());
        let root = first_of_thread(connection, channel, &thread).await?;
        let around = places.get(&lane).map_or(&[][..], Vec::as_slice);
        let units = if around.iter().any(|(_, id)| *id == thread) {
            let mut whole = whole_threads(connection, channel, &[&thread], LONGEST_THREAD).await?;
            lane.cut(whole.remove(&thread).unwrap_or_default())
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
    limit: u32,
) -> Result<BTreeMap<MessageId, Vec<Stored>>> {
    let rows = query(
        "SELECT * FROM messages
         WHERE channel_id = $1 AND thread_id IN (SELECT atom FROM json_each($2))
             AND deleted_at IS NULL AND kind = 'text'
         ORDER BY thread_id, sent_at, message_id LIMIT $3",
    )
    .bind(channel.as_str())
    .bind(json::encode(threads)?)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let mut found: BTreeMap<MessageId, Vec<Stored>> = BTreeMap::new();
    for row in &rows {
        found.entry(row.id("thread_id")?).or_default().push(stored(row)?);
    }
    Ok(found)
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

/// What is known of the units, and which units of before have lost their messages to others.
async fn assemble(
    connection: &mut Session,
    channel: &ChannelId,
    scene: Scene,
    cuts: Vec<Cut>,
    seeds: &[Seed],
) -> Result<TouchedUnits> {
    let unit_of = |id: &MessageId| UnitId::derive(&[channel.as_str(), id.as_str()]);
    let mut possible: BTreeSet<UnitId> =
        seeds.iter().map(|seed| unit_of(&seed.message_id)).collect();
    let mut units = BTreeMap::new();
    for cut in cuts {
        possible.extend(cut.messages.iter().map(|stored| unit_of(&stored.message.id)));
        let Some(root) = cut.messages.first().map(|stored| stored.message.id.clone()) else {
            continue;
        };
        units.insert(unit_of(&root), (root, cut));
    }
    let known = extracted(connection, &possible).await?;
    let retired = known.keys().filter(|id| !units.contains_key(id)).cloned().collect();
    let unwrap = |stored: Vec<Stored>| stored.into_iter().map(|stored| stored.message).collect();
    let units = units.into_iter().map(|(unit_id, (root, cut))| TouchedUnit {
        digest: lanes::digest(&cut.context, &cut.messages),
        input_hash: known.get(&unit_id).cloned(),
        conversation: Conversation {
            channel_id: channel.clone(),
            scope: scene.scope.clone(),
            unit_id,
            root,
            context: unwrap(cut.context),
            messages: unwrap(cut.messages),
        },
    });
    Ok(TouchedUnits { as_of: scene.as_of, units: units.collect(), retired })
}

async fn extracted(
    connection: &mut Session,
    possible: &BTreeSet<UnitId>,
) -> Result<BTreeMap<UnitId, String>> {
    let rows = query(
        "SELECT unit_id, input_hash FROM units
         WHERE unit_id IN (SELECT atom FROM json_each($1)) AND retired = FALSE",
    )
    .bind(json::encode(possible)?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| Ok((row.parsed("unit_id")?, row.column("input_hash")?))).collect()
}
