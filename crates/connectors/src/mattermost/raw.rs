//! What a Mattermost server writes, as far as it is read.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::lenient::{fields, list, or_default};

/// A page of posts, which are still to be read. `posts` has the first posts of threads as well, which are not in
/// `order`.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPosts<'j> {
    #[serde(deserialize_with = "or_default")]
    pub(super) order: Vec<String>,
    #[serde(borrow, deserialize_with = "fields")]
    pub(super) posts: HashMap<String, &'j RawValue>,
    /// The post before this page; absent on old servers, empty where there is none.
    pub(super) prev_post_id: Option<Value>,
    /// Posts up to this time exist but are not shown: the plan of the server has a limit.
    #[serde(deserialize_with = "or_default")]
    pub(super) first_inaccessible_post_time: i64,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawPost {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) create_at: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) edit_at: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) delete_at: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) update_at: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) user_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) root_id: String,
    /// On an earlier version of an edited post: the post.
    #[serde(deserialize_with = "or_default")]
    pub(super) original_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) message: String,
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) state: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) props: Map<String, Value>,
    #[serde(deserialize_with = "or_default")]
    pub(super) file_ids: Vec<String>,
    #[serde(deserialize_with = "or_default")]
    pub(super) reply_count: i64,
    #[serde(deserialize_with = "fields")]
    pub(super) metadata: RawMetadata,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMetadata {
    #[serde(deserialize_with = "list")]
    pub(super) files: Vec<RawFile>,
    #[serde(deserialize_with = "list")]
    pub(super) reactions: Vec<RawReaction>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawFile {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) mime_type: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) size: Option<u64>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawReaction {
    #[serde(deserialize_with = "or_default")]
    pub(super) user_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) emoji_name: String,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawUser {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) username: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) nickname: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) first_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) last_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) is_bot: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawTeam {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawChannel {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
    /// `O` open, `P` private, `G` group, `D` direct.
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) display_name: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) header: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) purpose: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) delete_at: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) last_post_at: i64,
    #[serde(deserialize_with = "or_default")]
    pub(super) total_msg_count: i64,
}

/// The part of the server's configuration that clients see.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "PascalCase")]
pub(super) struct RawConfig {
    #[serde(deserialize_with = "or_default")]
    pub(super) diagnostic_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) site_name: String,
}

/// What a refusal says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawError {
    #[serde(deserialize_with = "or_default")]
    pub(super) id: String,
}
