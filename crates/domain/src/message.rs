//! A message, as every platform's is normalised.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{MessageId, Timestamp, UserId};

/// One message of a channel, independent of its platform.
///
/// `text` is what a person reads: Markdown-like, mentions as `@Name`, links as their label, entities
/// decoded. What the markup meant is kept beside it as byte ranges into `text`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// The platform's id, unique in the channel.
    pub id: MessageId,
    /// The thread's first message; on that message itself its own id. `None` outside threads.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub thread_id: Option<MessageId>,
    /// Who wrote it.
    pub author: Author,
    /// What sort of message it is.
    #[serde(default)]
    pub kind: MessageKind,
    /// The text as a person reads it.
    pub text: String,
    /// Who is addressed, in order of appearance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mentions: Vec<Mention>,
    /// Where the links in the text lead, in order of appearance.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<Link>,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// When it was last edited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub edited_at: Option<Timestamp>,
    /// When it was deleted, as far as known; a deleted message has no text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deleted_at: Option<Timestamp>,
    /// Where the platform shows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permalink: Option<String>,
    /// Reactions, sorted by name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reactions: Vec<Reaction>,
    /// Files, by what is known of them; never their content.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub attachments: Vec<Attachment>,
}

/// Who wrote a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Author {
    /// The platform's id of the person or bot.
    pub id: UserId,
    /// The name to show.
    pub name: String,
    /// Person or program.
    #[serde(default)]
    pub kind: AuthorKind,
}

/// Person or program.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AuthorKind {
    /// A person, deleted accounts included.
    #[default]
    Person,
    /// A bot, an app, a webhook or the platform itself.
    Bot,
}

/// What sort of message it is. Only [`MessageKind::Text`] written by a person is evidence.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MessageKind {
    /// Somebody said something.
    #[default]
    Text,
    /// The platform reports something (joined, topic changed, huddle).
    System,
}

/// A person addressed in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mention {
    /// First byte of `@Name` in the text.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// Who it is.
    pub user_id: UserId,
    /// The name that was rendered, without the `@`.
    pub name: String,
}

/// A link in a text.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// First byte of the link's label (or of the URL itself) in the text.
    pub start: u32,
    /// First byte after it.
    pub end: u32,
    /// Where it leads; `http`, `https` or `mailto`.
    pub url: String,
}

/// A reaction and who gave it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reaction {
    /// The platform's short name, without colons: `+1`, `white_check_mark`.
    pub name: String,
    /// How many gave it; can exceed the users listed.
    pub count: u32,
    /// Who gave it, as far as told, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub users: Vec<UserId>,
}

/// A file, by what is known of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attachment {
    /// The platform's id.
    pub id: String,
    /// File name or title.
    pub name: String,
    /// Media type, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub media_type: Option<String>,
    /// Size in bytes, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bytes: Option<u64>,
}

impl Message {
    /// When its newest revision came to be: a later revision replaces an earlier one, never the
    /// other way round.
    #[must_use]
    pub fn revised_at(&self) -> Timestamp {
        self.sent_at
            .max(self.edited_at.unwrap_or_default())
            .max(self.deleted_at.unwrap_or_default())
    }

    /// The same message after its deletion: it keeps its place and its author, and loses its content.
    #[must_use]
    pub fn deleted(self, at: Timestamp) -> Self {
        Self {
            deleted_at: Some(at),
            edited_at: None,
            text: String::new(),
            mentions: Vec::new(),
            links: Vec::new(),
            reactions: Vec::new(),
            attachments: Vec::new(),
            permalink: None,
            ..self
        }
    }

    /// Whether it can carry facts: said by a person and still there.
    #[must_use]
    pub fn is_evidence(&self) -> bool {
        self.deleted_at.is_none()
            && self.kind == MessageKind::Text
            && self.author.kind == AuthorKind::Person
            && !self.text.trim().is_empty()
    }

    /// A digest over everything a reader or the extractor can see of it (32 hex digits).
    #[must_use]
    pub fn content_hash(&self) -> String {
        // A struct of strings, numbers and lists: its serialisation cannot fail.
        let bytes = serde_json::to_vec(self).unwrap_or_default();
        hex(&Sha256::digest(&bytes)[..16])
    }
}

/// Lower-case hexadecimal digits of some bytes.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        // Writing to a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}
