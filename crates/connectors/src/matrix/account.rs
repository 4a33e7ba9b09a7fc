//! Who an account is, and the rooms that it has joined.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{
    api::Server,
    content::Value,
    id,
    raw::{RawEvent, RawRoom, RawSync},
};
use crate::{Account, ConnectorError, Identity, MAX_CHANNELS, OfferedChannel, text};

/// Longest topic of a room, in characters.
const MAX_TOPIC: usize = 500;

/// What describes a room to who chooses.
pub(super) const SHOWN: &[&str] = &[
    "m.room.create",
    "m.room.name",
    "m.room.canonical_alias",
    "m.room.topic",
    "m.room.join_rules",
    "m.room.encryption",
];

#[async_trait]
impl Account for Server {
    async fn identity(&self) -> Result<Identity, ConnectorError> {
        let told = self.who_am_i().await;
        let me = told.map_err(|error| match error {
            ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_) => nobody(),
            error => error,
        })?;
        let account = id::user(&me.user_id).ok_or_else(nobody)?;
        Ok(Identity {
            workspace: super::WORKSPACE.to_owned(),
            workspace_name: id::server(account).to_owned(),
            account: account.to_owned(),
        })
    }

    async fn channels(&self) -> Result<Vec<OfferedChannel>, ConnectorError> {
        let joined = self.rooms().await?;
        let private = conversations(&joined);
        let mut offered: Vec<OfferedChannel> = joined
            .rooms
            .join
            .iter()
            .filter(|(id, _)| !private.contains(id.as_str()))
            .filter_map(|(id, room)| offer(id, room))
            .collect();
        offered.sort_by(|one, other| {
            (&one.name, &one.external_id).cmp(&(&other.name, &other.external_id))
        });
        offered.truncate(MAX_CHANNELS);
        Ok(offered)
    }
}

fn nobody() -> ConnectorError {
    ConnectorError::Platform(
        "no Matrix server answers at this address: enter that of the homeserver".into(),
    )
}

/// Rooms of two people are nobody else's channel.
fn conversations(joined: &RawSync) -> BTreeSet<&str> {
    let direct = joined.account_data.events.iter().filter(|event| event.kind == "m.direct");
    let rooms = direct.flat_map(|event| event.content.values()).filter_map(Value::as_array);
    rooms.flatten().filter_map(Value::as_str).collect()
}

/// What a room's state says; spaces have rooms in them and no messages.
fn offer(room: &str, told: &RawRoom) -> Option<OfferedChannel> {
    let events = || told.state.events.iter().chain(&told.timeline.events);
    let of = |kind: &str| -> Option<&RawEvent> { events().rfind(|event| event.kind == kind) };
    let string = |kind, field| of(kind)?.content.get(field)?.as_str();
    if string("m.room.create", "type") == Some("m.space") {
        return None;
    }
    let names = [string("m.room.name", "name"), string("m.room.canonical_alias", "alias")];
    let name =
        names.into_iter().flatten().find_map(|name| text::shown(name.trim_start_matches('#')));
    let people = || {
        let people = told.summary.heroes.iter().map(|id| id::local_part(id)).collect::<Vec<_>>();
        text::shown(&people.join(", "))
    };
    let topic = string("m.room.topic", "topic").and_then(|topic| text::line(topic, MAX_TOPIC));
    let topic = match of("m.room.encryption") {
        Some(_) => "encrypted: its messages cannot be read".to_owned(),
        None => topic.unwrap_or_default(),
    };
    Some(OfferedChannel {
        external_id: id::room(room)?.to_owned(),
        name: name.or_else(people).unwrap_or_else(|| room.to_owned()),
        topic,
        is_private: string("m.room.join_rules", "join_rule") != Some("public"),
        member_count: told.summary.joined,
    })
}
