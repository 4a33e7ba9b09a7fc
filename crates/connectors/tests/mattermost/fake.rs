//! A Mattermost server as its source describes it, as far as reading a channel goes.

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

pub(crate) const TOKEN: &str = "token-of-the-account";
pub(crate) const TEAM: &str = "teamteamteamteamteamteam00";

/// Status, headers and body of an answer that is given whatever is asked.
pub(crate) type Canned = (u16, Headers, String);

#[derive(Clone, Debug)]
pub(crate) struct Post {
    pub(crate) id: String,
    pub(crate) create_at: i64,
    pub(crate) update_at: i64,
    pub(crate) edit_at: i64,
    pub(crate) delete_at: i64,
    pub(crate) user: usize,
    pub(crate) root_id: String,
    pub(crate) original_id: String,
    pub(crate) message: String,
    pub(crate) kind: String,
    pub(crate) props: Value,
    pub(crate) files: Value,
    pub(crate) reactions: Vec<(usize, String)>,
}

pub(crate) struct Server {
    pub(crate) now: i64,
    pub(crate) posts: Vec<Post>,
    pub(crate) made: u64,
    pub(crate) token_is_good: bool,
    pub(crate) is_member: bool,
    pub(crate) exists: bool,
    /// The next lists of changes are falsely empty.
    pub(crate) lies: u32,
    /// Posts up to here are hidden by the plan.
    pub(crate) hidden_to: i64,
    /// Newer servers blank what is deleted.
    pub(crate) blanks_deleted: bool,
    pub(crate) answers: VecDeque<Canned>,
    pub(crate) headers: Headers,
    pub(crate) log: Vec<String>,
}

pub(crate) struct Fake {
    pub(crate) url: String,
    pub(crate) server: Mutex<Server>,
}

pub(crate) const CHANNEL: &str = "channelchannelchannel00001";
const NAMES: [(&str, &str, bool); 3] =
    [("ann.smith", "Ann Smith", false), ("bob", "Bob", false), ("helper", "Helper", true)];

pub(crate) fn user_id(user: usize) -> String {
    format!("user{user:0>22}")
}

impl Fake {
    pub(crate) async fn start() -> Arc<Self> {
        let (listener, url) = listen().await;
        let server = Server {
            now: 1_700_000_000_000,
            posts: Vec::new(),
            made: 0,
            token_is_good: true,
            is_member: true,
            exists: true,
            lies: 0,
            hidden_to: 0,
            blanks_deleted: true,
            answers: VecDeque::new(),
            headers: Vec::new(),
            log: Vec::new(),
        };
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
    pub(crate) fn say(&mut self, user: usize, root: &str, message: &str) -> String {
        self.made += 1;
        // In no order of time.
        let id = format!("{:0>26x}", Dice::new(self.made).next());
        let at = self.now;
        self.posts.push(Post {
            id: id.clone(),
            create_at: at,
            update_at: at,
            edit_at: 0,
            delete_at: 0,
            user,
            root_id: root.to_owned(),
            original_id: String::new(),
            message: message.to_owned(),
            kind: String::new(),
            props: json!({}),
            files: json!([]),
            reactions: Vec::new(),
        });
        if !root.is_empty() {
            // A reply moves its first post.
            self.post(root).update_at = at;
        }
        id
    }

    pub(crate) fn post(&mut self, id: &str) -> &mut Post {
        self.posts.iter_mut().find(|post| post.id == id).expect("a post")
    }

    pub(crate) fn edit(&mut self, id: &str, message: &str) {
        let now = self.now;
        self.made += 1;
        let mut earlier = self.post(id).clone();
        earlier.original_id =
            std::mem::replace(&mut earlier.id, format!("{:0>26x}", Dice::new(self.made).next()));
        (earlier.delete_at, earlier.update_at) = (now, now);
        let post = self.post(id);
        (post.edit_at, post.update_at) = (now, now);
        post.message = message.to_owned();
        self.posts.push(earlier);
    }

    /// A first post takes its replies with it.
    pub(crate) fn delete(&mut self, id: &str) {
        let now = self.now;
        for post in self.posts.iter_mut().filter(|post| post.id == id || post.root_id == id) {
            if post.delete_at == 0 {
                (post.delete_at, post.update_at) = (now, now);
            }
        }
    }
}

impl Changing for Fake {
    fn change(&self, dice: &mut Dice) {
        let server = &mut *self.lock();
        // Often nothing of the clock passes.
        server.now += [0, 0, 1, 700, 45_000, 400_000][dice.below(6)];
        let mut some = (0..8).filter_map(|_| server.posts.get(dice.below(server.posts.len())));
        let some = some.find(|post| post.delete_at == 0);
        let some = some.map(|post| (post.id.clone(), post.root_id.clone()));
        let user = dice.below(3);
        let words = format!("words {}", dice.below(1_000_000));
        match (dice.below(9), some) {
            (0, Some((id, _))) => server.edit(&id, &words),
            (1, Some((id, _))) => server.delete(&id),
            (2..=4, Some((id, root))) => {
                let root = if root.is_empty() { id } else { root };
                server.say(user, &root, &words);
            }
            (5, Some((id, _))) => {
                let now = server.now;
                let post = server.post(&id);
                post.update_at = now;
                post.reactions.push((user, words.replace(' ', "_")));
            }
            (6, _) if dice.below(200) == 0 => {
                for number in 0..1_100 {
                    server.now += [0, 0, 900][number % 3];
                    server.say(user, "", &format!("{words} {number}"));
                }
            }
            (7, _) if dice.below(10) == 0 => server.lies += 1,
            _ => {
                server.say(user, "", &words);
            }
        }
    }

    fn calm(&self) {
        self.lock().lies = 0;
    }

    fn rows(&self) -> BTreeMap<String, Row> {
        let server = self.lock();
        let live = server.posts.iter().filter(|post| post.delete_at == 0);
        let row = |post: &Post| Row {
            text: post.message.clone(),
            reply_to: (!post.root_id.is_empty()).then(|| post.root_id.clone()),
            edited_at_ms: (post.edit_at > 0).then_some(post.edit_at),
            reactions: post.reactions.len(),
            author: NAMES[post.user].1.to_owned(),
        };
        live.map(|post| (post.id.clone(), row(post))).collect()
    }
}
