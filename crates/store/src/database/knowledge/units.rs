//! What units teach, and what the graph knows of them.

use std::collections::{BTreeSet, HashMap};

use domain::{
    EntityId, FactId, UnitId,
    fact::{Evidence, Extraction, Fact},
};

use super::facts::evidence_role;
use crate::{
    GraphedFact, Result, UnitKnowledge,
    database::{Session, json, query::query, row::Columns as _},
};

/// Of lists of units, in order.
pub(super) async fn of_lists(
    connection: &mut Session,
    lists: &[Vec<UnitId>],
) -> Result<Vec<Vec<UnitKnowledge>>> {
    let all: BTreeSet<&UnitId> = lists.iter().flatten().collect();
    let known = knowledge(connection, &all).await?;
    let of = |units: &Vec<UnitId>| {
        let units: BTreeSet<&UnitId> = units.iter().collect();
        known.iter().filter(|known| units.contains(&known.unit_id)).cloned().collect()
    };
    Ok(lists.iter().map(of).collect())
}

async fn knowledge(
    connection: &mut Session,
    units: &BTreeSet<&UnitId>,
) -> Result<Vec<UnitKnowledge>> {
    let ids = json::encode(units)?;
    let mut facts = facts(connection, &ids).await?;
    let mut graphed = graphed(connection, &ids).await?;
    let rows = query(
        "SELECT unit_id, as_of, retired, extraction, platform || ':' || workspace AS scope
         FROM units JOIN channels USING (channel_id) JOIN connections USING (connection_id)
         WHERE unit_id IN (SELECT atom FROM json_each($1)) ORDER BY unit_id",
    )
    .bind(&ids)
    .fetch_all(connection)
    .await?;
    rows.iter()
        .map(|row| {
            let unit_id: UnitId = row.parsed("unit_id")?;
            let extraction: Extraction = row.json("extraction")?;
            Ok(UnitKnowledge {
                as_of: row.column("as_of")?,
                retired: row.column("retired")?,
                scope: row.column("scope")?,
                extraction: Extraction {
                    facts: facts.remove(&unit_id).unwrap_or_default(),
                    ..extraction
                },
                graphed: graphed.remove(&unit_id).unwrap_or_default(),
                unit_id,
            })
        })
        .collect()
}

async fn facts(connection: &mut Session, units: &str) -> Result<HashMap<UnitId, Vec<Fact>>> {
    let mut evidence = evidence(connection, units).await?;
    let rows = query(
        "SELECT unit_id, fact FROM facts WHERE unit_id IN (SELECT atom FROM json_each($1))
         ORDER BY fact_id",
    )
    .bind(units)
    .fetch_all(connection)
    .await?;
    let mut facts: HashMap<UnitId, Vec<Fact>> = HashMap::new();
    for row in &rows {
        let mut fact: Fact = row.json("fact")?;
        fact.evidence = evidence.remove(&fact.id).unwrap_or_default();
        facts.entry(row.parsed("unit_id")?).or_default().push(fact);
    }
    Ok(facts)
}

async fn evidence(connection: &mut Session, units: &str) -> Result<HashMap<FactId, Vec<Evidence>>> {
    let rows = query(
        "SELECT evidence.* FROM facts AS fact JOIN fact_evidence AS evidence USING (fact_id)
         WHERE fact.unit_id IN (SELECT atom FROM json_each($1))
         ORDER BY evidence.fact_id, evidence.n",
    )
    .bind(units)
    .fetch_all(connection)
    .await?;
    let mut evidence: HashMap<FactId, Vec<Evidence>> = HashMap::new();
    for row in &rows {
        let entry = Evidence {
            message_id: row.id("message_id")?,
            role: evidence_role(row.column("role")?)?,
            start: row.number("start_byte")?,
            end: row.number("end_byte")?,
            quote: row.column("quote")?,
        };
        evidence.entry(row.parsed("fact_id")?).or_default().push(entry);
    }
    Ok(evidence)
}

async fn graphed(
    connection: &mut Session,
    units: &str,
) -> Result<HashMap<UnitId, Vec<GraphedFact>>> {
    let rows = query(
        "SELECT unit_id, fact_id, kind, published, digest,
             (SELECT json_group_array(entity_id) FROM (SELECT DISTINCT entity_id
                 FROM fact_entities AS about WHERE about.fact_id = graph_facts.fact_id
                 ORDER BY entity_id) AS listed) AS entities
         FROM graph_facts WHERE unit_id IN (SELECT atom FROM json_each($1)) ORDER BY fact_id",
    )
    .bind(units)
    .fetch_all(connection)
    .await?;
    let mut graphed: HashMap<UnitId, Vec<GraphedFact>> = HashMap::new();
    for row in &rows {
        let fact = GraphedFact {
            fact_id: row.parsed("fact_id")?,
            kind: row.parsed("kind")?,
            published: row.column("published")?,
            digest: row.column("digest")?,
            entities: row.json::<Vec<EntityId>>("entities")?,
        };
        graphed.entry(row.parsed("unit_id")?).or_default().push(fact);
    }
    Ok(graphed)
}
