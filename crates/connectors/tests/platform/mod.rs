//! A platform that changes while it is read: whatever happens meanwhile, after a last quiet walk our rows
//! are the platform's.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::{
    Access, Account,
    contract::Mirror,
    http::{Bucket, Limiter, Unlimited},
};
use domain::{Channel, ChannelId, ConnectionId, Message, Platform};
use serde_json::{Map, Value};

/// Numbers that look random and are the same for the same seed.
#[derive(Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(crate) fn below(&mut self, limit: usize) -> usize {
        usize::try_from(self.next() % limit.max(1) as u64).unwrap_or_default()
    }
}

/// What is compared of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) text: String,
    /// The first message of the thread that it replies in.
    pub(crate) reply_to: Option<String>,
    pub(crate) edited_at_ms: Option<i64>,
    pub(crate) reactions: usize,
    pub(crate) author: String,
}

/// A fake platform under test.
#[async_trait]
pub(crate) trait Changing: Send + Sync {
    /// Something happens.
    fn change(&self, dice: &mut Dice);
    /// Whether the platform tells of all changes only to who walks through everything.
    fn hides_changes(&self) -> bool {
        false
    }
    /// Whether the platform tells everybody when this message was last edited.
    fn tells_when_edited(&self, _id: &str) -> bool {
        true
    }
    /// From now on the platform makes no mistakes.
    fn calm(&self) {}
    /// What is there now, by id.
    fn rows(&self) -> BTreeMap<String, Row>;
}

/// What we have stored, in the same words.
pub(crate) fn stored(mirror: &Mirror) -> BTreeMap<String, Row> {
    let row = |message: Message| Row {
        text: message.text,
        reply_to: message.thread_id.filter(|root| *root != message.id).map(String::from),
        edited_at_ms: message.edited_at.map(|at| at.micros() / 1_000),
        reactions: message.reactions.iter().map(|r| r.count as usize).sum(),
        author: message.author.name,
    };
    mirror.live().into_iter().map(|(id, message)| (id.to_string(), row(message))).collect()
}

/// Walks while things happen, several times; then once in peace.
pub(crate) async fn stays_equal(
    platform: &dyn Changing,
    account: &dyn Account,
    channel: Channel,
    dice: &mut Dice,
) {
    let mirror = Mirror::new(channel);
    for walk in 0..4 {
        if walk == 3 && dice.below(4) == 0 {
            mirror.begin_again();
        }
        loop {
            let ended = mirror.step(account).await.expect("a page");
            for _ in 0..dice.below(4) {
                platform.change(dice);
            }
            if ended {
                break;
            }
        }
        for _ in 0..dice.below(40) {
            platform.change(dice);
        }
    }
    platform.calm();
    if platform.hides_changes() {
        mirror.begin_again();
    }
    mirror.walk(account).await.expect("the last walk");
    let (mut theirs, mut ours) = (platform.rows(), stored(&mirror));
    let rows = theirs.iter_mut().chain(&mut ours);
    for (_, row) in rows.filter(|(id, _)| !platform.tells_when_edited(id)) {
        row.edited_at_ms = None;
    }
    assert_same(&theirs, &ours);
}

/// Tells the first difference instead of everything.
pub(crate) fn assert_same(theirs: &BTreeMap<String, Row>, ours: &BTreeMap<String, Row>) {
    for (id, row) in theirs {
        assert_eq!(Some(row), ours.get(id), "message {id} of {}", theirs.len());
    }
    for (id, row) in ours {
        assert!(theirs.contains_key(id), "message {id} is gone there and here it is {row:?}");
    }
}

pub(crate) fn channel(platform: Platform, external_id: &str) -> Channel {
    Channel {
        id: ChannelId::from(external_id),
        connection_id: ConnectionId::random(),
        platform,
        external_id: external_id.to_owned(),
        name: "general".into(),
        topic: String::new(),
        last_sync: None,
    }
}

pub(crate) fn access(base: &str, credentials: Value) -> Access {
    access_limited_by(base, credentials, Arc::new(Unlimited))
}

pub(crate) fn access_limited_by(
    base: &str,
    credentials: Value,
    limiter: Arc<dyn Limiter>,
) -> Access {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let client = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .timeout(Duration::from_secs(60))
        .build()
        .expect("a client");
    let credentials: Map<String, Value> = credentials.as_object().cloned().unwrap_or_default();
    let base_url = Some(base.parse().expect("an address"));
    let connection = "conn_test".into();
    Access { client: client.into(), base_url, credentials, limiter, connection }
}

/// Allows everything and writes down what it was told.
#[derive(Default)]
pub(crate) struct Noting {
    pub(crate) taken: std::sync::Mutex<Vec<Bucket>>,
    pub(crate) pauses: std::sync::Mutex<Vec<(String, Duration)>>,
}

#[async_trait]
impl Limiter for Noting {
    async fn acquire(&self, bucket: &Bucket) -> Duration {
        self.taken.lock().expect("a list").push(bucket.clone());
        Duration::ZERO
    }

    async fn pause(&self, bucket: &Bucket, pause: Duration, _: Instant) {
        self.pauses.lock().expect("a list").push((bucket.key.clone(), pause));
    }
}
