//! Decisions that took the place of earlier ones.
//!
//! A decision supersedes every earlier one of its channel that chose what it gives up. That is a
//! property of the two alone, so it does not matter which of them the graph learns of first.

use std::collections::BTreeSet;

use domain::FactId;

use super::share_marks;
use crate::{
    Result,
    database::{Session, json, query::query, row::Columns as _},
};

/// Removes the links of facts that have changed or are gone; answers with the earlier decisions.
pub(super) async fn unlink(write: &mut Session, facts: &str) -> Result<BTreeSet<FactId>> {
    let rows = query(
        "DELETE FROM fact_links WHERE newer IN (SELECT atom FROM json_each($1))
             OR older IN (SELECT atom FROM json_each($1))
         RETURNING older",
    )
    .bind(facts)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.parsed("older")).collect()
}

/// Links facts that have changed with others, both ways, and marks the pages that show an earlier
/// decision which stands differently now.
pub(super) async fn link(
    write: &mut Session,
    changed: &str,
    unlinked: BTreeSet<FactId>,
) -> Result<()> {
    let mut older = unlinked;
    for statement in [
        "INSERT INTO fact_links (newer, older)
         SELECT DISTINCT newer.fact_id, older.fact_id
         FROM json_each($1) AS changed
         JOIN graph_facts AS newer ON newer.fact_id = changed.atom
         JOIN fact_entities AS given_up
             ON given_up.fact_id = newer.fact_id AND given_up.reversed = TRUE
         JOIN fact_entities AS chosen ON chosen.entity_id = given_up.entity_id
             AND chosen.asserted_at < newer.asserted_at
             AND chosen.reversed = FALSE AND chosen.role = 'subject'
         JOIN graph_facts AS older ON older.fact_id = chosen.fact_id
         WHERE newer.kind = 'decision' AND older.kind = 'decision'
             AND newer.published = TRUE AND older.channel_id = newer.channel_id
         ON CONFLICT DO NOTHING RETURNING older",
        "INSERT INTO fact_links (newer, older)
         SELECT DISTINCT newer.fact_id, older.fact_id
         FROM json_each($1) AS changed
         JOIN graph_facts AS older ON older.fact_id = changed.atom
         JOIN fact_entities AS chosen ON chosen.fact_id = older.fact_id
             AND chosen.reversed = FALSE AND chosen.role = 'subject'
         JOIN fact_entities AS given_up ON given_up.entity_id = chosen.entity_id
             AND given_up.asserted_at > older.asserted_at AND given_up.reversed = TRUE
         JOIN graph_facts AS newer ON newer.fact_id = given_up.fact_id
         WHERE newer.kind = 'decision' AND older.kind = 'decision'
             AND newer.published = TRUE AND older.channel_id = newer.channel_id
         ON CONFLICT DO NOTHING RETURNING older",
    ] {
        let rows = query(statement).bind(changed).fetch_all(&mut *write).await?;
        for row in &rows {
            older.insert(row.parsed("older")?);
        }
    }
    mark(write, &older).await
}

async fn mark(write: &mut Session, older: &BTreeSet<FactId>) -> Result<()> {
    if older.is_empty() {
        return Ok(());
    }
    let older = json::encode(older)?;
    let rows = query(
        "SELECT DISTINCT channel_id FROM graph_facts
         WHERE fact_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(&older)
    .fetch_all(&mut *write)
    .await?;
    let channels = rows.iter().map(|row| row.id("channel_id")).collect::<Result<Vec<_>>>()?;
    share_marks(write, channels.iter()).await?;
    query(
        "INSERT INTO wiki_marks (channel_id, kind, key)
         SELECT channel.atom, page.atom, '' FROM json_each($1) AS channel
         CROSS JOIN json_each('[\"overview\",\"decisions\",\"timeline\"]') AS page
         UNION ALL SELECT DISTINCT fact.channel_id, 'topic', about.entity_id
         FROM graph_facts AS fact JOIN fact_entities AS about USING (fact_id)
         WHERE fact.fact_id IN (SELECT atom FROM json_each($2))",
    )
    .bind(json::encode(&channels)?)
    .bind(older)
    .execute(write)
    .await?;
    Ok(())
}
