//! A homeserver as the specification and Synapse describe it, as far as reading a room goes.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

mod api;
mod timeline;

use std::{
    collections::{BTreeMap, BTreeSet, HashMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};

use crate::{
    platform::{Changing, Dice, Row},
    server::{Headers, listen, serve},
};

pub(crate) const TOKEN: &str = "syt_of_the_account";
pub(crate) const ROOM: &str = "!room:here.org";

/// Status, headers and body of an answer that is given whatever is asked.
pub(crate) type Canned = (u16, Headers, String);

/// An event, at its place in the order in which the server has got to know of it.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) id: String,
    /// Its place in the room's own order.
    pub(crate) depth: u64,
    pub(crate) kind: &'static str,
    pub(crate) user: usize,
    pub(crate) at: i64,
    pub(crate) content: Value,
    pub(crate) is_state: bool,
    /// The redaction that took its content.
    pub(crate) redacted_by: Option<String>,
}

impl Event {
    /// The event that it is related to in this way.
    pub(crate) fn related(&self, way: &str) -> Option<&str> {
        let relation = self.content.get("m.relates_to")?;
        let is_way = relation["rel_type"] == way;
        relation["event_id"].as_str().filter(|_| is_way)
    }

    fn is_message(&self) -> bool {
        let kinds = ["m.room.message", "m.sticker", "m.room.encrypted"];
        kinds.contains(&self.kind) && self.redacted_by.is_none()
    }
}

pub(crate) struct Server {
    pub(crate) now: i64,
    pub(crate) events: Vec<Event>,
    /// Places of events by what they are related to.
    related: HashMap<String, Vec<usize>>,
    /// Messages that an edit was taken back of.
    taken_back: BTreeSet<String>,
    pub(crate) token_is_good: bool,
    pub(crate) is_joined: bool,
    /// Tokens of earlier epochs lead nowhere.
    pub(crate) epoch: u32,
    /// Whether every token leads nowhere.
    pub(crate) forgets: bool,
    /// Whether a page of history says of itself that it is the next.
    pub(crate) repeats: bool,
    /// Whether it tells with a message which edit counts.
    pub(crate) bundles: bool,
    /// Whether it tells the edits of a message.
    pub(crate) relates: bool,
    /// Events of a page of history at most, before the filter is applied.
    pub(crate) page: usize,
    /// Events of an answer about what is new at most.
    pub(crate) news: usize,
    /// Whether events of a page come in any order.
    pub(crate) shuffles: bool,
    /// Names of those who have one.
    pub(crate) names: [&'static str; 4],
    pub(crate) answers: VecDeque<Canned>,
    pub(crate) log: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    server: Mutex<Server>,
}

/// The last one has left the room, and has said nothing of a name.
pub(crate) const USERS: [&str; 4] =
    ["@ann:here.org", "@bob:there.org", "@helper:here.org", "@gone:there.org"];

impl Fake {
    pub(crate) async fn start() -> Arc<Self> {
        let (listener, url) = listen().await;
        let mut server = Server {
            now: 1_700_000_000_000,
            events: Vec::new(),
            related: HashMap::new(),
            taken_back: BTreeSet::new(),
            token_is_good: true,
            is_joined: true,
            epoch: 0,
            forgets: false,
            repeats: false,
            bundles: true,
            relates: true,
            page: 1_000,
            news: 100,
            shuffles: false,
            names: ["Ann Smith", "Bob", "Helper", ""],
            answers: VecDeque::new(),
            log: Vec::new(),
        };
        server.happens("m.room.create", 0, json!({"room_version": "11"}));
        let fake = Arc::new(Self { url, server: Mutex::new(server) });
        serve(listener, &fake, api::answer);
        fake
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Server> {
        self.server.lock().expect("the server")
    }

    /// Requests since the last look.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().log)
    }
}

impl Server {
    /// An event of now; of what describes the room if its kind says so.
    pub(crate) fn happens(&mut self, kind: &'static str, user: usize, content: Value) -> String {
        let number = self.events.len() as u64;
        // In no order of time.
        let id = format!("${:0>16x}", Dice::new(number).next());
        let depth = self.events.iter().map(|event| event.depth).max().unwrap_or(0) + 1;
        let is_state = ["m.room.create", "m.room.member"].contains(&kind);
        let at = self.now;
        let event =
            Event { id: id.clone(), depth, kind, user, at, content, is_state, redacted_by: None };
        if let Some(to) = event.content["m.relates_to"]["event_id"].as_str() {
            self.related.entry(to.to_owned()).or_default().push(self.events.len());
        }
        self.events.push(event);
        id
    }

    pub(crate) fn say(&mut self, user: usize, body: &str) -> String {
        self.happens("m.room.message", user, json!({"msgtype": "m.text", "body": body}))
    }

    pub(crate) fn reply(&mut self, user: usize, root: &str, body: &str) -> String {
        let relation = json!({"rel_type": "m.thread", "event_id": root, "is_falling_back": true,
            "m.in_reply_to": {"event_id": root}});
        let content = json!({"msgtype": "m.text", "body": body, "m.relates_to": relation});
        self.happens("m.room.message", user, content)
    }

    pub(crate) fn edit(&mut self, user: usize, of: &str, body: &str) -> String {
        let content = json!({"msgtype": "m.text", "body": format!("* {body}"),
            "m.new_content": {"msgtype": "m.text", "body": body},
            "m.relates_to": {"rel_type": "m.replace", "event_id": of}});
        self.happens("m.room.message", user, content)
    }

    pub(crate) fn react(&mut self, user: usize, to: &str, key: &str) -> String {
        let relation = json!({"rel_type": "m.annotation", "event_id": to, "key": key});
        self.happens("m.reaction", user, json!({"m.relates_to": relation}))
    }

    /// Takes an event's content away, and with it what it was.
    pub(crate) fn redact(&mut self, id: &str) {
        let edited = self.find(id).and_then(|event| event.related("m.replace"));
        self.taken_back.extend(edited.map(str::to_owned));
        let by = self.happens("m.room.redaction", 0, json!({"redacts": id}));
        let event = self.events.iter_mut().find(|event| event.id == id).expect("an event");
        event.content = json!({});
        event.redacted_by = Some(by);
    }

    /// What came late from another server: known now, said long ago.
    pub(crate) fn arrives_late(&mut self, user: usize, body: &str, depth: u64, at: i64) -> String {
        let id = self.say(user, body);
        let event = self.events.last_mut().expect("an event");
        (event.depth, event.at) = (depth, at);
        id
    }

    pub(crate) fn find(&self, id: &str) -> Option<&Event> {
        self.events.iter().find(|event| event.id == id)
    }

    /// What is related to an event in this way, and was not redacted.
    pub(crate) fn related<'s>(
        &'s self,
        to: &'s str,
        way: &'s str,
    ) -> impl Iterator<Item = &'s Event> {
        let places = self.related.get(to).into_iter().flatten();
        let events = places.map(|place| &self.events[*place]);
        events.filter(move |event| event.related(way) == Some(to))
    }

    /// The edits of a message that may count, the one that does last.
    pub(crate) fn edits<'s>(&'s self, of: &'s Event) -> Vec<&'s Event> {
        let edits = self.related(&of.id, "m.replace");
        let mut edits: Vec<&Event> =
            edits.filter(|edit| edit.user == of.user && edit.kind == of.kind).collect();
        edits.sort_by_key(|edit| (edit.at, &edit.id));
        edits
    }

    pub(crate) fn name(&self, user: usize) -> String {
        let local = USERS[user].trim_start_matches('@').split(':').next().unwrap_or_default();
        if self.names[user].is_empty() { local.to_owned() } else { self.names[user].to_owned() }
    }

    fn row(&self, event: &Event) -> Row {
        let edit = self.edits(event).pop();
        let content = edit.map_or(&event.content, |edit| &edit.content["m.new_content"]);
        let reactions: BTreeSet<(usize, String)> = self
            .related(&event.id, "m.annotation")
            .map(|r| (r.user, r.content["m.relates_to"]["key"].to_string()))
            .collect();
        Row {
            text: content["body"].as_str().unwrap_or_default().to_owned(),
            reply_to: event.related("m.thread").map(str::to_owned),
            edited_at_ms: edit.map(|edit| edit.at.max(event.at)),
            reactions: reactions.len(),
            author: self.name(event.user),
        }
    }
}

impl Changing for Fake {
    fn change(&self, dice: &mut Dice) {
        let server = &mut *self.lock();
        // Often nothing of the clock passes, and sometimes it is put back.
        server.now += [0, 0, 1, 700, 45_000, -3_000][dice.below(6)];
        let some: Vec<&Event> =
            (0..8).filter_map(|_| server.events.get(dice.below(server.events.len()))).collect();
        let message = some.iter().find(|e| e.is_message() && e.related("m.replace").is_none());
        let message = message.map(|event| {
            (event.id.clone(), event.user, event.related("m.thread").map(str::to_owned))
        });
        let lasting = |event: &&&Event| event.redacted_by.is_none() && !event.is_state;
        let any = some.iter().find(lasting).map(|event| (event.id.clone(), event.kind));
        let (user, words) = (dice.below(4), format!("words {}", dice.below(1_000_000)));
        match (dice.below(12), message) {
            (0 | 1, Some((id, author, _))) => {
                server.edit(author, &id, &words);
            }
            (2, Some((id, ..))) => {
                // Of somebody else: a forgery.
                server.edit(user, &id, &words);
            }
            (3..=5, Some((id, _, root))) => {
                server.reply(user, &root.unwrap_or(id), &words);
            }
            (6, Some((id, ..))) => {
                server.react(user, &id, ["+1", "-1", "tada"][dice.below(3)]);
            }
            (7, _) => {
                if let Some((id, kind)) = any
                    && kind != "m.room.redaction"
                {
                    server.redact(&id);
                }
            }
            (8, _) => {
                server.happens("m.room.member", user, json!({"membership": "join"}));
            }
            (9, _) if dice.below(3) == 0 => {
                let depth = 1 + dice.below(server.events.len()) as u64;
                let at = server.now - 3_600_000;
                server.arrives_late(user, &words, depth, at);
            }
            (10, _) if dice.below(60) == 0 => {
                for number in 0..450 {
                    server.now += [0, 0, 900][number % 3];
                    server.say(user, &format!("{words} {number}"));
                }
            }
            (10, _) if dice.below(20) == 0 && server.epoch < 3 => server.epoch += 1,
            _ => {
                server.say(user, &words);
            }
        }
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let server = self.lock();
        let said = server.events.iter();
        let said = said.filter(|event| event.is_message() && event.related("m.replace").is_none());
        said.map(|event| (event.id.clone(), server.row(event))).collect()
    }

    /// That an edit was taken back is told to who has seen it; to others it never was.
    fn tells_when_edited(&self, id: &str) -> bool {
        !self.lock().taken_back.contains(id)
    }
}
