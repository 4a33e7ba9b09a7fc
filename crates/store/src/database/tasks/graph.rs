//! What the graph makes of the units that a batch touched.
//!
//! What stands in the tables is compared with what is to stand there, and only differences are
//! written. Fields of entities and relationships are functions of their evidence, whatever the order
//! in which it came.

mod facts;
mod links;
mod mentions;

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, TaskStatus, UnitId};

use super::Fenced;
use crate::{
    GraphEffect, GraphedUnit, Result,
    database::{
        Session, json,
        query::{Query, query},
        row::Columns as _,
    },
};

pub(in crate::database) use self::mentions::recompute as recompute_entities;

/// Units of a channel, as the graph is to know them.
type Units<'e> = Vec<(&'e ChannelId, &'e GraphedUnit)>;

/// Writes what the graph makes of units, of tasks of several jobs.
pub(super) async fn results(
    write: &mut Session,
    tasks: &mut [(&mut Fenced, &GraphEffect)],
) -> Result<()> {
    let channels: Vec<_> = tasks.iter().map(|(fenced, _)| fenced.channel.clone()).collect();
    let of_channels = channels.iter().zip(tasks.iter());
    let units = of_channels
        .flat_map(|(channel, (_, effect))| effect.units.iter().map(move |unit| (channel, unit)));
    let units = current(write, units.collect()).await?;
    let relationships = facts::replace(write, &units).await?;
    mark_dirty(write, tasks).await?;
    take_through(write, tasks).await?;
    // Last of the results: entities are the workspace's, and whoever mentions the same ones waits.
    let entities = mentions::replace(write, &units).await?;
    for (fenced, _) in tasks {
        let of = |new: &News| new.get(&fenced.channel).copied().unwrap_or_default();
        fenced.counts.relationships += of(&relationships);
        fenced.counts.entities += of(&entities);
    }
    Ok(())
}

/// How many rows are new, by channel.
type News = BTreeMap<ChannelId, u64>;

/// The task's messages are through.
pub(super) fn finish(fenced: &mut Fenced) {
    fenced.ledger.through(fenced.seeds().len() as u64);
    fenced.end(TaskStatus::Done);
}

/// Leaves out units that were extracted again since: their own task follows.
async fn current<'e>(write: &mut Session, units: Units<'e>) -> Result<Units<'e>> {
    let ids: BTreeSet<_> = units.iter().map(|(_, unit)| &unit.unit_id).collect();
    // None may be extracted again while the graph learns of it. They are locked in the order of the list:
    // asked for in order, the database walks through all units instead.
    let sql = format!(
        "SELECT unit_id, as_of FROM json_each($1) AS wanted
         JOIN units ON unit_id = wanted.atom{}",
        write.for_update()
    );
    let rows = Query::built(sql).bind(json::encode(&ids)?).fetch_all(write).await?;
    let as_of = rows
        .iter()
        .map(|row| Ok((row.parsed("unit_id")?, row.column("as_of")?)))
        .collect::<Result<BTreeMap<UnitId, i64>>>()?;
    let is_current = |unit: &GraphedUnit| as_of.get(&unit.unit_id) == Some(&unit.as_of);
    Ok(units.into_iter().filter(|(_, unit)| is_current(unit)).collect())
}

/// Marks are only ever inserted, so that none is lost to a renderer that has begun already.
async fn mark_dirty(write: &mut Session, tasks: &[(&mut Fenced, &GraphEffect)]) -> Result<()> {
    let of_channel = |(fenced, effect): &'_ (&mut Fenced, &GraphEffect)| {
        let channel = fenced.channel.clone();
        effect
            .dirty
            .iter()
            .map(move |page| (channel.clone(), page.kind.as_str(), page.key.clone()))
            .collect::<Vec<_>>()
    };
    let marks: Vec<_> = tasks.iter().flat_map(of_channel).collect();
    if marks.is_empty() {
        return Ok(());
    }
    share_marks(write, marks.iter().map(|(channel, ..)| channel)).await?;
    query(
        "INSERT INTO wiki_marks (channel_id, kind, key)
         SELECT value ->> 0, value ->> 1, value ->> 2 FROM json_each($1)",
    )
    .bind(json::encode(&marks)?)
    .execute(write)
    .await?;
    Ok(())
}

/// Whoever reads marks waits for those who make some, and these not for each other.
async fn share_marks<'c>(
    write: &mut Session,
    channels: impl Iterator<Item = &'c ChannelId>,
) -> Result<()> {
    let channels: BTreeSet<&ChannelId> = channels.collect();
    write.share_each("marks", channels.into_iter().map(ChannelId::as_str)).await
}

/// The tasks' messages are through, unless they have changed again since.
async fn take_through(write: &mut Session, tasks: &[(&mut Fenced, &GraphEffect)]) -> Result<()> {
    let through: Vec<_> = tasks
        .iter()
        .flat_map(|(fenced, _)| {
            fenced.seeds().iter().map(|seed| (&fenced.channel, &seed.message_id, seed.change_seq))
        })
        .collect();
    query(
        "DELETE FROM pending_messages WHERE (channel_id, message_id, change_seq) IN
             (SELECT value ->> 0, value ->> 1, CAST(value ->> 2 AS BIGINT) FROM json_each($1))",
    )
    .bind(json::encode(&through)?)
    .execute(write)
    .await?;
    Ok(())
}
