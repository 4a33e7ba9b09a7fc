//! Facts of the units that a batch touched.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ChannelId, Stage, TaskStatus, UnitId, UserId,
    fact::{Evidence, Fact},
    task::TaskInput,
};
use serde::Serialize;

use super::Fenced;
use crate::{
    ExtractedUnit, ExtractionEffect, Result,
    database::{Session, json, query::query, row::Columns as _},
};

/// Writes what was extracted, of tasks of several jobs.
pub(super) async fn results(
    write: &mut Session,
    tasks: &mut [(&mut Fenced, &ExtractionEffect)],
) -> Result<()> {
    let current = upsert_units(write, tasks).await?;
    let gone = retire_units(write, tasks).await?;
    replace_facts(write, tasks, &current, gone).await
}

/// The graph is to learn of it.
pub(super) fn finish(fenced: &mut Fenced, effect: &ExtractionEffect) {
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
    fenced.follow(Stage::BuildingGraph, vec![graph]);
    fenced.end(TaskStatus::Done);
}

#[derive(Serialize)]
struct UnitRow<'u> {
    unit_id: &'u UnitId,
    channel_id: &'u ChannelId,
    root: &'u str,
    input_hash: &'u str,
    as_of: i64,
    extraction: String,
}

/// Stores units, but none over a later reading of it; answers with those it did store.
async fn upsert_units(
    write: &mut Session,
    tasks: &[(&mut Fenced, &ExtractionEffect)],
) -> Result<BTreeSet<UnitId>> {
    let units = tasks.iter().flat_map(|(fenced, effect)| {
        effect.extracted.iter().map(|unit| unit_row(&fenced.channel, effect.as_of, unit))
    });
    let rows = units.collect::<Result<Vec<_>>>()?;
    if rows.is_empty() {
        return Ok(BTreeSet::new());
    }
    let stored = query(
        "INSERT INTO units (unit_id, channel_id, root_message_id, input_hash, as_of, extraction)
         SELECT value ->> 'unit_id', value ->> 'channel_id', value ->> 'root',
             value ->> 'input_hash', CAST(value ->> 'as_of' AS BIGINT), value ->> 'extraction'
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (unit_id) DO UPDATE SET input_hash = excluded.input_hash,
             as_of = excluded.as_of, extraction = excluded.extraction, retired = FALSE
         WHERE units.as_of <= excluded.as_of
         RETURNING unit_id",
    )
    .bind(json::encode(&rows)?)
    .fetch_all(write)
    .await?;
    stored.iter().map(|row| row.parsed("unit_id")).collect()
}

/// Facts have rows of their own.
fn unit_row<'u>(
    channel_id: &'u ChannelId,
    as_of: i64,
    unit: &'u ExtractedUnit,
) -> Result<UnitRow<'u>> {
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
        channel_id,
        root: unit.root.as_str(),
        input_hash: &unit.input_hash,
        as_of,
        extraction: json::encode(&extraction)?,
    })
}

#[derive(Serialize)]
struct Retired<'u> {
    unit_id: &'u UnitId,
    as_of: i64,
}

async fn retire_units(
    write: &mut Session,
    tasks: &[(&mut Fenced, &ExtractionEffect)],
) -> Result<Vec<UnitId>> {
    let retired: Vec<_> = tasks
        .iter()
        .flat_map(|(_, effect)| {
            effect.retired.iter().map(|unit_id| Retired { unit_id, as_of: effect.as_of })
        })
        .collect();
    if retired.is_empty() {
        return Ok(Vec::new());
    }
    let rows = query(
        r#"UPDATE units SET retired = TRUE, as_of = CAST(gone.value ->> 'as_of' AS BIGINT),
             input_hash = '', extraction = '{"facts":[],"mentions":[],"relationships":[]}'
         FROM json_each($1) AS gone
         WHERE unit_id = gone.value ->> 'unit_id'
             AND units.as_of <= CAST(gone.value ->> 'as_of' AS BIGINT)
         RETURNING unit_id"#,
    )
    .bind(json::encode(&retired)?)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| row.parsed("unit_id")).collect()
}

#[derive(Serialize)]
struct FactRow<'f> {
    fact_id: &'f str,
    channel_id: &'f ChannelId,
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
    fn new(channel_id: &'f ChannelId, unit_id: &'f UnitId, fact: &'f Fact) -> Result<Self> {
        // Evidence has rows of its own.
        let bare = Fact { evidence: Vec::new(), ..fact.clone() };
        Ok(Self {
            fact_id: fact.id.as_str(),
            channel_id,
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
    tasks: &mut [(&mut Fenced, &ExtractionEffect)],
    current: &BTreeSet<UnitId>,
    mut units: Vec<UnitId>,
) -> Result<()> {
    let mut rows = Vec::new();
    let mut evidence = Vec::new();
    for (fenced, effect) in tasks.iter() {
        let stored = effect.extracted.iter().filter(|unit| current.contains(&unit.unit_id));
        for ExtractedUnit { unit_id, extraction, .. } in stored {
            units.push(unit_id.clone());
            for fact in &extraction.facts {
                rows.push(FactRow::new(&fenced.channel, unit_id, fact)?);
                let cited = fact.evidence.iter().enumerate();
                evidence.extend(cited.map(|(n, evidence)| evidence_row(fact, n, evidence)));
            }
        }
    }
    let ids = json::encode(&rows.iter().map(|row| row.fact_id).collect::<Vec<_>>())?;
    delete_facts(write, &json::encode(&units)?, &ids).await?;
    if rows.is_empty() {
        return Ok(());
    }
    let known = upsert_facts(write, &rows, &ids).await?;
    upsert_evidence(write, &json::encode(&evidence)?, &ids).await?;
    let mut new: BTreeMap<ChannelId, u64> = BTreeMap::new();
    for row in rows.iter().filter(|row| !known.contains(row.fact_id)) {
        *new.entry(row.channel_id.clone()).or_default() += 1;
    }
    for (fenced, _) in tasks {
        fenced.counts.facts += new.get(&fenced.channel).copied().unwrap_or_default();
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

/// Answers with those that are not new.
async fn upsert_facts(
    write: &mut Session,
    rows: &[FactRow<'_>],
    ids: &str,
) -> Result<BTreeSet<String>> {
    let known =
        query("SELECT fact_id FROM facts WHERE fact_id IN (SELECT atom FROM json_each($1))")
            .bind(ids)
            .fetch_all(&mut *write)
            .await?;
    query(
        "INSERT INTO facts (fact_id, channel_id, unit_id, kind, text, status, importance, quality,
             published, asserted_at, author_id, fact)
         SELECT value ->> 'fact_id', value ->> 'channel_id', value ->> 'unit_id', value ->> 'kind', value ->> 'text',
             value ->> 'status', CAST(value ->> 'importance' AS BIGINT), CAST(value ->> 'quality' AS DOUBLE PRECISION),
             CAST(value ->> 'published' AS BOOLEAN), CAST(value ->> 'asserted_at' AS BIGINT), value ->> 'author_id',
             value ->> 'fact'
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (fact_id) DO UPDATE SET unit_id = excluded.unit_id, text = excluded.text,
             status = excluded.status, importance = excluded.importance,
             quality = excluded.quality, published = excluded.published,
             asserted_at = excluded.asserted_at, author_id = excluded.author_id,
             fact = excluded.fact
         WHERE facts.fact <> excluded.fact OR facts.unit_id <> excluded.unit_id",
    )
    .bind(json::encode(rows)?)
    .execute(write)
    .await?;
    known.iter().map(|row| row.column("fact_id")).collect()
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
