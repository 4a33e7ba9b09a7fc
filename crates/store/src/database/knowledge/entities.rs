//! Entities.

use domain::{EntityId, graph::EntityType};

use super::anywhere;
use crate::{
    EntityQuery, Result, StoredEntity,
    database::{
        Session, json,
        query::{Statement, query},
        row::{Columns as _, Row},
    },
};

const ENTITY: &str = "SELECT *,
     (SELECT COUNT(DISTINCT fact_id) FROM fact_entities AS about
         WHERE about.entity_id = entities.entity_id AND about.reversed = FALSE) AS fact_count,
     (SELECT json_group_array(name) FROM (SELECT DISTINCT mention.name
         FROM entity_mentions AS mention
         WHERE mention.entity_id = entities.entity_id AND mention.name <> entities.name
         ORDER BY mention.name LIMIT 20) AS listed) AS aliases
     FROM entities WHERE TRUE";

pub(super) async fn list(
    connection: &mut Session,
    query: &EntityQuery,
) -> Result<Vec<StoredEntity>> {
    let mut sql = Statement::new(ENTITY);
    if let Some(channel) = &query.channel_id {
        sql.push(" AND entity_id IN (SELECT entity_id FROM entity_mentions WHERE channel_id = ")
            .push_bind(channel.as_str())
            .push(")");
    }
    if let Some(kind) = query.kind {
        sql.push(" AND type = ").push_bind(kind.as_str());
    }
    if let Some(text) = &query.text {
        sql.push(" AND LOWER(name) LIKE ").push_bind(anywhere(text)).push(" ESCAPE '\\'");
    }
    if let Some(after) = &query.after {
        sql.push(" AND entity_id > ").push_bind(after.as_str());
    }
    sql.push(" ORDER BY entity_id LIMIT ").push_bind(query.limit);
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(entity).collect()
}

/// By id; unknown ones are left out.
pub(super) async fn by_ids(
    connection: &mut Session,
    ids: &[&EntityId],
) -> Result<Vec<StoredEntity>> {
    let mut sql = Statement::new(ENTITY);
    sql.push(" AND entity_id IN (SELECT atom FROM json_each(")
        .push_bind(json::encode(ids)?)
        .push(")) ORDER BY entity_id");
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(entity).collect()
}

/// Types and names of entities; unknown ones are left out.
pub(in crate::database) async fn names(
    connection: &mut Session,
    ids: &[&EntityId],
) -> Result<Vec<(EntityId, EntityType, String)>> {
    let rows = query(
        "SELECT entity_id, type, name FROM entities
         WHERE entity_id IN (SELECT atom FROM json_each($1)) ORDER BY entity_id",
    )
    .bind(json::encode(ids)?)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| Ok((row.parsed("entity_id")?, row.parsed("type")?, row.column("name")?)))
        .collect()
}

fn entity(row: &Row) -> Result<StoredEntity> {
    Ok(StoredEntity {
        id: row.parsed("entity_id")?,
        scope: row.column("scope")?,
        kind: row.parsed("type")?,
        key: row.column("key")?,
        name: row.column("name")?,
        aliases: row.json("aliases")?,
        fact_count: row.number("fact_count")?,
        first_seen: row.time("first_seen")?,
        last_seen: row.time("last_seen")?,
    })
}
