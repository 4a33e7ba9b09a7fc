//! What a homeserver writes, as far as it is read.

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::value::RawValue;

use super::content::{Content, Value};
use crate::lenient::{entries, fields, list, or_default};

/// An event of a room.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEvent {
    #[serde(deserialize_with = "or_default")]
    pub(super) event_id: String,
    #[serde(rename = "type", deserialize_with = "or_default")]
    pub(super) kind: String,
    /// Not told where it is plain.
    #[serde(deserialize_with = "or_default")]
    pub(super) room_id: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) sender: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) origin_server_ts: i64,
    /// Present on what describes the room.
    pub(super) state_key: Option<Value>,
    #[serde(deserialize_with = "fields")]
    pub(super) content: Content,
    /// What a redaction redacts; since room version 11 in the content.
    #[serde(deserialize_with = "or_default")]
    pub(super) redacts: String,
    #[serde(deserialize_with = "fields")]
    pub(super) unsigned: RawUnsigned,
}

/// What the server adds to an event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawUnsigned {
    #[serde(deserialize_with = "or_default")]
    pub(super) redacted_because: Option<Box<RawEvent>>,
    #[serde(rename = "m.relations", deserialize_with = "fields")]
    pub(super) relations: RawRelations,
}

/// What other events say of an event.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRelations {
    #[serde(rename = "m.replace", deserialize_with = "or_default")]
    pub(super) replace: Option<Box<RawEvent>>,
    #[serde(rename = "m.thread", deserialize_with = "or_default")]
    pub(super) thread: Option<Value>,
}

/// A page of history, its events still to be read. Only the absence of `end` says that there is no more.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMessages<'j> {
    #[serde(borrow, deserialize_with = "entries")]
    chunk: Vec<&'j RawValue>,
    #[serde(deserialize_with = "or_default")]
    pub(super) end: Option<String>,
}

impl RawMessages<'_> {
    /// The events; those that are not understood are left out.
    pub(super) fn events(&self) -> Vec<RawEvent> {
        self.chunk.iter().filter_map(|event| serde_json::from_str(event.get()).ok()).collect()
    }
}

/// What has happened since a token.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSync {
    #[serde(deserialize_with = "or_default")]
    pub(super) next_batch: String,
    #[serde(deserialize_with = "or_default")]
    pub(super) rooms: RawRooms,
    #[serde(deserialize_with = "or_default")]
    pub(super) account_data: RawEvents,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRooms {
    #[serde(deserialize_with = "or_default")]
    pub(super) join: HashMap<String, RawRoom>,
    #[serde(deserialize_with = "or_default")]
    pub(super) leave: HashMap<String, Value>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawRoom {
    #[serde(deserialize_with = "or_default")]
    pub(super) timeline: RawTimeline,
    #[serde(deserialize_with = "or_default")]
    pub(super) state: RawEvents,
    #[serde(deserialize_with = "or_default")]
    pub(super) summary: RawSummary,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawTimeline {
    #[serde(deserialize_with = "list")]
    pub(super) events: Vec<RawEvent>,
    /// There was more than these.
    #[serde(deserialize_with = "or_default")]
    pub(super) limited: bool,
    #[serde(deserialize_with = "or_default")]
    pub(super) prev_batch: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawEvents {
    #[serde(deserialize_with = "list")]
    pub(super) events: Vec<RawEvent>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawSummary {
    #[serde(rename = "m.joined_member_count", deserialize_with = "or_default")]
    pub(super) joined: Option<u64>,
    #[serde(rename = "m.heroes", deserialize_with = "list")]
    pub(super) heroes: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMembers {
    #[serde(deserialize_with = "or_default")]
    pub(super) joined: HashMap<String, RawMember>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawMember {
    #[serde(deserialize_with = "or_default")]
    pub(super) display_name: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawProfile {
    #[serde(deserialize_with = "or_default")]
    pub(super) displayname: String,
}

/// An event close to a time.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawClosest {
    #[serde(deserialize_with = "or_default")]
    pub(super) origin_server_ts: i64,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawWhoAmI {
    #[serde(deserialize_with = "or_default")]
    pub(super) user_id: String,
}

/// What a refusal says.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct RawError {
    #[serde(deserialize_with = "or_default")]
    pub(super) errcode: String,
    /// Of servers that do not write the header yet.
    #[serde(deserialize_with = "or_default")]
    pub(super) retry_after_ms: Option<u64>,
    /// The session may come back with a new token.
    #[serde(deserialize_with = "or_default")]
    pub(super) soft_logout: bool,
}
