//! Messages as an export writes them. Everything may be missing.

use std::borrow::Cow;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::value::RawValue;

use crate::lenient::{list, or_default, text};

/// The entries of a list that can be understood; `None` when it is no list.
pub(super) fn entries<T: DeserializeOwned>(json: &[u8]) -> Option<Vec<T>> {
    let raw: Vec<&RawValue> = serde_json::from_slice(json).ok()?;
    Some(raw.iter().filter_map(|entry| serde_json::from_str(entry.get()).ok()).collect())
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMessage<'j> {
    #[serde(rename = "type", borrow, deserialize_with = "text")]
    pub(super) kind: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) subtype: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) ts: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) thread_ts: Option<Cow<'j, str>>,
    pub(super) reply_count: Option<u64>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) latest_reply: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) user: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) team: Option<Cow<'j, str>>,
    #[serde(borrow)]
    pub(super) user_profile: Option<RawProfile<'j>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) username: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) bot_id: Option<Cow<'j, str>>,
    #[serde(borrow)]
    pub(super) bot_profile: Option<RawProfile<'j>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) text: Option<Cow<'j, str>>,
    #[serde(borrow)]
    pub(super) blocks: Option<&'j RawValue>,
    #[serde(borrow)]
    pub(super) attachments: Option<&'j RawValue>,
    #[serde(deserialize_with = "list")]
    pub(super) files: Vec<RawFile>,
    #[serde(deserialize_with = "or_default")]
    pub(super) file: Option<RawFile>,
    #[serde(deserialize_with = "list")]
    pub(super) reactions: Vec<RawReaction>,
    #[serde(borrow)]
    pub(super) edited: Option<RawEdit<'j>>,
    pub(super) hidden: bool,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) permalink: Option<Cow<'j, str>>,
    /// The message that a `message_changed` event carries.
    #[serde(borrow)]
    pub(super) message: Option<Box<RawMessage<'j>>>,
    /// The message that a `message_deleted` event is about.
    #[serde(borrow, deserialize_with = "text")]
    pub(super) deleted_ts: Option<Cow<'j, str>>,
    /// That message as it was, in the same event.
    #[serde(borrow)]
    pub(super) previous_message: Option<Box<RawMessage<'j>>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawProfile<'j> {
    #[serde(borrow, deserialize_with = "text")]
    pub(super) display_name: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) real_name: Option<Cow<'j, str>>,
    #[serde(borrow, deserialize_with = "text")]
    pub(super) name: Option<Cow<'j, str>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawFile {
    pub(super) id: Option<String>,
    pub(super) name: Option<String>,
    pub(super) title: Option<String>,
    pub(super) mimetype: Option<String>,
    pub(super) size: Option<u64>,
    pub(super) mode: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawReaction {
    pub(super) name: String,
    pub(super) count: Option<u32>,
    pub(super) users: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEdit<'j> {
    #[serde(borrow, deserialize_with = "text")]
    pub(super) ts: Option<Cow<'j, str>>,
}
