//! What is around an entity.

use std::collections::{BTreeMap, BTreeSet};

use domain::EntityId;

use super::{
    entities,
    relationships::{RELATIONSHIP, relationship},
};
use crate::{
    Result, StoredEntity, StoredRelationship,
    database::{Session, json, query::Statement},
};

/// A neighbourhood is a view, not a dump: the best connected entities come first.
const MAX_ENTITIES: usize = 200;

/// Relationships read in one step.
const MAX_EDGES: u32 = 1_000;

pub(super) async fn around(
    connection: &mut Session,
    id: &EntityId,
    depth: u8,
) -> Result<(Vec<StoredEntity>, Vec<StoredRelationship>)> {
    let mut known = BTreeSet::from([id.clone()]);
    let mut edges = BTreeMap::new();
    let mut edge = known.clone();
    for _ in 0..depth {
        let found = touching(connection, &edge).await?;
        edge = BTreeSet::new();
        for relationship in found {
            for end in [&relationship.source, &relationship.target] {
                if known.len() < MAX_ENTITIES && known.insert(end.clone()) {
                    edge.insert(end.clone());
                }
            }
            edges.insert(relationship.id.clone(), relationship);
        }
    }
    let edges = edges
        .into_values()
        .filter(|edge| known.contains(&edge.source) && known.contains(&edge.target))
        .collect();
    let nodes = entities::by_ids(connection, &known.iter().collect::<Vec<_>>()).await?;
    Ok((nodes, edges))
}

async fn touching(
    connection: &mut Session,
    entities: &BTreeSet<EntityId>,
) -> Result<Vec<StoredRelationship>> {
    let ids = json::encode(entities)?;
    let mut sql: Statement = Statement::new(RELATIONSHIP);
    sql.push(" AND (source IN (SELECT atom FROM json_each(")
        .push_bind(ids.clone())
        .push(")) OR target IN (SELECT atom FROM json_each(")
        .push_bind(ids)
        .push("))) ORDER BY support DESC, relationship_id LIMIT ")
        .push_bind(MAX_EDGES);
    let rows = sql.build().fetch_all(connection).await?;
    rows.iter().map(|row| Ok(relationship(row)?.1)).collect()
}
