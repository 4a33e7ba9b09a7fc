//! What Microsoft Graph writes, as far as it is read.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::{Value, value::RawValue};

use crate::lenient::{entries, fields, list, or_default, raw, words};

/// Graph writes names as `displayName`.
macro_rules! camel_case {
    ($($told:tt)*) => { raw!(#[serde(rename_all = "camelCase")] $($told)*); };
}

/// What the sign-in gives.
#[derive(Default, Deserialize)]
#[serde(default)]
pub(super) struct RawToken {
    #[serde(deserialize_with = "or_default")]
    pub(super) access_token: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) expires_in: u64,
}

camel_case!(RawIdentity { id: String, display_name: String });

/// Who it is from; who it is not has no id.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawFrom {
    #[serde(deserialize_with = "fields")]
    pub(super) user: RawIdentity,
    #[serde(deserialize_with = "fields")]
    pub(super) application: RawIdentity,
    #[serde(deserialize_with = "fields")]
    pub(super) device: RawIdentity,
}

/// The words of a message.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawBody<'j> {
    #[serde(borrow, deserialize_with = "words")]
    pub(super) content_type: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) content: Cow<'j, str>,
}

camel_case!(RawMentioned { user: RawIdentity });

camel_case!(RawMention { id: Option<i64>, mention_text: String, mentioned: RawMentioned });

camel_case!(RawAttachment { id: String, content_type: String, name: String, content: Value });

/// What somebody thinks of a message.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawReaction {
    #[serde(deserialize_with = "or_default")]
    pub(super) reaction_type: String,
    #[serde(deserialize_with = "fields")]
    pub(super) user: RawFrom,
}

camel_case!(RawGroup { id: String, display_name: String });

camel_case!(RawChannel {
    id: String,
    display_name: String,
    description: String,
    membership_type: String
});

/// A message, with its replies, which are still to be read, where they were asked for.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawMessage<'j> {
    #[serde(borrow, deserialize_with = "words")]
    pub(super) id: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) reply_to_id: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) message_type: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) created_date_time: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) last_modified_date_time: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) last_edited_date_time: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) deleted_date_time: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) subject: Cow<'j, str>,
    #[serde(borrow, deserialize_with = "words")]
    pub(super) web_url: Cow<'j, str>,
    #[serde(deserialize_with = "fields")]
    pub(super) from: RawFrom,
    #[serde(borrow, deserialize_with = "fields")]
    pub(super) body: RawBody<'j>,
    #[serde(deserialize_with = "list")]
    pub(super) mentions: Vec<RawMention>,
    #[serde(deserialize_with = "list")]
    pub(super) attachments: Vec<RawAttachment>,
    #[serde(deserialize_with = "list")]
    pub(super) reactions: Vec<RawReaction>,
    #[serde(borrow, deserialize_with = "entries")]
    pub(super) replies: Vec<&'j RawValue>,
    #[serde(borrow, rename = "replies@odata.nextLink", deserialize_with = "words")]
    pub(super) more_replies: Cow<'j, str>,
    /// In a list of changes: it is not there any more.
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Value>,
}

/// Reads a message of a list; one that is not understood is left out.
pub(super) fn read(message: &RawValue) -> Option<RawMessage<'_>> {
    serde_json::from_str(message.get()).ok()
}

/// A page of messages, which are still to be read.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMessages<'j> {
    #[serde(borrow, deserialize_with = "entries")]
    pub(super) value: Vec<&'j RawValue>,
    #[serde(rename = "@odata.nextLink", deserialize_with = "or_default")]
    pub(super) next: String,
    #[serde(rename = "@odata.deltaLink", deserialize_with = "or_default")]
    pub(super) delta: String,
}

/// A page of a list of something else.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "T: serde::de::DeserializeOwned")]
pub(super) struct RawList<T> {
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub(super) value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink", deserialize_with = "or_default")]
    pub(super) next: String,
}

/// What a refusal of the sign-in says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSignInError {
    #[serde(deserialize_with = "list")]
    pub(super) error_codes: Vec<u64>,
}
