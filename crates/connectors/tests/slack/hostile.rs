//! Replies of any shape: read, or refused in our own words, and never without an end.

use connectors::{ConnectorError, text::MAX_TEXT};
use serde_json::{Value, json};

use crate::{
    account,
    fake::{Fake, ts},
    platform::{Changing as _, Dice},
    read,
};

const FIELDS: [&str; 22] = [
    "type",
    "subtype",
    "ts",
    "thread_ts",
    "reply_count",
    "latest_reply",
    "user",
    "team",
    "user_profile",
    "username",
    "bot_id",
    "bot_profile",
    "text",
    "blocks",
    "attachments",
    "files",
    "file",
    "reactions",
    "edited",
    "hidden",
    "message",
    "previous_message",
];

const REPLIES: [(&str, &[&str]); 7] = [
    ("auth.test", &["url", "team", "user", "team_id", "user_id", "bot_id"]),
    ("conversations.list", &["channels", "response_metadata"]),
    ("conversations.info", &["channel"]),
    ("conversations.history", &["messages", "response_metadata", "is_limited"]),
    ("conversations.replies", &["messages", "response_metadata"]),
    ("users.list", &["members", "response_metadata"]),
    ("bots.info", &["bot"]),
];

fn anything(dice: &mut Dice, depth: usize) -> Value {
    let words =
        ["", "<@U1", "1700000000.000001", "99999999999999.9", "C1", "&lt;\u{0}<!x^y>", "next:1"];
    match dice.below(if depth == 0 { 6 } else { 8 }) {
        0 => Value::Null,
        1 => json!(dice.below(2) == 0),
        2 => json!(dice.next().cast_signed()),
        3 => json!(1.5e300),
        4 | 5 => json!(words[dice.below(words.len())]),
        6 => (0..dice.below(4)).map(|_| anything(dice, depth - 1)).collect(),
        _ => {
            let names = ["ts", "value", "name", "id", "next_cursor", "text", "type", "elements"];
            let one = |dice: &mut Dice| {
                (names[dice.below(names.len())].to_owned(), anything(dice, depth - 1))
            };
            (0..dice.below(5)).map(|_| one(dice)).collect()
        }
    }
}

fn message_like(dice: &mut Dice) -> Value {
    let at = 1_700_000_000_000_000 + i64::try_from(dice.below(1_000_000)).expect("a number");
    let mut message = json!({"type": "message", "ts": ts(at), "user": "U1", "text": "hello"});
    for _ in 0..dice.below(4) {
        message[FIELDS[dice.below(FIELDS.len())]] = anything(dice, 3);
    }
    message
}

#[tokio::test]
async fn no_message_is_too_odd_to_be_read_and_none_spoils_its_page() {
    for seed in 0..100 {
        let fake = Fake::start().await;
        let mut dice = Dice::new(seed);
        let plain =
            json!({"type": "message", "ts": "1700000000.000000", "user": "U1", "text": "plain"});
        let odd = (0..20).map(|_| message_like(&mut dice));
        let messages: Vec<Value> = odd.chain([plain]).collect();
        let body = json!({"ok": true, "messages": messages});
        fake.lock().answers.push_back(("conversations.history", 200, vec![], body));
        let mirror = read(&fake, &*account(&fake)).await;
        assert!(mirror.messages().contains_key(&"1700000000.000000".into()), "seed {seed}");
        for message in mirror.messages().into_values() {
            assert!(message.text.len() <= MAX_TEXT && message.id.as_str().len() <= 128);
        }
    }
}

#[tokio::test]
async fn no_reply_is_too_odd_to_be_read() {
    for seed in 0..100 {
        let fake = Fake::start().await;
        let root = fake.talk(3)[0];
        fake.lock().say(Some(root), 3, "a reply");
        let mut dice = Dice::new(seed);
        for (method, fields) in REPLIES {
            if dice.below(3) == 0 {
                continue;
            }
            let mut body = match dice.below(8) {
                0 => anything(&mut dice, 3),
                _ => json!({"ok": true}),
            };
            if body.is_object() {
                for field in fields {
                    body[*field] = anything(&mut dice, 3);
                }
            }
            fake.lock().answers.push_back((method, 200, vec![], body));
        }
        let app = account(&fake);
        let _ = (app.identity().await, app.channels().await);
        let mirror = crate::mirror();
        for _ in 0..6 {
            let _ = mirror.step(&*app).await;
        }
        fake.lock().answers.clear();
        mirror.begin_again();
        mirror.walk(&*app).await.expect("all is well again");
    }
}

#[tokio::test]
async fn a_message_of_an_unknown_shape_is_not_taken_for_deleted() {
    let fake = Fake::start().await;
    let at = fake.talk(2)[0];
    let app = account(&fake);
    let mirror = read(&fake, &*app).await;
    fake.lock().message(at).more = json!({"user": {"of": "another kind"}});
    mirror.walk(&*app).await.expect("a walk");
    assert_eq!(mirror.live().len(), 2);
}

#[tokio::test]
async fn a_file_or_reaction_of_an_unknown_shape_costs_itself() {
    let fake = Fake::start().await;
    let at = fake.talk(1)[0];
    fake.lock().message(at).more = json!({"edited": null, "file": 7,
        "files": [null, {"id": "F1", "size": "large"}, {"id": "F2", "name": "b.txt"}],
        "reactions": [{"name": 7}, {"name": "+1", "count": 2, "users": ["U1", "U2"]}]});
    let mirror = read(&fake, &*account(&fake)).await;
    let message = mirror.live().into_values().next().expect("a message");
    assert_eq!((message.attachments.len(), message.reactions.len()), (1, 1));
}

#[tokio::test]
async fn a_cursor_that_leads_to_its_own_page_ends_the_walk() {
    let fake = Fake::start().await;
    fake.talk(300);
    fake.calm();
    let app = account(&fake);
    let mirror = crate::mirror();
    assert!(!mirror.step(&*app).await.expect("a page"));
    crate::looked_ahead(&fake).await;
    let next = format!("next:{}", fake.lock().said.keys().rev().nth(199).expect("a message"));
    let again = json!({"ok": true, "messages": [], "response_metadata": {"next_cursor": next}});
    fake.lock().answers.push_back(("conversations.history", 200, vec![], again));
    let error = mirror.step(&*account(&fake)).await.expect_err("it would never end");
    assert!(matches!(error, ConnectorError::Platform(_)), "{error:?}");
}
