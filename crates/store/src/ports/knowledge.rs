//! Facts, entities and relationships.

use async_trait::async_trait;
use domain::{
    ChannelId, EntityId, FactId, MessageId, RelationshipId, Timestamp, UnitId,
    fact::{EntityRole, EvidenceRole, Extraction, Fact, FactKind, FactStatus, Person},
    graph::{EntityType, RelationshipType},
};

use serde::Serialize;

use crate::Result;

/// A fact as it stands in its channel.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredFact {
    /// Its channel.
    pub channel_id: ChannelId,
    /// The fact as its conversation tells it.
    pub fact: Fact,
    /// How it stands in the light of the whole channel.
    pub status: Option<FactStatus>,
    /// Since when it no longer holds.
    pub valid_until: Option<Timestamp>,
    /// The earliest later fact that took its place.
    pub superseded_by: Option<FactId>,
    /// What it is about, by id, sorted.
    pub entities: Vec<FactEntityRow>,
    /// The messages it rests on, the carrying one first.
    pub sources: Vec<Source>,
}

/// An entity of a fact.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct FactEntityRow {
    /// The entity.
    pub id: EntityId,
    /// Its name.
    pub name: String,
    /// Its type.
    pub kind: EntityType,
    /// Its part in the fact.
    pub role: EntityRole,
}

/// A message that a fact rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Source {
    /// The message.
    pub message_id: MessageId,
    /// What it contributes.
    pub role: EvidenceRole,
    /// Its words.
    pub quote: String,
    /// Where the platform shows it.
    pub permalink: Option<String>,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// Who wrote it.
    pub author: Person,
}

/// Which facts, newest first.
#[derive(Debug, Clone, Default)]
pub struct FactQuery {
    /// Of one channel.
    pub channel_id: Option<ChannelId>,
    /// Of these kinds; all when empty.
    pub kinds: Vec<FactKind>,
    /// About this entity.
    pub entity: Option<EntityId>,
    /// Only those that pages show.
    pub published_only: bool,
    /// Said at or after.
    pub since: Option<Timestamp>,
    /// Said before.
    pub until: Option<Timestamp>,
    /// Whose text contains this, whatever the case.
    pub text: Option<String>,
    /// Only those listed after this one.
    pub after: Option<(Timestamp, FactId)>,
    /// How many at most.
    pub limit: u32,
}

/// An entity as it stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StoredEntity {
    /// Its id.
    pub id: EntityId,
    /// `platform:workspace`.
    pub scope: String,
    /// Its type.
    pub kind: EntityType,
    /// Its key within scope and type.
    pub key: String,
    /// Its name.
    pub name: String,
    /// Other names it goes by, sorted; at most twenty.
    pub aliases: Vec<String>,
    /// Facts about it.
    pub fact_count: u64,
    /// First message in which it occurs.
    pub first_seen: Timestamp,
    /// Last message in which it occurs.
    pub last_seen: Timestamp,
}

/// Which entities, by id.
#[derive(Debug, Clone, Default)]
pub struct EntityQuery {
    /// That occur in one channel.
    pub channel_id: Option<ChannelId>,
    /// Of one type.
    pub kind: Option<EntityType>,
    /// Whose name contains this, whatever the case.
    pub text: Option<String>,
    /// Only those listed after this one.
    pub after: Option<EntityId>,
    /// How many at most.
    pub limit: u32,
}

/// A relationship as it stands.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct StoredRelationship {
    /// Its id.
    pub id: RelationshipId,
    /// Its channel.
    pub channel_id: ChannelId,
    /// What it says.
    pub kind: RelationshipType,
    /// Where the arrow starts.
    pub source: EntityId,
    /// Where it ends.
    pub target: EntityId,
    /// How sure it is, 0 to 0.99.
    pub confidence: f64,
    /// When it was first said.
    pub valid_from: Timestamp,
    /// Since when every fact that supports it is superseded.
    pub valid_until: Option<Timestamp>,
    /// The facts that support it, oldest first; at most a hundred.
    pub fact_ids: Vec<FactId>,
}

/// Which relationships, the best supported first.
#[derive(Debug, Clone, Default)]
pub struct RelationshipQuery {
    /// Of one channel.
    pub channel_id: Option<ChannelId>,
    /// Of one type.
    pub kind: Option<RelationshipType>,
    /// From or to this entity.
    pub entity: Option<EntityId>,
    /// Only those listed after this one, given by its support and id.
    pub after: Option<(u32, RelationshipId)>,
    /// How many at most.
    pub limit: u32,
}

/// What a unit teaches now, and what the graph knows of it.
#[derive(Debug, Clone)]
pub struct UnitKnowledge {
    /// The unit.
    pub unit_id: UnitId,
    /// Which extraction this is.
    pub as_of: i64,
    /// Whether its messages belong to other units now.
    pub retired: bool,
    /// `platform:workspace` of its entities.
    pub scope: String,
    /// What it teaches; nothing when retired.
    pub extraction: Extraction,
    /// Its facts as the graph knows them.
    pub graphed: Vec<GraphedFact>,
}

/// A fact as the graph knows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GraphedFact {
    /// The fact.
    pub fact_id: FactId,
    /// Its kind.
    pub kind: FactKind,
    /// Whether pages show it.
    pub published: bool,
    /// Digest of the fact.
    pub digest: String,
    /// What it is about.
    pub entities: Vec<EntityId>,
}

/// Facts, entities and relationships. Writing them is [`crate::Tasks::commit`]'s.
#[async_trait]
pub trait Knowledge: Send + Sync + 'static {
    /// Facts, newest first.
    async fn facts(&self, query: &FactQuery) -> Result<Vec<StoredFact>>;
    /// A fact.
    async fn fact(&self, id: &FactId) -> Result<Option<StoredFact>>;
    /// Entities, by id.
    async fn entities(&self, query: &EntityQuery) -> Result<Vec<StoredEntity>>;
    /// An entity.
    async fn entity(&self, id: &EntityId) -> Result<Option<StoredEntity>>;
    /// What is at most `depth` (1 to 3) steps away from an entity, itself included; at most two
    /// hundred entities, the best connected first.
    async fn neighbors(
        &self,
        id: &EntityId,
        depth: u8,
    ) -> Result<(Vec<StoredEntity>, Vec<StoredRelationship>)>;
    /// Relationships, the best supported first.
    async fn relationships(
        &self,
        query: &RelationshipQuery,
    ) -> Result<Vec<(u32, StoredRelationship)>>;
    /// What units teach now and what the graph knows of them; unknown units are left out.
    async fn unit_knowledge(&self, units: &[UnitId]) -> Result<Vec<UnitKnowledge>>;
}
