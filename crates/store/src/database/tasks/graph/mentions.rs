//! Entities, and where they occur.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, EntityId, UnitId};
use serde::Serialize;

use super::{News, Units};
use crate::{
    MentionRow, Result,
    database::{Session, json, query::query, row::Columns as _},
};

/// What a mention says, beside where it is.
type Said = (String, u32, i64, i64);

#[derive(Serialize)]
struct Place<'m> {
    unit_id: &'m UnitId,
    entity_id: &'m EntityId,
}

#[derive(Serialize)]
struct Row<'m> {
    #[serde(flatten)]
    place: Place<'m>,
    channel_id: &'m ChannelId,
    scope: &'m str,
    #[serde(rename = "type")]
    kind: &'static str,
    key: &'m str,
    name: &'m str,
    mentions: u32,
    first_seen: i64,
    last_seen: i64,
}

impl<'m> Row<'m> {
    fn new(channel_id: &'m ChannelId, unit_id: &'m UnitId, mention: &'m MentionRow) -> Self {
        Self {
            place: Place { unit_id, entity_id: &mention.entity_id },
            channel_id,
            scope: &mention.scope,
            kind: mention.kind.as_str(),
            key: &mention.key,
            name: &mention.name,
            mentions: mention.count,
            first_seen: mention.first_seen.micros(),
            last_seen: mention.last_seen.micros(),
        }
    }

    fn said(&self) -> Said {
        (self.name.to_owned(), self.mentions, self.first_seen, self.last_seen)
    }
}

/// Answers with how many entities are new.
pub(super) async fn replace(write: &mut Session, units: &Units<'_>) -> Result<News> {
    let mut before = stored(write, units).await?;
    let mut new = Vec::new();
    for (channel, unit) in units {
        for mention in &unit.mentions {
            let row = Row::new(channel, &unit.unit_id, mention);
            let place = (unit.unit_id.clone(), mention.entity_id.clone());
            if before.remove(&place) != Some(row.said()) {
                new.push(row);
            }
        }
    }
    let gone: Vec<_> =
        before.keys().map(|(unit_id, entity_id)| Place { unit_id, entity_id }).collect();
    if new.is_empty() && gone.is_empty() {
        return Ok(News::new());
    }
    let touched: BTreeSet<_> =
        new.iter().map(|row| &row.place).chain(&gone).map(|place| place.entity_id).collect();
    remove_mentions(write, &gone).await?;
    let touched = json::encode(&touched)?;
    let rows = json::encode(&new)?;
    write_mentions(write, &rows).await?;
    let named: BTreeSet<_> = new.iter().map(|row| row.place.entity_id).collect();
    let inserted = hold_and_insert(write, &touched, &named, &rows).await?;
    if !gone.is_empty() {
        delete_unmentioned(write, &touched).await?;
    }
    rename(write, &touched).await?;
    // Two channels of one workspace may name an entity that is new to both: the first counts it.
    let first: BTreeMap<_, _> =
        new.iter().rev().map(|row| (row.place.entity_id, row.channel_id)).collect();
    let mut news = News::new();
    for channel in inserted.iter().filter_map(|entity| first.get(entity)) {
        *news.entry((*channel).clone()).or_default() += 1;
    }
    Ok(news)
}

async fn stored(
    write: &mut Session,
    units: &Units<'_>,
) -> Result<BTreeMap<(UnitId, EntityId), Said>> {
    let ids: Vec<_> = units.iter().map(|(_, unit)| &unit.unit_id).collect();
    let rows = query(
        "SELECT unit_id, entity_id, name, mentions, first_seen, last_seen FROM entity_mentions
         WHERE unit_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(json::encode(&ids)?)
    .fetch_all(write)
    .await?;
    rows.iter()
        .map(|row| {
            let said = (
                row.column("name")?,
                row.number("mentions")?,
                row.column("first_seen")?,
                row.column("last_seen")?,
            );
            Ok(((row.parsed("unit_id")?, row.parsed("entity_id")?), said))
        })
        .collect()
}

async fn remove_mentions(write: &mut Session, gone: &[Place<'_>]) -> Result<()> {
    if gone.is_empty() {
        return Ok(());
    }
    query(
        "DELETE FROM entity_mentions WHERE (unit_id, entity_id) IN
             (SELECT value ->> 'unit_id', value ->> 'entity_id' FROM json_each($1))",
    )
    .bind(json::encode(gone)?)
    .execute(write)
    .await?;
    Ok(())
}

async fn write_mentions(write: &mut Session, new: &str) -> Result<()> {
    query(
        "INSERT INTO entity_mentions (unit_id, entity_id, channel_id, name, mentions, first_seen,
             last_seen)
         SELECT value ->> 'unit_id', value ->> 'entity_id', value ->> 'channel_id', value ->> 'name',
             CAST(value ->> 'mentions' AS BIGINT), CAST(value ->> 'first_seen' AS BIGINT), CAST(value ->> 'last_seen' AS BIGINT)
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (unit_id, entity_id) DO UPDATE SET name = excluded.name,
             mentions = excluded.mentions, first_seen = excluded.first_seen,
             last_seen = excluded.last_seen",
    )
    .bind(new)
    .execute(write)
    .await?;
    Ok(())
}

/// Answers with those that are new.
async fn insert_entities(write: &mut Session, new: &str) -> Result<BTreeSet<EntityId>> {
    let rows = query(
        "INSERT INTO entities (entity_id, scope, type, key, name, first_seen, last_seen)
         SELECT value ->> 'entity_id', value ->> 'scope', value ->> 'type', value ->> 'key',
             value ->> 'name', CAST(value ->> 'first_seen' AS BIGINT), CAST(value ->> 'last_seen' AS BIGINT)
         FROM json_each($1) WHERE TRUE
         ORDER BY value ->> 'entity_id'
         ON CONFLICT (entity_id) DO NOTHING RETURNING entity_id",
    )
    .bind(new)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.parsed("entity_id")).collect()
}

/// Other channels of a workspace mention the same entities: one transaction after the other says what is
/// known of one. Inserts those that are not there and answers with them; one that another transaction
/// inserts or deletes in the same moment is looked for again.
async fn hold_and_insert(
    write: &mut Session,
    touched: &str,
    named: &BTreeSet<&EntityId>,
    new: &str,
) -> Result<BTreeSet<EntityId>> {
    if !write.is_shared() {
        return insert_entities(write, new).await;
    }
    let mut inserted = BTreeSet::new();
    loop {
        let held = hold(write, touched).await?;
        let missing = named.iter().filter(|entity| !held.contains(**entity)).count();
        if missing == 0 {
            return Ok(inserted);
        }
        let now_inserted = insert_entities(write, new).await?;
        let all = now_inserted.len() == missing;
        inserted.extend(now_inserted);
        if all {
            return Ok(inserted);
        }
    }
}

/// Answers with those that are there.
async fn hold(write: &mut Session, touched: &str) -> Result<BTreeSet<EntityId>> {
    let rows = query(
        "SELECT entity_id FROM entities WHERE entity_id IN (SELECT atom FROM json_each($1))
         ORDER BY entity_id FOR UPDATE",
    )
    .bind(touched)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.parsed("entity_id")).collect()
}

/// Makes entities again what their mentions say they are.
pub(in crate::database) async fn recompute(write: &mut Session, touched: &str) -> Result<()> {
    delete_unmentioned(write, touched).await?;
    rename(write, touched).await
}

async fn delete_unmentioned(write: &mut Session, touched: &str) -> Result<()> {
    query(
        "DELETE FROM entities WHERE entity_id IN (SELECT atom FROM json_each($1))
             AND NOT EXISTS (SELECT 1 FROM entity_mentions AS mention
                 WHERE mention.entity_id = entities.entity_id)",
    )
    .bind(touched)
    .execute(write)
    .await?;
    Ok(())
}

/// First, last and newest name, each found by one look into an index however often an entity occurs.
async fn rename(write: &mut Session, touched: &str) -> Result<()> {
    mark_renamed(write, touched).await?;
    query(
        "UPDATE entities SET name = said.name, first_seen = said.first_seen, last_seen = said.last_seen
         FROM (SELECT entity_id AS id,
                 (SELECT name FROM entity_mentions AS mention
                     WHERE mention.entity_id = known.entity_id
                     ORDER BY last_seen DESC, name DESC LIMIT 1) AS name,
                 (SELECT MIN(first_seen) FROM entity_mentions AS mention
                     WHERE mention.entity_id = known.entity_id) AS first_seen,
                 (SELECT MAX(last_seen) FROM entity_mentions AS mention
                     WHERE mention.entity_id = known.entity_id) AS last_seen
             FROM entities AS known
             WHERE entity_id IN (SELECT atom FROM json_each($1))) AS said
         WHERE entity_id = said.id AND (entities.name <> said.name
             OR entities.first_seen <> said.first_seen OR entities.last_seen <> said.last_seen)",
    )
    .bind(touched)
    .execute(write)
    .await?;
    Ok(())
}

/// Every page may show the name of an entity that goes by another one now.
async fn mark_renamed(write: &mut Session, touched: &str) -> Result<()> {
    let renamed = query(
        "SELECT DISTINCT mention.channel_id FROM entities
         JOIN entity_mentions AS mention USING (entity_id)
         WHERE entity_id IN (SELECT atom FROM json_each($1))
             AND entities.name <> (SELECT name FROM entity_mentions AS newest
                 WHERE newest.entity_id = entities.entity_id
                 ORDER BY last_seen DESC, name DESC LIMIT 1)
         ORDER BY mention.channel_id",
    )
    .bind(touched)
    .fetch_all(write)
    .await?;
    for row in &renamed {
        let channel: &str = row.column("channel_id")?;
        write.lock_shared("marks", channel).await?;
        query(
            "INSERT INTO wiki_marks (channel_id, kind, key)
             SELECT channel_id, kind, key FROM wiki_pages
             WHERE channel_id = $1 AND removed = FALSE",
        )
        .bind(channel)
        .execute(write)
        .await?;
    }
    Ok(())
}
