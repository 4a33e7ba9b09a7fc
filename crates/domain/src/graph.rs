//! The knowledge graph: entities, relationships, and what supports them.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{EntityId, FactId, RelationshipId, Timestamp, fact::Unknown};

/// The closed list of types of entities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityType {
    /// Somebody, known by the platform's user id.
    Person,
    /// A group of people.
    Team,
    /// An undertaking with a name.
    Project,
    /// A source repository.
    Repository,
    /// A running thing that the team operates.
    Service,
    /// A language, tool, product or library.
    Technology,
    /// A web address.
    Url,
}

impl EntityType {
    /// All types.
    pub const ALL: [Self; 7] = [
        Self::Person,
        Self::Team,
        Self::Project,
        Self::Repository,
        Self::Service,
        Self::Technology,
        Self::Url,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Team => "team",
            Self::Project => "project",
            Self::Repository => "repository",
            Self::Service => "service",
            Self::Technology => "technology",
            Self::Url => "url",
        }
    }
}

impl FromStr for EntityType {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(Unknown("entity type"))
    }
}

/// The closed list of types of relationships; they read `source TYPE target`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum RelationshipType {
    /// A person works on something.
    WorksOn,
    /// A person or team is responsible for something.
    Owns,
    /// A person keeps something in order.
    Maintains,
    /// A person decided about something.
    Decided,
    /// A person proposed something.
    Proposed,
    /// Something is a person's task.
    AssignedTo,
    /// Something uses something.
    Uses,
    /// Something needs something.
    DependsOn,
    /// Something waits for something.
    BlockedBy,
    /// Something takes the place of something.
    Replaces,
    /// Something belongs to something.
    PartOf,
    /// Something repairs something.
    Fixes,
    /// A person released something.
    Released,
    /// A person answered a question about something.
    Answered,
}

impl RelationshipType {
    /// All types.
    pub const ALL: [Self; 14] = [
        Self::WorksOn,
        Self::Owns,
        Self::Maintains,
        Self::Decided,
        Self::Proposed,
        Self::AssignedTo,
        Self::Uses,
        Self::DependsOn,
        Self::BlockedBy,
        Self::Replaces,
        Self::PartOf,
        Self::Fixes,
        Self::Released,
        Self::Answered,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::WorksOn => "WORKS_ON",
            Self::Owns => "OWNS",
            Self::Maintains => "MAINTAINS",
            Self::Decided => "DECIDED",
            Self::Proposed => "PROPOSED",
            Self::AssignedTo => "ASSIGNED_TO",
            Self::Uses => "USES",
            Self::DependsOn => "DEPENDS_ON",
            Self::BlockedBy => "BLOCKED_BY",
            Self::Replaces => "REPLACES",
            Self::PartOf => "PART_OF",
            Self::Fixes => "FIXES",
            Self::Released => "RELEASED",
            Self::Answered => "ANSWERED",
        }
    }
}

impl FromStr for RelationshipType {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(Unknown("relationship type"))
    }
}

/// An entity by its natural key, before and without any database.
///
/// People are keyed by user id, never by name; repositories by `host/owner/name`; URLs by their
/// canonical form; the rest by their canonical name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EntityRef {
    /// Its type.
    #[serde(rename = "type")]
    pub kind: EntityType,
    /// Unique among the entities of that type in a workspace.
    pub key: String,
}

impl EntityRef {
    /// The id in a workspace (`platform:workspace`).
    #[must_use]
    pub fn id(&self, scope: &str) -> EntityId {
        EntityId::derive(&[scope, self.kind.as_str(), &self.key])
    }
}

/// That an entity occurs in a conversation.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EntityMention {
    /// The entity.
    pub entity: EntityRef,
    /// The name to show, as this conversation would show it.
    pub name: String,
    /// How often it occurs.
    pub count: u32,
    /// First message in which it occurs.
    pub first_seen: Timestamp,
    /// Last message in which it occurs.
    pub last_seen: Timestamp,
}

/// That a fact supports a relationship.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct RelationshipClaim {
    /// Where the arrow starts.
    pub source: EntityRef,
    /// What it says.
    #[serde(rename = "type")]
    pub kind: RelationshipType,
    /// Where it ends.
    pub target: EntityRef,
    /// The fact it rests on.
    pub fact_id: FactId,
    /// When that was said.
    pub asserted_at: Timestamp,
}

impl RelationshipClaim {
    /// The id of the relationship it supports.
    #[must_use]
    pub fn id(&self, channel: &str, scope: &str) -> RelationshipId {
        RelationshipId::derive(&[
            channel,
            self.source.id(scope).as_str(),
            self.kind.as_str(),
            self.target.id(scope).as_str(),
        ])
    }
}

/// How sure a relationship is that `support` facts speak for: each alone 70 %, at most 99 %.
#[must_use]
pub fn confidence(support: u32) -> f64 {
    let doubt = 0.3_f64.powi(i32::try_from(support.min(16)).unwrap_or(16));
    ((1.0 - doubt).min(0.99) * 10_000.0).round() / 10_000.0
}
