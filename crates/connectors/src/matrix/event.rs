//! What an event is to a reader of messages.

use domain::Timestamp;

use super::{
    content::{Content, Value},
    id,
    raw::RawEvent,
};

/// The kinds of events that are asked for.
pub(super) const READ: &[&str] = &[
    "m.room.message",
    "m.sticker",
    "m.poll.start",
    "org.matrix.msc3381.poll.start",
    ENCRYPTED,
    REACTION,
    REDACTION,
];

pub(super) const ENCRYPTED: &str = "m.room.encrypted";
const REACTION: &str = "m.reaction";
const REDACTION: &str = "m.room.redaction";

/// The last millisecond of the year 9999: clocks of servers may say anything.
const LATEST: i64 = 253_402_300_799_999;

/// Longest name of a reaction, in characters; mostly it is one emoji.
const MAX_KEY: usize = 64;

/// Whether an event is of a kind that says something, whatever is left of it.
pub(super) fn is_message(raw: &RawEvent) -> bool {
    raw.state_key.is_none()
        && READ.contains(&raw.kind.as_str())
        && ![REACTION, REDACTION].contains(&raw.kind.as_str())
}

/// An event that matters.
#[derive(Debug)]
pub(super) enum Seen<'e> {
    /// Somebody said something.
    Said(&'e RawEvent),
    /// Somebody says it otherwise.
    Edit(Edit<'e>),
    /// Somebody reacts.
    Reaction { id: &'e str, of: &'e str, by: &'e str, key: String },
    /// An event without its content; of what kind it was cannot be told.
    Gone { id: &'e str, at: i64 },
    /// That takes an event's content away.
    Redaction { of: &'e str, at: i64 },
}

/// A new version of a message.
#[derive(Debug, Clone, Copy)]
pub(super) struct Edit<'e> {
    pub(super) id: &'e str,
    /// The message, as it was first.
    pub(super) of: &'e str,
    pub(super) by: &'e str,
    pub(super) at: i64,
    pub(super) content: &'e Content,
}

/// Milliseconds as servers write them, within what a calendar has.
pub(super) fn time(at: i64) -> Timestamp {
    Timestamp::from_micros(at.clamp(0, LATEST) * 1_000)
}

/// Reads an event; `None` for what says nothing, describes the room or makes no sense.
pub(super) fn read(raw: &RawEvent) -> Option<Seen<'_>> {
    let id = id::event(&raw.event_id)?;
    let at = raw.origin_server_ts.clamp(0, LATEST);
    if raw.state_key.is_some() || !READ.contains(&raw.kind.as_str()) {
        return None;
    }
    if raw.kind == REDACTION {
        let in_content = || raw.content.get("redacts").and_then(Value::as_str);
        let of = id::event(&raw.redacts).or_else(|| in_content().and_then(id::event))?;
        return Some(Seen::Redaction { of, at });
    }
    if let Some(because) = &raw.unsigned.redacted_because {
        return Some(Seen::Gone { id, at: because.origin_server_ts.clamp(at, LATEST) });
    }
    if raw.content.is_empty() {
        return Some(Seen::Gone { id, at });
    }
    let by = id::user(&raw.sender)?;
    if raw.kind == REACTION {
        let of = related(&raw.content, "m.annotation")?;
        let key = raw.content.get("m.relates_to")?.get("key")?.as_str()?;
        let key = crate::text::line(key, MAX_KEY)?;
        return Some(Seen::Reaction { id, of, by, key });
    }
    match related(&raw.content, "m.replace") {
        Some(_) => edit(raw).map(Seen::Edit),
        None => Some(Seen::Said(raw)),
    }
}

/// What an event says as an edit; `None` when it is none, or has nothing that can be read.
pub(super) fn edit(raw: &RawEvent) -> Option<Edit<'_>> {
    if raw.kind == ENCRYPTED || raw.unsigned.redacted_because.is_some() {
        return None;
    }
    Some(Edit {
        id: id::event(&raw.event_id)?,
        of: related(&raw.content, "m.replace")?,
        by: id::user(&raw.sender)?,
        at: raw.origin_server_ts.clamp(0, LATEST),
        content: raw.content.get("m.new_content")?.as_object()?,
    })
}

/// The event that content is related to in this way.
pub(super) fn related<'c>(content: &'c Content, way: &str) -> Option<&'c str> {
    let relation = content.get("m.relates_to")?.as_object()?;
    let is_way = relation.get("rel_type").and_then(Value::as_str) == Some(way);
    id::event(relation.get("event_id")?.as_str()?).filter(|_| is_way)
}
