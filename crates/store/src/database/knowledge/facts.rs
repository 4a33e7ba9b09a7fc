//! Facts, with what they are about and what they rest on.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, HashMap},
};

use domain::{
    ChannelId, FactId, Timestamp,
    fact::{EntityRole, EvidenceRole, Fact, FactKind, FactStatus, Person},
};

use super::anywhere;
use crate::{
    FactEntityRow, FactQuery, Result, Source, StoreError, StoredFact,
    database::{
        Session, json,
        query::{Statement, query},
        row::{Columns as _, Row},
    },
};

const FACT: &str = "SELECT fact_id, channel_id, asserted_at, fact FROM facts WHERE TRUE";

pub(super) async fn one(connection: &mut Session, id: &FactId) -> Result<Option<StoredFact>> {
    let mut sql = Statement::new(FACT);
    sql.push(" AND fact_id = ").push_bind(id.as_str());
    let rows = sql.build().fetch_all(&mut *connection).await?;
    Ok(complete(connection, &rows).await?.pop())
}

pub(super) async fn list(connection: &mut Session, query: &FactQuery) -> Result<Vec<StoredFact>> {
    let mut rows = Vec::new();
    if query.kinds.is_empty() {
        rows = newest(connection, query, None).await?;
    }
    // One look into the index a kind: asked for several at once, the database walks all facts by time.
    for kind in &query.kinds {
        rows.extend(newest(connection, query, Some(*kind)).await?);
    }
    let mut newest_first = BTreeMap::new();
    for row in rows {
        let place: (i64, String) = (row.column("asserted_at")?, row.column("fact_id")?);
        newest_first.insert(Reverse(place), row);
    }
    let rows: Vec<_> = newest_first.into_values().take(query.limit as usize).collect();
    complete(connection, &rows).await
}

/// The newest published facts of each of these channels, newest first.
pub(in crate::database) async fn newest_of_channels(
    connection: &mut Session,
    channels: &str,
    limit: u32,
) -> Result<Vec<StoredFact>> {
    // Down to where a channel's limit is reached, found in the index; what happened at that very moment is
    // cut below.
    let rows = query(
        "SELECT fact.fact_id, fact.channel_id, fact.asserted_at, fact.fact
         FROM (SELECT atom AS channel_id, COALESCE((SELECT asserted_at FROM facts
                     WHERE facts.channel_id = atom AND published = TRUE
                     ORDER BY asserted_at DESC, fact_id DESC LIMIT 1 OFFSET $2), 0) AS oldest
             FROM json_each($1)) AS wanted
         JOIN facts AS fact ON fact.channel_id = wanted.channel_id AND fact.published = TRUE
             AND fact.asserted_at >= wanted.oldest
         ORDER BY fact.channel_id, fact.asserted_at DESC, fact.fact_id DESC",
    )
    .bind(channels)
    .bind(limit.saturating_sub(1))
    .fetch_all(connection)
    .await?;
    let mut shown: HashMap<ChannelId, u32> = HashMap::new();
    let mut kept = Vec::with_capacity(rows.len());
    for row in rows {
        let of_channel = shown.entry(row.id("channel_id")?).or_default();
        *of_channel += 1;
        if *of_channel <= limit {
            kept.push(row);
        }
    }
    complete(connection, &kept).await
}

async fn newest(
    connection: &mut Session,
    query: &FactQuery,
    kind: Option<FactKind>,
) -> Result<Vec<Row>> {
    let mut sql = Statement::new(FACT);
    narrow(&mut sql, query);
    if let Some(kind) = kind {
        sql.push(" AND kind = ").push_bind(kind.as_str());
    }
    sql.push(" ORDER BY asserted_at DESC, fact_id DESC LIMIT ").push_bind(query.limit);
    sql.build().fetch_all(connection).await
}

fn narrow(sql: &mut Statement, query: &FactQuery) {
    if let Some(channel) = &query.channel_id {
        sql.push(" AND channel_id = ").push_bind(channel.as_str().to_owned());
    }
    if let Some(entity) = &query.entity {
        sql.push(" AND fact_id IN (SELECT fact_id FROM fact_entities WHERE entity_id = ")
            .push_bind(entity.as_str().to_owned())
            .push(")");
    }
    if query.published_only {
        sql.push(" AND published = TRUE");
    }
    if let Some(since) = query.since {
        sql.push(" AND asserted_at >= ").push_bind(since.micros());
    }
    if let Some(until) = query.until {
        sql.push(" AND asserted_at < ").push_bind(until.micros());
    }
    if let Some(text) = &query.text {
        sql.push(" AND LOWER(text) LIKE ").push_bind(anywhere(text)).push(" ESCAPE '\\'");
    }
    if let Some((at, id)) = &query.after {
        sql.push(" AND (asserted_at, fact_id) < (")
            .push_bind(at.micros())
            .push(", ")
            .push_bind(id.as_str().to_owned())
            .push(")");
    }
}

/// Adds to a page of facts what stands in other tables, one statement a table.
async fn complete(connection: &mut Session, rows: &[Row]) -> Result<Vec<StoredFact>> {
    let ids = rows.iter().map(|row| row.column::<&str>("fact_id")).collect::<Result<Vec<_>>>()?;
    let ids = json::encode(&ids)?;
    let mut sources = sources(connection, &ids).await?;
    let mut entities = entities(connection, &ids).await?;
    let mut superseded = superseded(connection, &ids).await?;
    rows.iter()
        .map(|row| {
            let fact: Fact = row.json("fact")?;
            let superseded = superseded.remove(&fact.id);
            Ok(StoredFact {
                channel_id: row.id("channel_id")?,
                status: if superseded.is_some() {
                    Some(FactStatus::Superseded)
                } else {
                    fact.status
                },
                valid_until: superseded.as_ref().map(|(at, _)| *at),
                superseded_by: superseded.map(|(_, id)| id),
                entities: entities.remove(&fact.id).unwrap_or_default(),
                sources: sources.remove(&fact.id).unwrap_or_default(),
                fact,
            })
        })
        .collect()
}

async fn sources(connection: &mut Session, ids: &str) -> Result<HashMap<FactId, Vec<Source>>> {
    let rows = query(
        "SELECT evidence.fact_id, evidence.message_id, evidence.role, evidence.quote,
             message.permalink, message.sent_at, message.author_id, message.author_name
         FROM fact_evidence AS evidence
         JOIN facts AS fact USING (fact_id)
         JOIN messages AS message ON message.channel_id = fact.channel_id
             AND message.message_id = evidence.message_id
         WHERE evidence.fact_id IN (SELECT atom FROM json_each($1))
         ORDER BY evidence.fact_id, evidence.n",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut sources: HashMap<FactId, Vec<Source>> = HashMap::new();
    for row in &rows {
        let source = Source {
            message_id: row.id("message_id")?,
            role: evidence_role(row.column("role")?)?,
            quote: row.column("quote")?,
            permalink: row.column("permalink")?,
            timestamp: row.time("sent_at")?,
            author: Person { id: row.optional_id("author_id")?, name: row.column("author_name")? },
        };
        sources.entry(row.parsed("fact_id")?).or_default().push(source);
    }
    Ok(sources)
}

async fn entities(
    connection: &mut Session,
    ids: &str,
) -> Result<HashMap<FactId, Vec<FactEntityRow>>> {
    let rows = query(
        "SELECT about.fact_id, about.entity_id, about.role, entity.name, entity.type
         FROM fact_entities AS about JOIN entities AS entity USING (entity_id)
         WHERE about.reversed = FALSE AND about.fact_id IN (SELECT atom FROM json_each($1))
         ORDER BY about.fact_id, about.entity_id, about.role",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    let mut entities: HashMap<FactId, Vec<FactEntityRow>> = HashMap::new();
    for row in &rows {
        let entity = FactEntityRow {
            id: row.parsed("entity_id")?,
            name: row.column("name")?,
            kind: row.parsed("type")?,
            role: entity_role(row.column("role")?)?,
        };
        entities.entry(row.parsed("fact_id")?).or_default().push(entity);
    }
    Ok(entities)
}

/// Since when and by which decision, the earliest where several took its place.
async fn superseded(
    connection: &mut Session,
    ids: &str,
) -> Result<HashMap<FactId, (Timestamp, FactId)>> {
    let rows = query(
        "SELECT link.older, link.newer, newer.asserted_at
         FROM fact_links AS link JOIN graph_facts AS newer ON newer.fact_id = link.newer
         WHERE link.older IN (SELECT atom FROM json_each($1))
         ORDER BY newer.asserted_at DESC, link.newer DESC",
    )
    .bind(ids)
    .fetch_all(connection)
    .await?;
    // The last one to be inserted is the earliest.
    rows.iter()
        .map(|row| Ok((row.parsed("older")?, (row.time("asserted_at")?, row.parsed("newer")?))))
        .collect()
}

pub(super) fn entity_role(name: &str) -> Result<EntityRole> {
    [EntityRole::Subject, EntityRole::Author, EntityRole::Owner, EntityRole::Mention]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or(StoreError::Unreadable { what: "role" })
}

pub(super) fn evidence_role(name: &str) -> Result<EvidenceRole> {
    use EvidenceRole::{Agreement, Answer, Confirmation, Primary};
    [Primary, Answer, Agreement, Confirmation]
        .into_iter()
        .find(|role| role.as_str() == name)
        .ok_or(StoreError::Unreadable { what: "role" })
}
