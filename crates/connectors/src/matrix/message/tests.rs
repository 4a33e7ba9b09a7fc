use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::matrix::{event::Seen, raw::RawMessages};

fn raw(value: Value) -> RawEvent {
    serde_json::from_value(value).unwrap()
}

fn event(content: Value) -> RawEvent {
    raw(json!({"event_id": "$own", "type": "m.room.message", "sender": "@ann:here.org",
        "origin_server_ts": 1_700_000_000_123_i64, "content": content}))
}

fn read(event: &RawEvent) -> Message {
    said(event, "!room:here.org", &People::default()).unwrap()
}

#[test]
fn a_message_in_a_thread_names_its_root_and_a_reply_is_in_none() {
    let thread = json!({"rel_type": "m.thread", "event_id": "$root"});
    let message = read(&event(json!({"msgtype": "m.text", "body": "x", "m.relates_to": thread})));
    assert_eq!(message.thread_id.unwrap().as_str(), "$root");
    let reply = json!({"m.in_reply_to": {"event_id": "$other"}});
    let message = read(&event(json!({"msgtype": "m.text", "body": "x", "m.relates_to": reply})));
    assert_eq!(message.thread_id, None);
    let own = json!({"rel_type": "m.thread", "event_id": "$own"});
    let message = read(&event(json!({"msgtype": "m.text", "body": "x", "m.relates_to": own})));
    assert_eq!(message.thread_id, None, "no message is a reply to itself");
}

#[test]
fn the_first_of_a_thread_is_in_it_when_the_server_says_so() {
    let mut event = event(json!({"msgtype": "m.text", "body": "x"}));
    event.unsigned.relations.thread = Some(serde_json::from_value(json!({"count": 2})).unwrap());
    assert_eq!(read(&event).thread_id.unwrap().as_str(), "$own");
}

#[test]
fn an_edit_of_somebody_else_is_none() {
    let mut message = read(&event(json!({"msgtype": "m.text", "body": "first"})));
    let content = json!({"msgtype": "m.text", "body": "second"});
    let content = &serde_json::from_value(content).unwrap();
    let edit = |by, at| Edit { id: "$edit", of: "$own", by, at, content };
    assert!(!apply(&mut message, &edit("@bob:here.org", 1), &People::default()));
    assert_eq!((message.text.as_str(), message.edited_at), ("first", None));
    assert!(apply(&mut message, &edit("@ann:here.org", 1), &People::default()));
    assert_eq!(message.text, "second");
    assert_eq!(message.edited_at, Some(message.sent_at), "no edit is older than its message");
}

#[test]
fn nothing_is_left_of_what_was_redacted() {
    let file = json!({"msgtype": "m.file", "body": "x", "url": "mxc://here.org/x"});
    let gone = gone(read(&event(file)), 0);
    assert_eq!(gone.deleted_at, Some(gone.sent_at));
    assert!(gone.text.is_empty() && gone.attachments.is_empty() && gone.permalink.is_none());
}

#[test]
fn a_redacted_event_is_gone_in_old_rooms_and_in_new_ones() {
    let because = json!({"event_id": "$r", "type": "m.room.redaction", "origin_server_ts": 9});
    let gone = raw(json!({"event_id": "$own", "type": "m.room.message", "sender": "@ann:here.org",
        "origin_server_ts": 5, "content": {}, "unsigned": {"redacted_because": because}}));
    assert!(matches!(event::read(&gone), Some(Seen::Gone { id: "$own", at: 9 })));
    for redaction in [
        json!({"event_id": "$r", "type": "m.room.redaction", "redacts": "$own", "content": {}}),
        json!({"event_id": "$r", "type": "m.room.redaction", "content": {"redacts": "$own"}}),
    ] {
        assert!(matches!(event::read(&raw(redaction)), Some(Seen::Redaction { of: "$own", .. })));
    }
}

#[test]
fn an_edit_that_nobody_can_read_is_no_message() {
    let relation = json!({"rel_type": "m.replace", "event_id": "$own"});
    let edit = json!({"msgtype": "m.text", "body": "* x", "m.relates_to": relation});
    assert!(event::read(&event(edit)).is_none(), "it says nothing new");
}

proptest! {
    #[test]
    fn whatever_a_server_writes_is_read_or_left_out(
        content in crate::lenient::any_json(),
        unsigned in crate::lenient::any_json(),
        relation in crate::lenient::any_json(),
        at in any::<i64>(),
        kind in "m\\.room\\.message|m\\.reaction|m\\.room\\.redaction|m\\.sticker",
        id in "\\$[a-z]{1,4}|\\PC{0,8}",
    ) {
        let mut content = content;
        if let Some(content) = content.as_object_mut() {
            content.insert("m.relates_to".into(), relation);
        }
        let written = json!({"chunk": [{"event_id": id, "type": kind, "sender": "@ann:here.org",
            "origin_server_ts": at, "content": content, "unsigned": unsigned}], "end": unsigned});
        let written = written.to_string();
        let page: RawMessages<'_> = serde_json::from_str(&written).unwrap();
        for event in &page.events() {
            if let Some(Seen::Said(event)) = event::read(event) {
                let message = said(event, "!room:here.org", &People::default()).unwrap();
                prop_assert!(message.sent_at.micros() >= 0);
            }
        }
    }
}
