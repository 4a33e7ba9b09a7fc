//! Facts of the units that a batch touched.

use std::collections::BTreeSet;

use domain::{
    Stage, TaskStatus, UnitId, UserId,
    fact::{Evidence, Fact},
    task::TaskInput,
};
use serde::Serialize;

use super::Fenced;
use crate::{
    ExtractedUnit, ExtractionEffect, Result,
    database::{Session, json, query::query, row::Columns as _},
};

pub(super) async fn write(
    write: &mut Session,
    fenced: &mut Fenced,
    effect: &ExtractionEffect,
) -> Result<bool> {
    let current = upsert_units(write, fenced, effect).await?;
    let gone = retire_units(write, effect).await?;
    let extracted: Vec<_> =
        effect.extracted.iter().filter(|unit| current.contains(&unit.unit_id)).collect();
    replace_facts(write, fenced, &extracted, &gone).await?;
    let touched = effect
        .extracted
        .iter()
        .map(|unit| &unit.unit_id)
        .chain(&effect.unchanged)
        .chain(&effect.retired);
    let graph = TaskInput::Graph {
        seeds: fenced.seeds().to_vec(),
        units: touched.cloned().collect::<BTreeSet<_>>().into_iter().collect(),
    };
    if !fenced.lock(write).await? {
        return Ok(false);
    }
    fenced.follow(write, Stage::BuildingGraph, &[graph]).await?;
    fenced.end(write, TaskStatus::Done).await?;
    Ok(true)
}

#[derive(Serialize)]
struct UnitRow<'u> {
    unit_id: &'u UnitId,
    root: &'u str,
    input_hash: &'u str,
    extraction: String,
}

/// Stores units, but none over a later reading of it; answers with those it did store.
async fn upsert_units(
    write: &mut Session,
    fenced: &Fenced,
    effect: &ExtractionEffect,
) -> Result<BTreeSet<UnitId>> {
    let rows = effect.extracted.iter().map(unit_row).collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let stored = query(
        "INSERT INTO units (unit_id, channel_id, root_message_id, input_hash, as_of, extraction)
         SELECT value ->> 'unit_id', $1, value ->> 'root', value ->> 'input_hash', $2,
             value ->> 'extraction'
         FROM json_each($3) WHERE TRUE
         ON CONFLICT (unit_id) DO UPDATE SET input_hash = excluded.input_hash,
             as_of = excluded.as_of, extraction = excluded.extraction, retired = FALSE
         WHERE units.as_of <= excluded.as_of
         RETURNING unit_id",
    )
    .bind(fenced.channel.as_str())
    .bind(effect.as_of)
    .bind(json::encode(&rows)?)
    .fetch_all(write)
    .await?;
    stored.iter().map(|row| row.parsed("unit_id")).collect()
}

/// Facts have rows of their own.
fn unit_row(unit: &ExtractedUnit) -> Result<UnitRow<'_>> {
    #[derive(Serialize)]
    struct WithoutFacts<'e> {
        facts: [(); 0],
        mentions: &'e [domain::graph::EntityMention],
        relationships: &'e [domain::graph::RelationshipClaim],
    }
    let extraction = WithoutFacts {
        facts: [],
        mentions: &unit.extraction.mentions,
        relationships: &unit.extraction.relationships,
    };
    Ok(UnitRow {
        unit_id: &unit.unit_id,
        root: unit.root.as_str(),
        input_hash: &unit.input_hash,
        extraction: json::encode(&extraction)?,
    })
}

async fn retire_units(write: &mut Session, effect: &ExtractionEffect) -> Result<Vec<UnitId>> {
    if effect.retired.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(
        r#"UPDATE units SET retired = TRUE, as_of = $2, input_hash = '',
             extraction = '{"facts":[],"mentions":[],"relationships":[]}'
         WHERE unit_id IN (SELECT atom FROM json_each($1)) AND as_of <= $2
         RETURNING unit_id"#,
    )
    .bind(json::encode(&effect.retired)?)
    .bind(effect.as_of)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.parsed("unit_id")).collect()
}

#[derive(Serialize)]
struct FactRow<'f> {
    fact_id: &'f str,
    unit_id: &'f UnitId,
    kind: &'static str,
    text: &'f str,
    status: Option<&'static str>,
    importance: u8,
    quality: f64,
    published: u8,
    asserted_at: i64,
    author_id: Option<&'f str>,
    fact: String,
}

impl<'f> FactRow<'f> {
    fn new(unit_id: &'f UnitId, fact: &'f Fact) -> Result<Self> {
        // Evidence has rows of its own.
        let bare = Fact { evidence: Vec::new(), ..fact.clone() };
        Ok(Self {
            fact_id: fact.id.as_str(),
            unit_id,
            kind: fact.kind.as_str(),
            text: &fact.text,
            status: fact.status.map(domain::fact::FactStatus::as_str),
            importance: fact.importance,
            quality: fact.quality,
            published: u8::from(fact.published),
            asserted_at: fact.asserted_at.micros(),
            author_id: fact.author.id.as_ref().map(UserId::as_str),
            fact: json::encode(&bare)?,
        })
    }
}

#[derive(Serialize)]
struct EvidenceRow<'f> {
    fact_id: &'f str,
    n: usize,
    message_id: &'f str,
    role: &'static str,
    start: u32,
    end: u32,
    quote: &'f str,
}

/// Makes the facts of units those that were found now, writing only what differs.
async fn replace_facts(
    write: &mut Session,
    fenced: &mut Fenced,
    extracted: &[&ExtractedUnit],
    gone: &[UnitId],
) -> Result<()> {
    let facts = || {
        extracted
            .iter()
            .flat_map(|unit| unit.extraction.facts.iter().map(move |fact| (&unit.unit_id, fact)))
    };
    let rows = facts().map(|(unit, fact)| FactRow::new(unit, fact)).collect::<Result<Vec<_>>>()?;
    let evidence: Vec<_> = facts()
        .flat_map(|(_, fact)| {
            fact.evidence.iter().enumerate().map(|(n, evidence)| evidence_row(fact, n, evidence))
        })
        .collect();
    let units: Vec<_> = extracted.iter().map(|unit| &unit.unit_id).chain(gone).collect();
    let ids = json::encode(&rows.iter().map(|row| row.fact_id).collect::<Vec<_>>())?;
    delete_facts(write, &json::encode(&units)?, &ids).await?;
    if !rows.is_empty() {
        fenced.counts.facts += upsert_facts(write, fenced, &rows, &ids).await?;
        upsert_evidence(write, &json::encode(&evidence)?, &ids).await?;
    }
    Ok(())
}

fn evidence_row<'f>(fact: &'f Fact, n: usize, evidence: &'f Evidence) -> EvidenceRow<'f> {
    EvidenceRow {
        fact_id: fact.id.as_str(),
        n,
        message_id: evidence.message_id.as_str(),
        role: evidence.role.as_str(),
        start: evidence.start,
        end: evidence.end,
        quote: &evidence.quote,
    }
}

async fn delete_facts(write: &mut Session, units: &str, kept: &str) -> Result<()> {
    query(
        "DELETE FROM facts WHERE unit_id IN (SELECT atom FROM json_each($1))
             AND fact_id NOT IN (SELECT atom FROM json_each($2))",
    )
    .bind(units)
    .bind(kept)
    .execute(write)
    .await?;
    Ok(())
}

/// Answers with how many are new.
async fn upsert_facts(
    write: &mut Session,
    fenced: &Fenced,
    rows: &[FactRow<'_>],
    ids: &str,
) -> Result<u64> {
    let known = query(
        "SELECT COUNT(*) AS known FROM facts WHERE fact_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(ids)
    .fetch_one(&mut *write)
    .await?;
    query(
        "INSERT INTO facts (fact_id, channel_id, unit_id, kind, text, status, importance, quality,
             published, asserted_at, author_id, fact)
         SELECT value ->> 'fact_id', $1, value ->> 'unit_id', value ->> 'kind', value ->> 'text',
             value ->> 'status', CAST(value ->> 'importance' AS BIGINT), CAST(value ->> 'quality' AS DOUBLE PRECISION),
             CAST(value ->> 'published' AS BOOLEAN), CAST(value ->> 'asserted_at' AS BIGINT), value ->> 'author_id',
             value ->> 'fact'
         FROM json_each($2) WHERE TRUE
         ON CONFLICT (fact_id) DO UPDATE SET unit_id = excluded.unit_id, text = excluded.text,
             status = excluded.status, importance = excluded.importance,
             quality = excluded.quality, published = excluded.published,
             asserted_at = excluded.asserted_at, author_id = excluded.author_id,
             fact = excluded.fact
         WHERE facts.fact <> excluded.fact OR facts.unit_id <> excluded.unit_id",
    )
    .bind(fenced.channel.as_str())
    .bind(json::encode(rows)?)
    .execute(write)
    .await?;
    let known: u64 = known.number("known")?;
    Ok((rows.len() as u64).saturating_sub(known))
}

async fn upsert_evidence(write: &mut Session, evidence: &str, facts: &str) -> Result<()> {
    query(
        "DELETE FROM fact_evidence WHERE fact_id IN (SELECT atom FROM json_each($1))
             AND (fact_id, n) NOT IN
                 (SELECT value ->> 'fact_id', CAST(value ->> 'n' AS BIGINT) FROM json_each($2))",
    )
    .bind(facts)
    .bind(evidence)
    .execute(&mut *write)
    .await?;
    query(
        "INSERT INTO fact_evidence (fact_id, n, message_id, role, start_byte, end_byte, quote)
         SELECT value ->> 'fact_id', CAST(value ->> 'n' AS BIGINT), value ->> 'message_id', value ->> 'role',
             CAST(value ->> 'start' AS BIGINT), CAST(value ->> 'end' AS BIGINT), value ->> 'quote'
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (fact_id, n) DO UPDATE SET message_id = excluded.message_id,
             role = excluded.role, start_byte = excluded.start_byte, end_byte = excluded.end_byte,
             quote = excluded.quote
         WHERE fact_evidence.message_id <> excluded.message_id
             OR fact_evidence.role <> excluded.role
             OR fact_evidence.start_byte <> excluded.start_byte
             OR fact_evidence.end_byte <> excluded.end_byte
             OR fact_evidence.quote <> excluded.quote",
    )
    .bind(evidence)
    .execute(write)
    .await?;
    Ok(())
}
