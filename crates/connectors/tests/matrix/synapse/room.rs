//! A room of a test's own, with a book of what has to be found in it.

use std::{collections::BTreeMap, time::SystemTime};

use connectors::{Account, contract::Mirror};
use serde_json::{Value, json};

use super::server::{Server, mirror};
use crate::platform::{Row, assert_same, stored};

/// The time of the first event that is said in a room.
const BEGIN: i64 = 1_750_000_000_000;

pub(crate) struct Room<'s> {
    pub(crate) server: &'s Server,
    pub(crate) id: String,
    pub(crate) rows: BTreeMap<String, Row>,
    events: i64,
}

impl<'s> Room<'s> {
    /// A room of Ann's, which the account that we read with has joined.
    pub(crate) async fn new(server: &'s Server) -> Self {
        let made = SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_nanos();
        let about = json!({"preset": "public_chat", "name": format!("Room {made}")});
        let created = server.call(server.token("ann"), "POST", "createRoom", about).await;
        let id = created["room_id"].as_str().expect("a room").to_owned();
        let room = Self { server, id, rows: BTreeMap::new(), events: 0 };
        room.joined_by("helper", "join").await;
        room
    }

    /// Joins, or leaves.
    pub(crate) async fn joined_by(&self, name: &str, what: &str) {
        let path = format!("rooms/{}/{what}", self.id);
        self.server.call(self.server.token(name), "POST", &path, json!({})).await;
    }

    /// An event of Ann's, at a time of its own.
    pub(crate) async fn put(&mut self, what: &str, content: Value) -> (String, i64) {
        self.events += 1;
        let at = BEGIN + self.events * 1_000;
        let path =
            format!("rooms/{}/{what}/{}?user_id=@ann:localhost&ts={at}", self.id, self.events);
        let reply = self.server.call("seeder", "PUT", &path, content).await;
        (reply["event_id"].as_str().expect("an id").to_owned(), at)
    }

    pub(crate) async fn say(&mut self, text: &str, root: Option<&str>) -> String {
        let mut content = json!({"msgtype": "m.text", "body": text});
        if let Some(root) = root {
            content["m.relates_to"] = json!({"rel_type": "m.thread", "event_id": root});
        }
        let (id, _) = self.put("send/m.room.message", content).await;
        let row = Row {
            text: text.to_owned(),
            reply_to: root.map(str::to_owned),
            edited_at_ms: None,
            reactions: 0,
            author: "Ann Smith".into(),
        };
        self.rows.insert(id.clone(), row);
        id
    }

    /// Says so many things, each with a reply and an edit.
    pub(crate) async fn talks(&mut self, times: usize) {
        for number in 0..times {
            let root = self.say(&format!("message {number}"), None).await;
            self.say("to that", Some(&root)).await;
            self.edit(&root, &format!("message {number}, said better")).await;
        }
    }

    pub(crate) async fn edit(&mut self, id: &str, text: &str) -> String {
        let content = json!({"msgtype": "m.text", "body": format!("* {text}"),
            "m.new_content": {"msgtype": "m.text", "body": text},
            "m.relates_to": {"rel_type": "m.replace", "event_id": id}});
        let (edit, at) = self.put("send/m.room.message", content).await;
        let row = self.rows.get_mut(id).expect("a message");
        (row.text, row.edited_at_ms) = (text.to_owned(), Some(at));
        edit
    }

    pub(crate) async fn react(&mut self, id: &str) -> String {
        let relation = json!({"rel_type": "m.annotation", "event_id": id, "key": "+1"});
        let (event, _) = self.put("send/m.reaction", json!({"m.relates_to": relation})).await;
        self.rows.get_mut(id).expect("a message").reactions += 1;
        event
    }

    pub(crate) async fn redact(&mut self, id: &str) {
        self.put(&format!("redact/{id}"), json!({})).await;
        self.rows.remove(id);
    }

    pub(crate) fn mirror(&self) -> Mirror {
        mirror(&self.id)
    }

    /// Walks, and finds what is in the book.
    pub(crate) async fn found_by(&self, account: &dyn Account, mirror: &Mirror) {
        mirror.walk(account).await.expect("a walk");
        assert_same(&self.rows, &stored(mirror));
    }
}
