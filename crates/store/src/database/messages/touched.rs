//! The units that batches touch.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{ChannelId, MessageId, UnitId, batch::Seed, conversation::Conversation};

use super::{threads::threads, window::units_around};
use crate::{
    Result, StoreError, TouchedUnit, TouchedUnits,
    database::{
        Session,
        gathering::Together,
        json,
        query::query,
        row::{Columns as _, Row},
    },
    lanes::{self, Lane, Place, Stored},
};

/// A batch whose units are asked for.
#[derive(Clone)]
pub(in crate::database) struct Touching {
    pub(super) channel: ChannelId,
    pub(super) seeds: Vec<Seed>,
}

impl Together for Touching {}

struct Scene {
    scope: String,
    as_of: i64,
}

/// A unit of a lane, and what is read with it.
pub(super) struct Cut {
    pub(super) context: Vec<Stored>,
    pub(super) messages: Vec<Stored>,
}

/// Where the messages of a batch are.
pub(super) type Places = BTreeMap<Lane, Vec<Place>>;

/// Of batches, in order.
pub(super) async fn touched_units(
    connection: &mut Session,
    batches: &[Touching],
) -> Result<Vec<TouchedUnits>> {
    let scenes = scenes(connection, batches).await?;
    let mut found = Vec::with_capacity(batches.len());
    for (batch, places) in batches.iter().zip(places(connection, batches).await?) {
        found.push(Found::new(batch, cuts(connection, &batch.channel, &places).await?));
    }
    let possible = found.iter().flat_map(|found| &found.possible);
    let known = extracted(connection, &possible.collect()).await?;
    let whole = batches.iter().zip(found).map(|(batch, found)| {
        let scene = scenes.get(&batch.channel).ok_or(StoreError::Unreadable { what: "channel" })?;
        Ok(found.assemble(&batch.channel, scene, &known))
    });
    whole.collect()
}

async fn scenes(
    connection: &mut Session,
    batches: &[Touching],
) -> Result<BTreeMap<ChannelId, Scene>> {
    let channels: BTreeSet<&ChannelId> = batches.iter().map(|batch| &batch.channel).collect();
    let rows = query(
        "SELECT channel_id, change_seq, platform || ':' || workspace AS scope
         FROM channels JOIN connections USING (connection_id)
         WHERE channel_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(json::encode(&channels)?)
    .fetch_all(connection)
    .await?;
    let scene = |row: &Row| {
        let scene = Scene { scope: row.column("scope")?, as_of: row.column("change_seq")? };
        Ok((row.id("channel_id")?, scene))
    };
    rows.iter().map(scene).collect()
}

/// Where the seeds of batches are, or were before they became the first message of a thread.
async fn places(connection: &mut Session, batches: &[Touching]) -> Result<Vec<Places>> {
    let seeds = batches
        .iter()
        .flat_map(|batch| batch.seeds.iter().map(|seed| (&batch.channel, &seed.message_id)));
    let seeds = json::encode(&seeds.collect::<Vec<_>>())?;
    let rows = query(
        "SELECT message.channel_id, message.message_id, message.thread_id, message.sent_at
         FROM json_each($1) AS seed
         JOIN messages AS message ON message.channel_id = seed.value ->> 0
             AND message.message_id = seed.value ->> 1",
    )
    .bind(seeds)
    .fetch_all(connection)
    .await?;
    let mut known: HashMap<(ChannelId, MessageId), &Row> = HashMap::new();
    for row in &rows {
        known.insert((row.id("channel_id")?, row.id("message_id")?), row);
    }
    batches
        .iter()
        .map(|Touching { channel, seeds }| {
            let ids: BTreeSet<&MessageId> = seeds.iter().map(|seed| &seed.message_id).collect();
            let of_batch =
                ids.into_iter().filter_map(|id| known.get(&(channel.clone(), id.clone())));
            by_lane(of_batch.copied())
        })
        .collect()
}

fn by_lane<'r>(rows: impl Iterator<Item = &'r Row>) -> Result<Places> {
    let mut places = Places::new();
    for row in rows {
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

/// The units around these places.
async fn cuts(connection: &mut Session, channel: &ChannelId, places: &Places) -> Result<Vec<Cut>> {
    let mut cuts = Vec::new();
    if let Some(places) = places.get(&Lane::Channel) {
        let units = units_around(connection, channel, &Lane::Channel, places).await?;
        cuts.extend(units.into_iter().map(|messages| Cut { context: Vec::new(), messages }));
    }
    cuts.extend(threads(connection, channel, places).await?);
    Ok(cuts)
}

/// What was found of a batch.
struct Found {
    units: BTreeMap<UnitId, (MessageId, Cut)>,
    /// Units that may have been extracted from its messages.
    possible: BTreeSet<UnitId>,
}

impl Found {
    fn new(batch: &Touching, cuts: Vec<Cut>) -> Self {
        let unit_of = |id: &MessageId| UnitId::derive(&[batch.channel.as_str(), id.as_str()]);
        let mut possible: BTreeSet<UnitId> =
            batch.seeds.iter().map(|seed| unit_of(&seed.message_id)).collect();
        let mut units = BTreeMap::new();
        for cut in cuts {
            possible.extend(cut.messages.iter().map(|stored| unit_of(&stored.message.id)));
            let Some(root) = cut.messages.first().map(|stored| stored.message.id.clone()) else {
                continue;
            };
            units.insert(unit_of(&root), (root, cut));
        }
        Self { units, possible }
    }

    /// With what is known of the units, and which units of before have lost their messages to others.
    fn assemble(
        self,
        channel: &ChannelId,
        scene: &Scene,
        known: &BTreeMap<UnitId, String>,
    ) -> TouchedUnits {
        let Self { units, possible } = self;
        let before = possible.into_iter().filter(|id| known.contains_key(id));
        let retired = before.filter(|id| !units.contains_key(id)).collect();
        let unwrap =
            |stored: Vec<Stored>| stored.into_iter().map(|stored| stored.message).collect();
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
        TouchedUnits { as_of: scene.as_of, units: units.collect(), retired }
    }
}

async fn extracted(
    connection: &mut Session,
    possible: &BTreeSet<&UnitId>,
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
