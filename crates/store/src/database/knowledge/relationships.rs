//! Relationships.

use domain::graph::confidence;

use crate::{
    RelationshipQuery, Result, StoredRelationship,
    database::{
        Session,
        query::Statement,
        row::{Columns as _, Row},
    },
};

/// A relationship ends when the last of its facts was superseded.
pub(super) const RELATIONSHIP: &str = "SELECT relationship_id, channel_id, source, type, target,
     support, valid_from,
     (SELECT json_group_array(fact_id) FROM (SELECT fact_id FROM relationship_support AS support
         WHERE support.relationship_id = relationships.relationship_id
         ORDER BY asserted_at, fact_id LIMIT 100) AS listed) AS fact_ids,
     CASE WHEN EXISTS (SELECT 1 FROM relationship_support AS support
             WHERE support.relationship_id = relationships.relationship_id
                 AND support.fact_id NOT IN (SELECT older FROM fact_links))
         THEN NULL
         ELSE (SELECT MAX(newer.asserted_at) FROM relationship_support AS support
             JOIN fact_links AS link ON link.older = support.fact_id
             JOIN graph_facts AS newer ON newer.fact_id = link.newer
             WHERE support.relationship_id = relationships.relationship_id) END AS valid_until
     FROM relationships WHERE TRUE";

pub(super) async fn list(
    connection: &mut Session,
    query: &RelationshipQuery,
) -> Result<Vec<(u32, StoredRelationship)>> {
    let mut sql: Statement = Statement::new(RELATIONSHIP);
    if let Some(channel) = &query.channel_id {
        sql.push(" AND channel_id = ").push_bind(channel.as_str());
    }
    if let Some(kind) = query.kind {
        sql.push(" AND type = ").push_bind(kind.as_str());
    }
    if let Some(entity) = &query.entity {
        sql.push(" AND (source = ")
            .push_bind(entity.as_str())
            .push(" OR target = ")
            .push_bind(entity.as_str())
            .push(")");
    }
    if let Some((support, id)) = &query.after {
        sql.push(" AND (-support, relationship_id) > (")
            .push_bind(-i64::from(*support))
            .push(", ")
            .push_bind(id.as_str())
            .push(")");
    }
    sql.push(" ORDER BY support DESC, relationship_id LIMIT ").push_bind(query.limit);
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(relationship).collect()
}

/// The best supported relationships of each of these channels, the best first.
pub(in crate::database) async fn best_of_channels(
    connection: &mut Session,
    channels: &str,
    limit: u32,
) -> Result<Vec<StoredRelationship>> {
    let mut sql = Statement::new(RELATIONSHIP);
    sql.push(
        " AND relationship_id IN (SELECT relationship_id FROM (
             SELECT relationship_id, ROW_NUMBER() OVER (PARTITION BY channel_id
                 ORDER BY support DESC, relationship_id) AS place
             FROM relationships WHERE channel_id IN (SELECT atom FROM json_each(",
    )
    .push_bind(channels)
    .push(")) ) AS ranked WHERE place <= ")
    .push_bind(limit)
    .push(") ORDER BY channel_id, support DESC, relationship_id");
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok(relationship(row)?.1)).collect()
}

pub(super) fn relationship(row: &Row) -> Result<(u32, StoredRelationship)> {
    let support = row.number("support")?;
    let relationship = StoredRelationship {
        id: row.parsed("relationship_id")?,
        channel_id: row.id("channel_id")?,
        kind: row.parsed("type")?,
        source: row.parsed("source")?,
        target: row.parsed("target")?,
        confidence: confidence(support),
        valid_from: row.time("valid_from")?,
        valid_until: row.optional_time("valid_until")?,
        fact_ids: row.json("fact_ids")?,
    };
    Ok((support, relationship))
}
