//! What a unit contributes to the graph.

use domain::{ChannelId, fact::Fact, graph::RelationshipClaim, message::hex};
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{GraphFactRow, GraphedUnit, MentionRow, SupportRow, UnitKnowledge};

pub(crate) fn unit(channel: &ChannelId, known: &UnitKnowledge) -> GraphedUnit {
    let UnitKnowledge { extraction, scope, .. } = known;
    let claims = |fact: &Fact| -> Vec<&RelationshipClaim> {
        extraction.relationships.iter().filter(|claim| claim.fact_id == fact.id).collect()
    };
    GraphedUnit {
        unit_id: known.unit_id.clone(),
        as_of: known.as_of,
        retired: known.retired,
        mentions: mentions(known),
        facts: extraction.facts.iter().map(|fact| row(scope, fact, &claims(fact))).collect(),
        supports: extraction
            .relationships
            .iter()
            .map(|claim| SupportRow {
                relationship_id: claim.id(channel.as_str(), scope),
                source: claim.source.id(scope),
                kind: claim.kind,
                target: claim.target.id(scope),
                fact_id: claim.fact_id.clone(),
                asserted_at: claim.asserted_at,
            })
            .collect(),
    }
}

fn mentions(known: &UnitKnowledge) -> Vec<MentionRow> {
    let scope = &known.scope;
    let row = |mention: &domain::graph::EntityMention| MentionRow {
        entity_id: mention.entity.id(scope),
        scope: scope.clone(),
        kind: mention.entity.kind,
        key: mention.entity.key.clone(),
        name: mention.name.clone(),
        count: mention.count,
        first_seen: mention.first_seen,
        last_seen: mention.last_seen,
    };
    known.extraction.mentions.iter().map(row).collect()
}

fn row(scope: &str, fact: &Fact, claims: &[&RelationshipClaim]) -> GraphFactRow {
    let about = fact.entities.iter().map(|about| (about.entity.id(scope), about.role, false));
    let given_up = fact
        .reverses
        .iter()
        .map(|entity| (entity.id(scope), domain::fact::EntityRole::Mention, true));
    GraphFactRow {
        fact_id: fact.id.clone(),
        kind: fact.kind,
        published: fact.published,
        asserted_at: fact.asserted_at,
        digest: digest(fact, claims),
        entities: about.chain(given_up).collect(),
    }
}

/// Equal for facts that mean the same to graph and pages.
fn digest(fact: &Fact, claims: &[&RelationshipClaim]) -> String {
    #[derive(Serialize)]
    struct Whole<'f> {
        fact: &'f Fact,
        claims: &'f [&'f RelationshipClaim],
    }
    // Plain data: its serialisation cannot fail.
    let bytes = serde_json::to_vec(&Whole { fact, claims }).unwrap_or_default();
    hex(&Sha256::digest(&bytes)[..16])
}
