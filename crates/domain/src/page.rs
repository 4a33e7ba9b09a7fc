//! Wiki pages.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{FactId, MessageId, Timestamp, fact::Unknown};

/// The closed list of kinds of pages.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PageKind {
    /// The channel at a glance.
    Overview,
    /// What was decided.
    Decisions,
    /// Who does what until when.
    ActionItems,
    /// Questions, with answers and without.
    Questions,
    /// The topics of the channel.
    Topics,
    /// One topic.
    Topic,
    /// Who knows, owns and decided what.
    People,
    /// What terms mean.
    Glossary,
    /// What happened when.
    Timeline,
}

impl PageKind {
    /// All kinds, in the order in which a wiki lists them.
    pub const ALL: [Self; 9] = [
        Self::Overview,
        Self::Decisions,
        Self::ActionItems,
        Self::Questions,
        Self::Topics,
        Self::Topic,
        Self::People,
        Self::Glossary,
        Self::Timeline,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Overview => "overview",
            Self::Decisions => "decisions",
            Self::ActionItems => "action_items",
            Self::Questions => "questions",
            Self::Topics => "topics",
            Self::Topic => "topic",
            Self::People => "people",
            Self::Glossary => "glossary",
            Self::Timeline => "timeline",
        }
    }
}

impl FromStr for PageKind {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name).ok_or(Unknown("page kind"))
    }
}

/// A page by its natural key: its kind and, where there are several, which one (an entity id for a
/// topic; empty otherwise).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct PageKey {
    /// Its kind.
    pub kind: PageKind,
    /// Which one of that kind.
    pub key: String,
}

impl PageKey {
    /// The one page of a kind that has only one.
    #[must_use]
    pub const fn only(kind: PageKind) -> Self {
        Self { kind, key: String::new() }
    }
}

/// A page as the renderer makes it; same input, same bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RenderedPage {
    /// Which page.
    pub key: PageKey,
    /// Its address within the wiki, fixed when it is first stored.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Digest over everything it was rendered from, the renderer's version included.
    pub input_hash: String,
    /// Markdown.
    pub content: String,
    /// Facts shown on it.
    pub fact_count: u32,
    /// Its footnotes, in order.
    pub citations: Vec<Citation>,
}

/// A footnote: the words of a message that a statement rests on.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Citation {
    /// Number of the footnote, from 1.
    pub n: u32,
    /// The fact that is cited.
    pub fact_id: FactId,
    /// The message.
    pub message_id: MessageId,
    /// Who wrote it.
    pub author: String,
    /// When it was sent.
    pub timestamp: Timestamp,
    /// Where the platform shows it; otherwise our own address of the message.
    pub permalink: String,
    /// The words.
    pub quote: String,
}
