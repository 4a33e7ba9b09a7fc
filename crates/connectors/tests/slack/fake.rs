//! Slack as its documentation and real replies have it, as far as reading channels goes.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "api.rs"]
mod api;
#[path = "archive.rs"]
mod archive;
pub(crate) use api::person;

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::{Arc, Mutex, MutexGuard},
};

use serde_json::{Value, json};

use crate::{
    platform::{Changing, Dice, Row},
    server::{Headers, listen, serve},
};

pub(crate) const TOKEN: &str = "xoxb-canary-of-the-bot";
pub(crate) const CHANNEL: &str = "C0GENERAL";
pub(crate) const SECOND: i64 = 1_000_000;
pub(crate) const DAY: i64 = 24 * 60 * 60 * SECOND;

/// Ids and names; the last one is of another workspace and in no list.
pub(crate) const PEOPLE: [(&str, &str); 4] =
    [("U1", "Ann"), ("U2", "Bob B."), ("UBOT", "Helper"), ("W9", "Zoe")];

/// Method, status, headers and body of an answer that is given instead of the right one.
pub(crate) type Canned = (&'static str, u16, Headers, Value);

#[derive(Clone)]
pub(crate) struct Said {
    pub(crate) root: Option<i64>,
    pub(crate) user: usize,
    pub(crate) text: String,
    pub(crate) edited: Option<i64>,
    pub(crate) reactions: u32,
    pub(crate) is_broadcast: bool,
    pub(crate) is_tombstone: bool,
    pub(crate) more: Value,
}

pub(crate) struct Workspace {
    /// Microseconds.
    pub(crate) now: i64,
    pub(crate) said: BTreeMap<i64, Said>,
    pub(crate) replies: BTreeMap<i64, BTreeSet<i64>>,
    pub(crate) token_is_good: bool,
    pub(crate) scopes: Option<&'static str>,
    pub(crate) is_member: bool,
    pub(crate) may_join: bool,
    pub(crate) is_archived: bool,
    /// People whose accounts were deleted, by their place among all.
    pub(crate) left: BTreeSet<usize>,
    /// What search says that there is.
    pub(crate) counted: Option<u64>,
    /// Messages of a page at most, whatever is asked for.
    pub(crate) most: usize,
    /// Pages of the history come the other way round.
    pub(crate) oldest_first: bool,
    /// The last requests for history and replies, if those are counted by the minute.
    pub(crate) by_the_minute: Option<BTreeMap<String, i64>>,
    /// Cursors that are refused before one is taken.
    pub(crate) stale: usize,
    /// Nothing older is shown: the plan hides it.
    pub(crate) hidden_before: i64,
    /// Threads that cannot be read.
    pub(crate) broken: BTreeSet<i64>,
    pub(crate) strangers: usize,
    pub(crate) answers: VecDeque<Canned>,
    /// Method and form of each request.
    pub(crate) log: Vec<(String, BTreeMap<String, String>)>,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    workspace: Mutex<Workspace>,
}

impl Fake {
    pub(crate) async fn start() -> Arc<Self> {
        let (listener, url) = listen().await;
        let url = format!("{url}/api");
        let workspace = Workspace {
            now: 1_700_000_000 * SECOND,
            said: BTreeMap::new(),
            replies: BTreeMap::new(),
            token_is_good: true,
            scopes: None,
            is_member: true,
            may_join: true,
            is_archived: false,
            left: BTreeSet::new(),
            counted: None,
            most: 999,
            oldest_first: false,
            by_the_minute: None,
            stale: 0,
            hidden_before: 0,
            broken: BTreeSet::new(),
            strangers: 0,
            answers: VecDeque::new(),
            log: Vec::new(),
        };
        let fake = Arc::new(Self { url, workspace: Mutex::new(workspace) });
        serve(listener, &fake, api::answer);
        fake
    }

    pub(crate) fn lock(&self) -> MutexGuard<'_, Workspace> {
        self.workspace.lock().expect("the server")
    }

    /// Methods that were asked for since the last look.
    pub(crate) fn requests(&self) -> Vec<String> {
        std::mem::take(&mut self.lock().log).into_iter().map(|(method, _)| method).collect()
    }

    /// Says that many, one a minute.
    pub(crate) fn talk(&self, count: usize) -> Vec<i64> {
        let mut workspace = self.lock();
        let say = |number: usize| {
            workspace.now += 60 * SECOND;
            workspace.say(None, number % 2, &format!("message {number}"))
        };
        (0..count).map(say).collect()
    }
}

pub(crate) fn ts(at: i64) -> String {
    format!("{}.{:06}", at / SECOND, at % SECOND)
}

impl Workspace {
    pub(crate) fn say(&mut self, root: Option<i64>, user: usize, text: &str) -> i64 {
        self.now += 1_000;
        let (at, text) = (self.now, text.to_owned());
        let (edited, reactions, more) = (None, 0, json!({}));
        let (is_broadcast, is_tombstone) = (false, false);
        let said = Said { root, user, text, edited, reactions, is_broadcast, is_tombstone, more };
        self.said.insert(at, said);
        if let Some(root) = root {
            self.replies.entry(root).or_default().insert(at);
        }
        at
    }

    pub(crate) fn message(&mut self, at: i64) -> &mut Said {
        self.said.get_mut(&at).expect("a message")
    }

    pub(crate) fn edit(&mut self, at: i64, text: &str) {
        self.now += 1_000;
        let now = self.now;
        let said = self.message(at);
        said.text = text.to_owned();
        said.edited = Some(now);
    }

    /// The first message of a thread leaves a tombstone until its last reply is deleted as well.
    pub(crate) fn delete(&mut self, at: i64) {
        let has_replies = self.replies.get(&at).is_some_and(|replies| !replies.is_empty());
        if has_replies {
            let said = self.message(at);
            (said.is_tombstone, said.edited, said.reactions) = (true, None, 0);
            return;
        }
        let Some(said) = self.said.remove(&at) else { return };
        self.replies.remove(&at);
        let Some(root) = said.root else { return };
        let left = self.replies.get_mut(&root).map_or(0, |replies| {
            replies.remove(&at);
            replies.len()
        });
        if left == 0 && self.said.get(&root).is_some_and(|root| root.is_tombstone) {
            self.said.remove(&root);
            self.replies.remove(&root);
        }
    }
}

impl Changing for Fake {
    fn change(&self, dice: &mut Dice) {
        let workspace = &mut *self.lock();
        workspace.now += [0, 1, 40_000, SECOND, 50 * SECOND, DAY / 12][dice.below(6)];
        let user = dice.below(PEOPLE.len());
        let words = format!("words {}", dice.below(1_000_000));
        let all: Vec<i64> = workspace.said.keys().copied().collect();
        // The newest are the likeliest to be answered and changed.
        let back = if dice.below(3) == 0 { all.len() } else { 30.min(all.len()) };
        let some = all.get(all.len().saturating_sub(1 + dice.below(back))).copied();
        let Some(some) = some else {
            workspace.say(None, user, &words);
            return;
        };
        let is_tombstone = workspace.message(some).is_tombstone;
        let root = workspace.message(some).root.unwrap_or(some);
        match dice.below(12) {
            0 if !is_tombstone => workspace.edit(some, &words),
            1 if !is_tombstone => workspace.delete(some),
            2 if !is_tombstone => workspace.message(some).reactions += 1,
            3..=5 => {
                workspace.say(Some(root), user, &words);
            }
            6 if dice.below(3) == 0 => {
                let at = workspace.say(Some(root), user, &words);
                workspace.message(at).is_broadcast = true;
            }
            7 if dice.below(4) == 0 => workspace.stale = 1,
            _ => {
                workspace.say(None, user, &words);
            }
        }
    }

    fn hides_changes(&self) -> bool {
        true
    }

    fn calm(&self) {
        let mut workspace = self.lock();
        workspace.now += 60 * SECOND;
        workspace.stale = 0;
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let workspace = self.lock();
        let there = workspace.said.iter().filter(|(_, said)| !said.is_tombstone);
        let row = |said: &Said| Row {
            text: said.text.clone(),
            reply_to: said.root.map(ts),
            edited_at_ms: said.edited.map(|at| at / 1_000),
            reactions: said.reactions as usize,
            author: PEOPLE[said.user].1.to_owned(),
        };
        there.map(|(at, said)| (ts(*at), row(said))).collect()
    }
}
