//! Facts, entities and relationships.

use domain::Timestamp;
use serde::Serialize;
use store::{FactEntityRow, Source, StoredEntity, StoredFact, StoredRelationship};
use utoipa::ToSchema;

use super::Author;

/// A fact with its citations.
#[derive(Serialize, ToSchema)]
pub(crate) struct FactReply {
    id: String,
    channel_id: String,
    kind: &'static str,
    text: String,
    /// The accepted answer of a question.
    answer: Option<String>,
    /// Why it was decided.
    rationale: Option<String>,
    /// Who has to do it, or who owns it.
    owner: Option<Author>,
    /// The day until which it is to be done.
    due: Option<String>,
    /// 0.0 to 1.0, by the quality gate.
    quality: f64,
    /// 0 (incidental) to 3 (everybody should know).
    importance: u8,
    status: Option<&'static str>,
    /// Whether pages show it.
    published: bool,
    #[schema(value_type = String)]
    asserted_at: Timestamp,
    #[schema(value_type = Option<String>)]
    valid_until: Option<Timestamp>,
    author: Author,
    entities: Vec<AboutReply>,
    sources: Vec<SourceReply>,
}

#[derive(Serialize, ToSchema)]
struct AboutReply {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
}

/// The words of a message that a fact rests on.
#[derive(Serialize, ToSchema)]
struct SourceReply {
    message_id: String,
    quote: String,
    permalink: Option<String>,
    #[schema(value_type = String)]
    timestamp: Timestamp,
    author: Author,
}

impl From<StoredFact> for FactReply {
    fn from(stored: StoredFact) -> Self {
        let fact = stored.fact;
        let mut entities: Vec<_> = stored.entities.iter().map(about).collect();
        entities.dedup_by(|a, b| a.id == b.id);
        Self {
            id: fact.id.to_string(),
            channel_id: stored.channel_id.to_string(),
            kind: fact.kind.as_str(),
            text: fact.text,
            answer: fact.answer,
            rationale: fact.rationale,
            owner: fact.owner.as_ref().map(Author::from),
            due: fact.due,
            quality: fact.quality,
            importance: fact.importance,
            status: stored.status.map(domain::fact::FactStatus::as_str),
            published: fact.published,
            asserted_at: fact.asserted_at,
            valid_until: stored.valid_until,
            author: Author::from(&fact.author),
            entities,
            sources: stored.sources.iter().map(source).collect(),
        }
    }
}

fn about(row: &FactEntityRow) -> AboutReply {
    AboutReply { id: row.id.to_string(), name: row.name.clone(), kind: row.kind.as_str() }
}

fn source(source: &Source) -> SourceReply {
    SourceReply {
        message_id: source.message_id.to_string(),
        quote: source.quote.clone(),
        permalink: source.permalink.clone(),
        timestamp: source.timestamp,
        author: Author::from(&source.author),
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Memories {
    pub(crate) memories: Vec<FactReply>,
    pub(crate) next_cursor: Option<String>,
}

/// Something that messages name.
#[derive(Serialize, ToSchema)]
pub(crate) struct EntityReply {
    id: String,
    name: String,
    #[serde(rename = "type")]
    kind: &'static str,
    scope: String,
    aliases: Vec<String>,
    fact_count: u64,
    #[schema(value_type = String)]
    first_seen: Timestamp,
    #[schema(value_type = String)]
    last_seen: Timestamp,
}

impl From<StoredEntity> for EntityReply {
    fn from(entity: StoredEntity) -> Self {
        Self {
            id: entity.id.to_string(),
            name: entity.name,
            kind: entity.kind.as_str(),
            scope: entity.scope,
            aliases: entity.aliases,
            fact_count: entity.fact_count,
            first_seen: entity.first_seen,
            last_seen: entity.last_seen,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Entities {
    pub(crate) entities: Vec<EntityReply>,
    pub(crate) next_cursor: Option<String>,
}

/// What one entity has to do with another.
#[derive(Serialize, ToSchema)]
pub(crate) struct RelationshipReply {
    id: String,
    #[serde(rename = "type")]
    kind: &'static str,
    source: String,
    target: String,
    confidence: f64,
    #[schema(value_type = String)]
    valid_from: Timestamp,
    #[schema(value_type = Option<String>)]
    valid_until: Option<Timestamp>,
    fact_ids: Vec<String>,
}

impl From<StoredRelationship> for RelationshipReply {
    fn from(relationship: StoredRelationship) -> Self {
        Self {
            id: relationship.id.to_string(),
            kind: relationship.kind.as_str(),
            source: relationship.source.to_string(),
            target: relationship.target.to_string(),
            confidence: relationship.confidence,
            valid_from: relationship.valid_from,
            valid_until: relationship.valid_until,
            fact_ids: relationship.fact_ids.into_iter().map(String::from).collect(),
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Relationships {
    pub(crate) relationships: Vec<RelationshipReply>,
    pub(crate) next_cursor: Option<String>,
}

/// What is around an entity.
#[derive(Serialize, ToSchema)]
pub(crate) struct Neighborhood {
    pub(crate) nodes: Vec<EntityReply>,
    pub(crate) edges: Vec<RelationshipReply>,
}
