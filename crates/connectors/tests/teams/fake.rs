//! Microsoft Graph as its documentation has it, as far as reading a channel goes.

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

pub(crate) const TENANT: &str = "0a1b2c3d-0000-4000-8000-000000000001";
pub(crate) const TEAM: &str = "0a1b2c3d-0000-4000-8000-000000000002";
pub(crate) const CHANNEL: &str = "19:abc@thread.tacv2";
pub(crate) const SECRET: &str = "secret-of-the-app";

/// Replies that come with a thread; the others are asked for.
pub(crate) const EXPANDED: usize = 5;

const NAMES: [&str; 3] = ["Ann Smith", "Bob", "Helper"];

/// Status, headers and body of an answer that is given to requests whose address contains this.
pub(crate) type Canned = (&'static str, u16, Headers, String);

#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) id: i64,
    pub(crate) user: usize,
    pub(crate) text: String,
    pub(crate) edited_at: Option<i64>,
    pub(crate) deleted_at: Option<i64>,
    pub(crate) reactions: usize,
    pub(crate) more: Value,
}

#[derive(Clone)]
pub(crate) struct Thread {
    pub(crate) first: Said,
    pub(crate) replies: Vec<Said>,
    /// When anything of it changed last, as time and in order.
    pub(crate) modified_at: i64,
    pub(crate) change: u64,
    pub(crate) is_purged: bool,
}

pub(crate) struct Tenant {
    pub(crate) now: i64,
    pub(crate) made: u64,
    pub(crate) threads: Vec<Thread>,
    pub(crate) secret_is_good: bool,
    /// Tokens up to this one are not accepted any more.
    pub(crate) refused_tokens: u64,
    pub(crate) tokens: u64,
    pub(crate) is_allowed: bool,
    pub(crate) exists: bool,
    /// Links to changes before this one have expired.
    pub(crate) expired: u64,
    pub(crate) answers: VecDeque<Canned>,
    pub(crate) log: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) tenant: Mutex<Tenant>,
}

impl Fake {
    pub(crate) async fn start() -> Arc<Self> {
        let (listener, url) = listen().await;
        let tenant = Tenant {
            now: 1_700_000_000_000,
            made: 0,
            threads: Vec::new(),
            secret_is_good: true,
            refused_tokens: 0,
            tokens: 0,
            is_allowed: true,
            exists: true,
            expired: 0,
            answers: VecDeque::new(),
            log: Vec::new(),
        };
        let fake = Arc::new(Self { url, tenant: Mutex::new(tenant) });
        serve(listener, &fake, api::answer);
        fake
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Tenant> {
        self.tenant.lock().expect("the tenant")
    }

    /// Requests since the last look.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().log)
    }
}

impl Tenant {
    fn said(&self, id: i64, user: usize, text: &str) -> Said {
        let (edited_at, deleted_at, reactions) = (None, None, 0);
        Said { id, user, text: text.to_owned(), edited_at, deleted_at, reactions, more: json!({}) }
    }

    /// Begins a thread; its id is the time, and unique in the channel.
    pub(crate) fn say(&mut self, user: usize, text: &str) -> i64 {
        let taken = self.threads.iter().map(|thread| thread.first.id).max().unwrap_or_default();
        let id = self.now.max(taken + 1);
        let first = self.said(id, user, text);
        let thread = Thread {
            first,
            replies: Vec::new(),
            modified_at: self.now,
            change: 0,
            is_purged: false,
        };
        self.threads.push(thread);
        self.touch(id);
        id
    }

    /// Replies; the id is unique in the thread only.
    pub(crate) fn reply(&mut self, root: i64, user: usize, text: &str) -> i64 {
        let taken = self.thread(root).replies.iter().map(|reply| reply.id).max();
        let id = self.now.max(taken.unwrap_or_default() + 1);
        let reply = self.said(id, user, text);
        self.thread(root).replies.push(reply);
        self.touch(root);
        id
    }

    pub(crate) fn thread(&mut self, root: i64) -> &mut Thread {
        self.threads.iter_mut().find(|thread| thread.first.id == root).expect("a thread")
    }

    /// Something of a thread has changed.
    pub(crate) fn touch(&mut self, root: i64) {
        self.made += 1;
        let (now, change) = (self.now, self.made);
        let thread = self.thread(root);
        (thread.modified_at, thread.change) = (now, change);
    }

    /// A message, by its thread and how many replies come before it; `None` is the first.
    pub(crate) fn message(&mut self, root: i64, reply: Option<usize>) -> &mut Said {
        let thread = self.thread(root);
        match reply {
            Some(reply) => &mut thread.replies[reply],
            None => &mut thread.first,
        }
    }

    pub(crate) fn edit(&mut self, root: i64, reply: Option<usize>, text: &str) {
        let now = self.now;
        let said = self.message(root, reply);
        said.text = text.to_owned();
        said.edited_at = Some(now);
        self.touch(root);
    }

    pub(crate) fn delete(&mut self, root: i64, reply: Option<usize>) {
        let now = self.now;
        self.message(root, reply).deleted_at = Some(now);
        self.touch(root);
    }

    /// Retention takes a thread without replies away altogether.
    pub(crate) fn purge(&mut self, root: i64) {
        self.thread(root).is_purged = true;
        self.touch(root);
    }
}

impl Changing for Fake {
    fn change(&self, dice: &mut Dice) {
        let tenant = &mut *self.lock();
        tenant.now += [0, 0, 1, 700, 45_000, 400_000][dice.below(6)];
        let user = dice.below(3);
        let words = format!("words {}", dice.below(1_000_000));
        let some = tenant.threads.get(dice.below(tenant.threads.len()));
        let some = some.filter(|thread| !thread.is_purged);
        let some = some.map(|thread| (thread.first.id, thread.replies.len()));
        let message = |dice: &mut Dice, replies: usize| dice.below(replies + 1).checked_sub(1);
        match (dice.below(10), some) {
            (0, Some((root, replies))) => tenant.edit(root, message(dice, replies), &words),
            (1, Some((root, replies))) => tenant.delete(root, message(dice, replies)),
            (2, Some((root, replies))) => {
                let at = message(dice, replies);
                tenant.message(root, at).reactions += 1;
                tenant.touch(root);
            }
            (3, Some((root, 0))) if dice.below(4) == 0 => tenant.purge(root),
            (4, _) if dice.below(20) == 0 => tenant.expired = tenant.made,
            (5..=8, Some((root, _))) => {
                tenant.reply(root, user, &words);
            }
            _ => {
                tenant.say(user, &words);
            }
        }
    }

    fn calm(&self) {
        self.lock().now += 60_000;
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let tenant = self.lock();
        let mut rows = BTreeMap::new();
        for thread in tenant.threads.iter().filter(|thread| !thread.is_purged) {
            let root = thread.first.id;
            for said in std::iter::once(&thread.first).chain(&thread.replies) {
                let is_first = std::ptr::eq(said, &thread.first);
                let id = if is_first { root.to_string() } else { format!("{root}/{}", said.id) };
                let row = Row {
                    text: said.text.clone(),
                    reply_to: (!is_first).then(|| root.to_string()),
                    edited_at_ms: said.edited_at,
                    reactions: said.reactions,
                    author: NAMES[said.user].to_owned(),
                };
                if said.deleted_at.is_none() {
                    rows.insert(id, row);
                }
            }
        }
        rows
    }
}
