//! What a conversation taught: facts, the evidence they rest on, and what they mention.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{
    FactId, MessageId, Timestamp, UserId,
    graph::{EntityMention, EntityRef, RelationshipClaim},
};

/// The closed list of kinds of facts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactKind {
    /// Something was chosen and nobody objected.
    Decision,
    /// A concrete task that somebody took or was given.
    ActionItem,
    /// A question with the answer that its asker accepted.
    Qa,
    /// A question without an accepted answer.
    OpenQuestion,
    /// Something was released, shipped or made known.
    Announcement,
    /// Who is responsible for what.
    Ownership,
    /// What a term means.
    Definition,
    /// Something does not work.
    Problem,
    /// What made it work again.
    Resolution,
    /// How something is done.
    Howto,
    /// How something stands.
    Status,
}

impl FactKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Decision,
        Self::ActionItem,
        Self::Qa,
        Self::OpenQuestion,
        Self::Announcement,
        Self::Ownership,
        Self::Definition,
        Self::Problem,
        Self::Resolution,
        Self::Howto,
        Self::Status,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Decision => "decision",
            Self::ActionItem => "action_item",
            Self::Qa => "qa",
            Self::OpenQuestion => "open_question",
            Self::Announcement => "announcement",
            Self::Ownership => "ownership",
            Self::Definition => "definition",
            Self::Problem => "problem",
            Self::Resolution => "resolution",
            Self::Howto => "howto",
            Self::Status => "status",
        }
    }
}

/// How a fact stands, as far as its own conversation tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FactStatus {
    /// It holds; a task still to do, a question still without an answer.
    Open,
    /// The task is done.
    Done,
    /// The question has its answer.
    Answered,
    /// A later decision took its place.
    Superseded,
}

impl FactStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Done => "done",
            Self::Answered => "answered",
            Self::Superseded => "superseded",
        }
    }
}

/// A name that is not on a closed list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown {0}")]
pub struct Unknown(pub &'static str);

impl FromStr for FactKind {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(Unknown("fact kind"))
    }
}

impl FromStr for FactStatus {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Open, Self::Done, Self::Answered, Self::Superseded]
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or(Unknown("fact status"))
    }
}

impl fmt::Display for FactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A person, by id and by the name under which they spoke.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Person {
    /// The platform's id; a name that could not be resolved has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<UserId>,
    /// The name to show.
    pub name: String,
}

/// One statement worth keeping, readable without its conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Fact {
    /// Derived from channel, kind, carrying message and wording: see [`Fact::id_of`].
    pub id: FactId,
    /// What sort of statement it is.
    pub kind: FactKind,
    /// The statement; for [`FactKind::Qa`] and [`FactKind::OpenQuestion`] the question.
    pub text: String,
    /// The accepted answer of a question.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<String>,
    /// Why it was decided.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rationale: Option<String>,
    /// Who said it.
    pub author: Person,
    /// Who has to do it, or who owns it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<Person>,
    /// Calendar day until which it is to be done, `YYYY-MM-DD`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due: Option<String>,
    /// How it stands.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<FactStatus>,
    /// 0 (incidental) to 3 (everybody should know).
    pub importance: u8,
    /// 0.0 to 1.0, rounded to four digits, computed by the gate and by nothing else.
    pub quality: f64,
    /// Whether it passed the gate to the wiki; otherwise it is stored only.
    pub published: bool,
    /// When it was said.
    pub asserted_at: Timestamp,
    /// What it is about.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub entities: Vec<FactEntity>,
    /// What an earlier decision had chosen and this one says it gives up ("X instead of Y": Y).
    /// Earlier decisions about it are superseded.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reverses: Vec<EntityRef>,
    /// What it rests on; never empty, the carrying message first.
    pub evidence: Vec<Evidence>,
}

impl Fact {
    /// The id of a fact: the same statement in the same message has the same id, however often and
    /// in whatever company it is extracted.
    #[must_use]
    pub fn id_of(channel: &str, kind: FactKind, message: &MessageId, text: &str) -> FactId {
        let wording = text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase();
        FactId::derive(&[channel, kind.as_str(), message.as_str(), &wording])
    }
}

/// What an entity is to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EntityRole {
    /// The fact is about it.
    Subject,
    /// Who said it.
    Author,
    /// Who has to do it.
    Owner,
    /// It is named.
    Mention,
}

impl EntityRole {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Subject => "subject",
            Self::Author => "author",
            Self::Owner => "owner",
            Self::Mention => "mention",
        }
    }
}

/// An entity of a fact and its part in it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct FactEntity {
    /// The entity.
    pub entity: EntityRef,
    /// Its part.
    pub role: EntityRole,
}

/// What a message contributes to a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EvidenceRole {
    /// It carries the statement.
    Primary,
    /// It answers the question.
    Answer,
    /// It agrees.
    Agreement,
    /// It confirms that the answer helped, or that the task is done.
    Confirmation,
}

impl EvidenceRole {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Answer => "answer",
            Self::Agreement => "agreement",
            Self::Confirmation => "confirmation",
        }
    }
}

/// The words of a message that a fact rests on: `text[start..end] == quote`, always.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// The message, stored in the same channel.
    pub message_id: MessageId,
    /// What it contributes.
    pub role: EvidenceRole,
    /// First byte of the quote in the message's text.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// The words themselves.
    pub quote: String,
}

/// Everything that one conversation taught.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Extraction {
    /// Facts, sorted by id.
    pub facts: Vec<Fact>,
    /// Entities that occur, sorted by entity; people who spoke or were addressed included.
    pub mentions: Vec<EntityMention>,
    /// Relationships that its facts support, sorted.
    pub relationships: Vec<RelationshipClaim>,
}
