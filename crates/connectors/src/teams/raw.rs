//! What Microsoft Graph writes, as far as it is read.

use serde::Deserialize;
use serde_json::Value;

use crate::lenient::{list, or_default, raw};

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

camel_case!(RawFrom {
    user: Option<RawIdentity>,
    application: Option<RawIdentity>,
    device: Option<RawIdentity>,
});

camel_case!(RawBody { content_type: String, content: String });

camel_case!(RawMentioned { user: Option<RawIdentity> });

camel_case!(RawMention { id: Option<i64>, mention_text: String, mentioned: RawMentioned });

camel_case!(RawAttachment { id: String, content_type: String, name: String, content: Value });

camel_case!(RawReaction { reaction_type: String, display_name: String, user: RawFrom });

camel_case!(RawGroup { id: String, display_name: String });

camel_case!(RawChannel {
    id: String,
    display_name: String,
    description: String,
    membership_type: String
});

/// A message, with its replies where they were asked for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct RawMessage {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) reply_to_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) message_type: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) created_date_time: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) last_modified_date_time: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) last_edited_date_time: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) deleted_date_time: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) subject: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) web_url: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) from: RawFrom,
    #[serde(deserialize_with = "or_default")]
    pub(super) body: RawBody,
    #[serde(deserialize_with = "list")]
    pub(super) mentions: Vec<RawMention>,
    #[serde(deserialize_with = "list")]
    pub(super) attachments: Vec<RawAttachment>,
    #[serde(deserialize_with = "list")]
    pub(super) reactions: Vec<RawReaction>,
    #[serde(deserialize_with = "list")]
    pub(super) replies: Vec<RawMessage>,
    #[serde(rename = "replies@odata.nextLink", deserialize_with = "or_default")]
    pub(super) more_replies: String,
    /// In a list of changes: it is not there any more.
    #[serde(rename = "@removed")]
    pub(super) removed: Option<Value>,
}

/// A page of a list.
#[derive(Debug, Clone, Deserialize)]
#[serde(bound = "T: serde::de::DeserializeOwned")]
pub(super) struct RawList<T> {
    #[serde(default = "Vec::new", deserialize_with = "list")]
    pub(super) value: Vec<T>,
    #[serde(default, rename = "@odata.nextLink", deserialize_with = "or_default")]
    pub(super) next: String,
    #[serde(default, rename = "@odata.deltaLink", deserialize_with = "or_default")]
    pub(super) delta: String,
}

/// What a refusal of the sign-in says.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSignInError {
    #[serde(deserialize_with = "list")]
    pub(super) error_codes: Vec<u64>,
}
