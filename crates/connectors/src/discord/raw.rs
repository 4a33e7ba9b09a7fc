//! What Discord writes, as far as it is read.

use serde::Deserialize;
use serde_json::Value;

use crate::lenient::{fields, list, or_default, raw};

raw!(RawChannel {
    id: String,
    r#type: u64,
    guild_id: String,
    parent_id: String,
    name: String,
    topic: String,
    last_message_id: Option<String>,
    permission_overwrites: Vec<RawOverwrite>,
    message_count: i64,
    total_message_sent: i64,
    thread_metadata: RawThreadMetadata,
});

raw!(RawThreadMetadata { archive_timestamp: String });

raw!(RawOverwrite { id: String, allow: String, deny: String });

raw!(RawRole { id: String, permissions: String });

raw!(RawMember { roles: Vec<String>, });

raw!(RawGuild { id: String, name: String });

/// A page of threads.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawThreads {
    #[serde(deserialize_with = "list")]
    pub(super) threads: Vec<RawChannel>,
    #[serde(deserialize_with = "or_default")]
    pub(super) has_more: bool,
}

raw!(RawUser { id: String, username: String, global_name: String, bot: bool, system: bool });

raw!(RawReference { r#type: u64 });

raw!(RawEmoji { name: String });

raw!(RawReaction { emoji: RawEmoji, count: u32 });

raw!(RawAttachment { id: String, filename: String, title: String, content_type: String, size: Option<u64>, });

raw!(RawSticker { name: String });

/// A message, or a copy of one that was forwarded.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMessage {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: u64,
    #[serde(deserialize_with = "or_default")]
    pub(super) content: String,
    #[serde(deserialize_with = "fields")]
    pub(super) author: RawUser,
    #[serde(deserialize_with = "or_default")]
    pub(super) webhook_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) edited_timestamp: String,
    #[serde(deserialize_with = "list")]
    pub(super) mentions: Vec<RawUser>,
    #[serde(deserialize_with = "list")]
    pub(super) attachments: Vec<RawAttachment>,
    #[serde(deserialize_with = "or_default")]
    pub(super) embeds: Vec<Value>,
    #[serde(deserialize_with = "or_default")]
    pub(super) components: Vec<Value>,
    #[serde(deserialize_with = "list")]
    pub(super) sticker_items: Vec<RawSticker>,
    #[serde(deserialize_with = "list")]
    pub(super) reactions: Vec<RawReaction>,
    #[serde(deserialize_with = "or_default")]
    pub(super) poll: Option<Value>,
    #[serde(deserialize_with = "fields")]
    pub(super) message_reference: RawReference,
    #[serde(deserialize_with = "list")]
    pub(super) message_snapshots: Vec<RawSnapshot>,
    /// The thread that this message began.
    #[serde(deserialize_with = "or_default")]
    pub(super) thread: Option<Box<RawChannel>>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSnapshot {
    #[serde(deserialize_with = "or_default")]
    pub(super) message: Box<RawMessage>,
}

raw!(RawSearch { total_results: Option<u64>, });

raw!(
    /// What a refusal says.
    RawError { code: u64, retry_after: Option<f64>, global: bool, }
);
