//! What the graph makes of the units that a batch touched.
//!
//! What stands in the tables is compared with what is to stand there, and only differences are
//! written. Fields of entities and relationships are functions of their evidence, whatever the order
//! in which it came.

mod facts;
mod links;
mod mentions;

use std::collections::BTreeMap;

use domain::{TaskStatus, UnitId, page::PageKey};

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

pub(super) async fn write(
    write: &mut Session,
    fenced: &mut Fenced,
    effect: &GraphEffect,
) -> Result<bool> {
    let units = current(write, &effect.units).await?;
    facts::replace(write, fenced, &units).await?;
    mark_dirty(write, fenced, &effect.dirty).await?;
    take_through(write, fenced).await?;
    // Last of the results: entities are the workspace's, and whoever mentions the same ones waits.
    mentions::replace(write, fenced, &units).await?;
    if !fenced.lock(write).await? {
        return Ok(false);
    }
    fenced.ledger.through(fenced.seeds().len() as u64);
    fenced.end(write, TaskStatus::Done).await?;
    Ok(true)
}

/// Leaves out units that were extracted again since: their own task follows.
async fn current<'e>(
    write: &mut Session,
    units: &'e [GraphedUnit],
) -> Result<Vec<&'e GraphedUnit>> {
    let ids: Vec<_> = units.iter().map(|unit| &unit.unit_id).collect();
    // None may be extracted again while the graph learns of it.
    let sql = format!(
        "SELECT unit_id, as_of FROM units WHERE unit_id IN (SELECT atom FROM json_each($1))
         ORDER BY unit_id{}",
        write.for_update()
    );
    let rows = Query::built(sql).bind(json::encode(&ids)?).fetch_all(write).await?;
    let as_of = rows
        .iter()
        .map(|row| Ok((row.parsed("unit_id")?, row.column("as_of")?)))
        .collect::<Result<BTreeMap<UnitId, i64>>>()?;
    Ok(units.iter().filter(|unit| as_of.get(&unit.unit_id) == Some(&unit.as_of)).collect())
}

/// Marks are only ever inserted, so that none is lost to a renderer that has begun already.
async fn mark_dirty(write: &mut Session, fenced: &Fenced, pages: &[PageKey]) -> Result<()> {
    if pages.is_empty() {
        return Ok(());
    }
    write.lock_shared("marks", fenced.channel.as_str()).await?;
    query(
        "INSERT INTO wiki_marks (channel_id, kind, key)
         SELECT $1, value ->> 'kind', value ->> 'key' FROM json_each($2)",
    )
    .bind(fenced.channel.as_str())
    .bind(json::encode(pages)?)
    .execute(write)
    .await?;
    Ok(())
}

/// The task's messages are through, unless they have changed again since.
async fn take_through(write: &mut Session, fenced: &Fenced) -> Result<()> {
    query(
        "DELETE FROM pending_messages WHERE channel_id = $1 AND (message_id, change_seq) IN
             (SELECT value ->> 'm', CAST(value ->> 's' AS BIGINT) FROM json_each($2))",
    )
    .bind(fenced.channel.as_str())
    .bind(json::encode(fenced.seeds())?)
    .execute(write)
    .await?;
    Ok(())
}
