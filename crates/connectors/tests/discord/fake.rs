//! Discord as its OpenAPI description and its documentation have it, as far as reading channels goes.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

mod api;

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};

use crate::{
    platform::{Changing, Dice, Row},
    server::{Headers, listen, serve},
};

pub(crate) const TOKEN: &str = "token-of-the-bot";
pub(crate) const GUILD: u64 = 100_000_000_000_000_001;
pub(crate) const TEXT: u64 = 100_000_000_000_000_002;
pub(crate) const FORUM: u64 = 100_000_000_000_000_003;
pub(crate) const BOT: u64 = 100_000_000_000_000_009;

const EPOCH: u64 = 1_420_070_400_000;
const NAMES: [&str; 3] = ["Ann Smith", "bob", "helper"];

/// Status, headers and body of an answer that is given to requests whose path contains this.
pub(crate) type Canned = (&'static str, u16, Headers, String);

#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) id: u64,
    /// The channel or thread.
    pub(crate) place: u64,
    pub(crate) user: usize,
    pub(crate) kind: u64,
    pub(crate) content: String,
    pub(crate) edited_at: Option<i64>,
    pub(crate) reactions: u32,
    pub(crate) more: Value,
}

#[derive(Clone)]
pub(crate) struct Thread {
    pub(crate) id: u64,
    pub(crate) parent: u64,
    pub(crate) is_archived: bool,
    pub(crate) is_private: bool,
    pub(crate) archived_at: i64,
    pub(crate) last: u64,
    pub(crate) total: u64,
}

pub(crate) struct Guild {
    pub(crate) now: i64,
    pub(crate) made: u64,
    pub(crate) said: Vec<Said>,
    pub(crate) threads: Vec<Thread>,
    pub(crate) last: BTreeMap<u64, u64>,
    /// Messages of each thread that are there, but for a forum's first.
    pub(crate) replies: BTreeMap<u64, usize>,
    pub(crate) token_is_good: bool,
    pub(crate) reads_history: bool,
    pub(crate) reads_content: bool,
    pub(crate) guilds: usize,
    pub(crate) answers: VecDeque<Canned>,
    pub(crate) headers: Headers,
    pub(crate) log: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) guild: Mutex<Guild>,
    /// What changes when told so.
    pub(crate) changing: u64,
}

impl Fake {
    pub(crate) async fn start(changing: u64) -> Arc<Self> {
        let (listener, url) = listen().await;
        let url = format!("{url}/api/v10");
        let guild = Guild {
            now: 1_700_000_000_000,
            made: 0,
            said: Vec::new(),
            threads: Vec::new(),
            last: BTreeMap::new(),
            replies: BTreeMap::new(),
            token_is_good: true,
            reads_history: true,
            reads_content: true,
            guilds: 1,
            answers: VecDeque::new(),
            headers: Vec::new(),
            log: Vec::new(),
        };
        let fake = Arc::new(Self { url, guild: Mutex::new(guild), changing });
        serve(listener, &fake, api::answer);
        fake
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Guild> {
        self.guild.lock().expect("the server")
    }

    /// Requests since the last look.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().log)
    }
}

pub(crate) fn millis(id: u64) -> i64 {
    i64::try_from((id >> 22) + EPOCH).expect("a time")
}

impl Guild {
    fn id(&mut self) -> u64 {
        self.made += 1;
        ((u64::try_from(self.now).expect("a time") - EPOCH) << 22) | (self.made & 0x3f_ffff)
    }

    /// Says something; a thread that was archived is not any more.
    pub(crate) fn say(&mut self, place: u64, user: usize, content: &str) -> u64 {
        let id = self.id();
        self.push(id, place, user, content);
        id
    }

    fn push(&mut self, id: u64, place: u64, user: usize, content: &str) {
        let content = content.to_owned();
        let (kind, edited_at, reactions, more) = (0, None, 0, json!({}));
        self.said.push(Said { id, place, user, kind, content, edited_at, reactions, more });
        self.last.insert(place, id);
        *self.replies.entry(place).or_default() += usize::from(id != place);
        if let Some(thread) = self.threads.iter_mut().find(|thread| thread.id == place) {
            thread.last = id;
            thread.is_archived = false;
            // The first message of a forum's thread does not count.
            thread.total += u64::from(id != place);
        }
    }

    /// A thread that a message begins: it has that message's id.
    pub(crate) fn thread_of(&mut self, message: u64) -> u64 {
        self.begin(message, TEXT);
        message
    }

    /// A thread of a forum: its first message has its id.
    pub(crate) fn forum_thread(&mut self, user: usize, content: &str) -> u64 {
        let id = self.id();
        self.begin(id, FORUM);
        self.push(id, id, user, content);
        id
    }

    /// A thread that no message begins; the channel reports it.
    pub(crate) fn lone_thread(&mut self) -> u64 {
        let id = self.id();
        self.begin(id, TEXT);
        let report = self.say(TEXT, 0, "a thread");
        self.message(report).kind = 18;
        id
    }

    fn begin(&mut self, id: u64, parent: u64) {
        if self.threads.iter().all(|thread| thread.id != id) {
            self.threads.push(Thread {
                id,
                parent,
                is_archived: false,
                is_private: false,
                archived_at: 0,
                last: 0,
                total: 0,
            });
        }
    }

    pub(crate) fn message(&mut self, id: u64) -> &mut Said {
        self.said.iter_mut().find(|said| said.id == id).expect("a message")
    }

    pub(crate) fn edit(&mut self, id: u64, content: &str) {
        let now = self.now;
        let said = self.message(id);
        said.content = content.to_owned();
        said.edited_at = Some(now);
    }

    pub(crate) fn delete(&mut self, id: u64) {
        let Some(at) = self.said.iter().position(|said| said.id == id) else { return };
        let place = self.said.remove(at).place;
        *self.replies.entry(place).or_default() -= usize::from(id != place);
    }

    pub(crate) fn delete_thread(&mut self, id: u64) {
        self.threads.retain(|thread| thread.id != id);
        self.said.retain(|said| said.place != id);
    }

    pub(crate) fn archive(&mut self, id: u64) {
        let now = self.now;
        for thread in self.threads.iter_mut().filter(|thread| thread.id == id) {
            thread.is_archived = true;
            thread.archived_at = now;
        }
    }

    fn is_of(&self, said: &Said, channel: u64) -> bool {
        let in_thread = |t: &Thread| t.id == said.place && t.parent == channel;
        said.place == channel || self.threads.iter().any(in_thread)
    }
}

impl Changing for Fake {
    fn change(&self, dice: &mut Dice) {
        let guild = &mut *self.lock();
        guild.now += [0, 0, 1, 700, 45_000, 4_000_000][dice.below(6)];
        let user = dice.below(3);
        let words = format!("words {}", dice.below(1_000_000));
        let some = guild.said.get(dice.below(guild.said.len())).map(|said| said.id);
        let thread = guild.threads.get(dice.below(guild.threads.len())).map(|thread| thread.id);
        match (dice.below(14), some, thread) {
            (0, Some(id), _) => guild.edit(id, &words),
            (1, Some(id), _) => guild.delete(id),
            (2, Some(id), _) => guild.message(id).reactions += 1,
            (3, _, _) if self.changing == FORUM && dice.below(3) == 0 => {
                guild.forum_thread(user, &words);
            }
            (3, Some(id), _) if guild.message(id).place == TEXT && dice.below(3) == 0 => {
                guild.thread_of(id);
            }
            (4, _, _) if self.changing == TEXT && dice.below(3) == 0 => {
                guild.lone_thread();
            }
            (5, _, Some(id)) => guild.archive(id),
            (6, _, Some(id)) if dice.below(6) == 0 => guild.delete_thread(id),
            (7..=10, _, Some(id)) => {
                guild.say(id, user, &words);
            }
            _ if self.changing == TEXT => {
                guild.say(TEXT, user, &words);
            }
            _ if dice.below(4) == 0 => {
                guild.forum_thread(user, &words);
            }
            _ => {}
        }
    }

    fn hides_changes(&self) -> bool {
        true
    }

    fn calm(&self) {
        self.lock().now += 60_000;
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let guild = self.lock();
        let row = |said: &Said| Row {
            text: said.content.clone(),
            reply_to: Some(said.place)
                .filter(|place| *place != self.changing && *place != said.id)
                .map(|place| place.to_string()),
            edited_at_ms: said.edited_at,
            reactions: said.reactions as usize,
            author: NAMES[said.user].to_owned(),
        };
        let said = guild.said.iter().filter(|said| guild.is_of(said, self.changing));
        said.map(|said| (said.id.to_string(), row(said))).collect()
    }
}
