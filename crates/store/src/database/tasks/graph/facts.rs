//! Facts as the graph knows them, and the relationships they support.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, FactId, UnitId};
use serde::Serialize;

use super::{News, Units, links};
use crate::{
    GraphFactRow, Result, SupportRow,
    database::{Session, json, query::query, row::Columns as _},
};

#[derive(Serialize)]
struct Row<'f> {
    fact_id: &'f FactId,
    channel_id: &'f ChannelId,
    unit_id: &'f UnitId,
    kind: &'static str,
    published: u8,
    asserted_at: i64,
    digest: &'f str,
}

#[derive(Serialize)]
struct EntityRow<'f> {
    fact_id: &'f FactId,
    entity_id: &'f str,
    role: &'static str,
    asserted_at: i64,
    reversed: u8,
}

#[derive(Serialize)]
struct Support<'f> {
    channel_id: &'f ChannelId,
    relationship_id: &'f str,
    source: &'f str,
    #[serde(rename = "type")]
    kind: &'static str,
    target: &'f str,
    fact_id: &'f FactId,
    asserted_at: i64,
}

/// Answers with how many relationships are new.
pub(super) async fn replace(write: &mut Session, units: &Units<'_>) -> Result<News> {
    let mut before = stored(write, units).await?;
    let mut changed: BTreeMap<&FactId, (&ChannelId, &UnitId, &GraphFactRow)> = BTreeMap::new();
    for (channel, unit) in units {
        for fact in &unit.facts {
            let known = before.remove(&fact.fact_id);
            if known != Some((unit.unit_id.clone(), fact.digest.clone())) {
                changed.insert(&fact.fact_id, (channel, &unit.unit_id, fact));
            }
        }
    }
    // A fact that has moved to another unit is that unit's to remove.
    let gone: BTreeSet<_> = before.into_keys().collect();
    if changed.is_empty() && gone.is_empty() {
        return Ok(News::new());
    }
    // What stands for or against an earlier decision may be in another transaction.
    let channels: BTreeSet<_> = units.iter().map(|(channel, _)| channel.as_str()).collect();
    write.lock_each("facts", channels.into_iter()).await?;
    let changed_ids = json::encode(&changed.keys().collect::<Vec<_>>())?;
    let all_ids = json::encode(&changed.keys().copied().chain(&gone).collect::<Vec<_>>())?;
    let mut relationships = supported_by(write, &all_ids).await?;
    let unlinked = links::unlink(write, &all_ids).await?;
    forget(write, &all_ids, &json::encode(&gone)?).await?;

    insert_facts(write, changed.values().copied()).await?;
    let supports = units
        .iter()
        .flat_map(|(channel, unit)| unit.supports.iter().map(|row| support(channel, row)))
        .filter(|support| changed.contains_key(&support.fact_id))
        .collect::<Vec<_>>();
    relationships.extend(supports.iter().map(|support| support.relationship_id.to_owned()));
    let new = insert_supports(write, &json::encode(&supports)?).await?;
    recompute(write, &json::encode(&relationships)?).await?;
    links::link(write, &changed_ids, unlinked).await?;
    Ok(new)
}

async fn stored(
    write: &mut Session,
    units: &Units<'_>,
) -> Result<BTreeMap<FactId, (UnitId, String)>> {
    let units_of = json::encode(&units.iter().map(|(_, unit)| &unit.unit_id).collect::<Vec<_>>())?;
    let facts = units.iter().flat_map(|(_, unit)| &unit.facts).map(|fact| &fact.fact_id);
    let mut known = BTreeMap::new();
    let rows = query(
        "SELECT fact_id, unit_id, digest FROM graph_facts
         WHERE unit_id IN (SELECT atom FROM json_each($1))
             OR fact_id IN (SELECT atom FROM json_each($2))",
    )
    .bind(units_of)
    .bind(json::encode(&facts.collect::<Vec<_>>())?)
    .fetch_all(write)
    .await?;
    for row in &rows {
        let place = (row.parsed("unit_id")?, row.column("digest")?);
        known.insert(row.parsed("fact_id")?, place);
    }
    Ok(known)
}

async fn supported_by(write: &mut Session, facts: &str) -> Result<BTreeSet<String>> {
    let rows = query(
        "SELECT DISTINCT relationship_id FROM relationship_support
         WHERE fact_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(facts)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.column("relationship_id")).collect()
}

async fn forget(write: &mut Session, facts: &str, gone: &str) -> Result<()> {
    for statement in [
        "DELETE FROM fact_entities WHERE fact_id IN (SELECT atom FROM json_each($1))",
        "DELETE FROM relationship_support WHERE fact_id IN (SELECT atom FROM json_each($1))",
    ] {
        query(statement).bind(facts).execute(&mut *write).await?;
    }
    query("DELETE FROM graph_facts WHERE fact_id IN (SELECT atom FROM json_each($1))")
        .bind(gone)
        .execute(write)
        .await?;
    Ok(())
}

async fn insert_facts<'f>(
    write: &mut Session,
    facts: impl Iterator<Item = (&'f ChannelId, &'f UnitId, &'f GraphFactRow)>,
) -> Result<()> {
    let mut rows = Vec::new();
    let mut entities = Vec::new();
    for (channel_id, unit_id, fact) in facts {
        let asserted_at = fact.asserted_at.micros();
        rows.push(Row {
            fact_id: &fact.fact_id,
            channel_id,
            unit_id,
            kind: fact.kind.as_str(),
            published: u8::from(fact.published),
            asserted_at,
            digest: &fact.digest,
        });
        entities.extend(fact.entities.iter().map(|(entity, role, reversed)| EntityRow {
            fact_id: &fact.fact_id,
            entity_id: entity.as_str(),
            role: role.as_str(),
            asserted_at,
            reversed: u8::from(*reversed),
        }));
    }
    query(
        "INSERT INTO graph_facts (fact_id, unit_id, channel_id, kind, published, asserted_at, digest)
         SELECT value ->> 'fact_id', value ->> 'unit_id', value ->> 'channel_id', value ->> 'kind',
             CAST(value ->> 'published' AS BOOLEAN), CAST(value ->> 'asserted_at' AS BIGINT), value ->> 'digest'
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (fact_id) DO UPDATE SET unit_id = excluded.unit_id,
             published = excluded.published, asserted_at = excluded.asserted_at,
             digest = excluded.digest",
    )
    .bind(json::encode(&rows)?)
    .execute(&mut *write)
    .await?;
    query(
        "INSERT INTO fact_entities (fact_id, entity_id, role, asserted_at, reversed)
         SELECT value ->> 'fact_id', value ->> 'entity_id', value ->> 'role',
             CAST(value ->> 'asserted_at' AS BIGINT), CAST(value ->> 'reversed' AS BOOLEAN)
         FROM json_each($1) WHERE TRUE
         ON CONFLICT DO NOTHING",
    )
    .bind(json::encode(&entities)?)
    .execute(write)
    .await?;
    Ok(())
}

fn support<'f>(channel_id: &'f ChannelId, row: &'f SupportRow) -> Support<'f> {
    Support {
        channel_id,
        relationship_id: row.relationship_id.as_str(),
        source: row.source.as_str(),
        kind: row.kind.as_str(),
        target: row.target.as_str(),
        fact_id: &row.fact_id,
        asserted_at: row.asserted_at.micros(),
    }
}

/// Answers with how many relationships are new.
async fn insert_supports(write: &mut Session, supports: &str) -> Result<News> {
    let inserted = query(
        "INSERT INTO relationships (relationship_id, channel_id, source, type, target, support,
             valid_from)
         SELECT value ->> 'relationship_id', value ->> 'channel_id', value ->> 'source',
             value ->> 'type', value ->> 'target', 0, CAST(value ->> 'asserted_at' AS BIGINT)
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (relationship_id) DO NOTHING RETURNING channel_id",
    )
    .bind(supports)
    .fetch_all(&mut *write)
    .await?;
    query(
        "INSERT INTO relationship_support (relationship_id, fact_id, asserted_at)
         SELECT value ->> 'relationship_id', value ->> 'fact_id', CAST(value ->> 'asserted_at' AS BIGINT)
         FROM json_each($1) WHERE TRUE
         ON CONFLICT DO NOTHING",
    )
    .bind(supports)
    .execute(write)
    .await?;
    let mut new = News::new();
    for row in &inserted {
        *new.entry(row.id("channel_id")?).or_default() += 1;
    }
    Ok(new)
}

async fn recompute(write: &mut Session, relationships: &str) -> Result<()> {
    query(
        "DELETE FROM relationships WHERE relationship_id IN (SELECT atom FROM json_each($1))
             AND NOT EXISTS (SELECT 1 FROM relationship_support AS support
                 WHERE support.relationship_id = relationships.relationship_id)",
    )
    .bind(relationships)
    .execute(&mut *write)
    .await?;
    query(
        "UPDATE relationships SET (support, valid_from) =
             (SELECT COUNT(*), MIN(asserted_at) FROM relationship_support AS support
                 WHERE support.relationship_id = relationships.relationship_id)
         WHERE relationship_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(relationships)
    .execute(write)
    .await?;
    Ok(())
}
