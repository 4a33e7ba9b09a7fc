//! What the server answers.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    body::Body,
    extract::State,
    http::{HeaderMap, Response, Uri},
};
use serde_json::{Value, json};
use url::form_urlencoded;

use super::{Fake, ROOM, Server, TOKEN, USERS};
use crate::server::{answered, dated};

fn refused(status: u16, code: &str) -> (u16, Value) {
    (status, json!({"errcode": code, "error": "refused"}))
}

fn decoded(part: &str) -> String {
    let whole = format!("={}", part.replace('+', "%2B"));
    form_urlencoded::parse(whole.as_bytes()).map(|(_, value)| value.into_owned()).collect()
}

impl Server {
    fn answer(&self, uri: &Uri, headers: &HeaderMap) -> (u16, Value) {
        let token = headers.get("authorization").and_then(|value| value.to_str().ok());
        match token.and_then(|value| value.strip_prefix("Bearer ")) {
            None => return refused(401, "M_MISSING_TOKEN"),
            Some(TOKEN) if self.token_is_good => {}
            Some(_) => return refused(401, "M_UNKNOWN_TOKEN"),
        }
        let path = uri.path().strip_prefix("/_matrix/client/").unwrap_or_default();
        let query = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        let query: BTreeMap<String, String> = query.into_owned().collect();
        let text = |name: &str| query.get(name).map(String::as_str);
        let parts: Vec<String> = path.split('/').map(decoded).collect();
        let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
        let filter = || serde_json::from_str(text("filter").unwrap_or("{}")).unwrap_or(Value::Null);
        match parts.as_slice() {
            ["v3", "account", "whoami"] => (200, json!({"user_id": USERS[2], "device_id": "D"})),
            ["v3", "sync"] if !is_valid(&filter()) => refused(400, "M_UNKNOWN"),
            // Of a room with nothing to show in its timeline it says nothing, whatever its state is.
            ["v3", "sync"] if filter()["room"]["state"]["types"] != json!([]) => {
                assert_eq!(filter()["room"]["timeline"], json!({"limit": 1}));
                (200, joined())
            }
            ["v3", "sync"] => match self.news(text("since"), &filter()) {
                Some(news) => (200, news),
                None => refused(400, "M_UNKNOWN"),
            },
            ["v3", "profile", user] => match USERS.iter().position(|known| known == user) {
                Some(user) if self.names[user].is_empty() => (200, json!({})),
                Some(user) => (200, json!({"displayname": self.names[user]})),
                None => refused(404, "M_NOT_FOUND"),
            },
            // Of a room that there is not it says the same.
            ["v1" | "v3", "rooms", room, ..] if *room != ROOM || !self.is_joined => {
                refused(403, "M_FORBIDDEN")
            }
            [_, "rooms", ROOM, rest @ ..] => self.of_room(rest, &text, &filter()),
            _ => refused(404, "M_UNRECOGNIZED"),
        }
    }

    fn of_room<'q>(
        &self,
        path: &[&str],
        query: &dyn Fn(&str) -> Option<&'q str>,
        filter: &Value,
    ) -> (u16, Value) {
        match path {
            ["messages"] => {
                let limit = query("limit").and_then(|limit| limit.parse().ok()).unwrap_or(10);
                let (from, to) = (query("from"), query("to"));
                match self.history(from, to, limit, &filter["types"]) {
                    _ if self.forgets && from.is_some() => refused(400, "M_UNKNOWN"),
                    Some(mut page) if self.repeats => {
                        page["end"] = from.into();
                        (200, page)
                    }
                    Some(page) => (200, page),
                    None => refused(400, "M_UNKNOWN"),
                }
            }
            ["event", id] => match self.find(id) {
                Some(event) => (200, self.event(event)),
                None => refused(404, "M_NOT_FOUND"),
            },
            ["relations", _, "m.replace"] if !self.relates => refused(404, "M_UNRECOGNIZED"),
            ["relations", id, "m.replace"] => {
                let Some(event) = self.find(id) else { return refused(404, "M_NOT_FOUND") };
                let edits = self.edits(event).into_iter().rev().map(|edit| self.event(edit));
                (200, json!({"chunk": edits.collect::<Vec<_>>()}))
            }
            ["timestamp_to_event"] => {
                let earliest = self.events.iter().min_by_key(|event| event.at);
                let earliest =
                    earliest.map(|e| json!({"event_id": e.id, "origin_server_ts": e.at}));
                earliest.map_or(refused(404, "M_NOT_FOUND"), |event| (200, event))
            }
            ["joined_members"] => {
                let here = USERS.iter().zip(self.names).take(3);
                let here = here.map(|(user, name)| {
                    ((*user).to_owned(), json!({"display_name": name, "avatar_url": null}))
                });
                (200, json!({"joined": Value::Object(here.collect())}))
            }
            _ => refused(404, "M_UNRECOGNIZED"),
        }
    }
}

/// Ids of rooms have to have a server.
fn is_valid(filter: &Value) -> bool {
    let rooms = ["rooms", "not_rooms"].iter().filter_map(|name| filter["room"][name].as_array());
    rooms.flatten().all(|id| id.as_str().is_some_and(|id| id.starts_with('!') && id.contains(':')))
}

/// Four rooms: one with a name, a conversation of two, one without a name, a space.
fn joined() -> Value {
    let state = |events: &[(&str, Value)]| {
        let events = events.iter().map(|(kind, content)| {
            json!({"type": kind, "state_key": "", "content": content, "event_id": "$state",
                "sender": USERS[0]})
        });
        json!({"events": events.collect::<Vec<_>>()})
    };
    let general = state(&[
        ("m.room.create", json!({"room_version": "11"})),
        ("m.room.name", json!({"name": "General"})),
        ("m.room.topic", json!({"topic": "What we do"})),
        ("m.room.join_rules", json!({"join_rule": "public"})),
    ]);
    let secret = state(&[("m.room.encryption", json!({"algorithm": "m.megolm.v1.aes-sha2"}))]);
    let space = state(&[("m.room.create", json!({"type": "m.space"}))]);
    json!({
        "next_batch": "s1_0",
        "account_data": {"events": [
            {"type": "m.direct", "content": {"@ann:here.org": ["!direct:here.org"]}},
        ]},
        "rooms": {"join": {
            ROOM: {"state": general, "timeline": {"events": []},
                "summary": {"m.joined_member_count": 3}},
            "!direct:here.org": {"state": state(&[]), "timeline": {"events": []}},
            "!secret:here.org": {"state": secret, "timeline": {"events": []},
                "summary": {"m.heroes": ["@ann:here.org", "@bob:there.org"]}},
            "!space:here.org": {"state": space, "timeline": {"events": []}},
        }},
    })
}

pub(super) async fn answer(
    State(fake): State<Arc<Fake>>,
    uri: Uri,
    headers: HeaderMap,
) -> Response<Body> {
    let mut server = fake.lock();
    server.log.push(uri.path().to_owned());
    let response = dated(server.now * 1_000);
    if let Some((status, headers, body)) = server.answers.pop_front() {
        return answered(response, status, &headers, body);
    }
    let (status, answer) = server.answer(&uri, &headers);
    let response = response.header("content-type", "application/json");
    answered(response, status, &Vec::new(), answer.to_string())
}
