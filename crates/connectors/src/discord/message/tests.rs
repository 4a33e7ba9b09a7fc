use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::discord::raw::{RawChannel, RawThreads};
use crate::lenient::any_json;

const ID: &str = "175928847299117063";

fn read(value: Value) -> Option<Message> {
    let raw: RawMessage = serde_json::from_value(value).unwrap();
    message(&raw, Place { guild: "1", channel: "2", is_thread: false })
}

fn with(fields: Value) -> Message {
    let mut raw = json!({"id": ID, "type": 0, "content": "hi",
        "author": {"id": "9", "username": "ann", "global_name": "Ann"}});
    raw.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    read(raw).unwrap()
}

#[test]
fn a_plain_message() {
    let message = with(json!({}));
    assert_eq!((message.text.as_str(), message.author.name.as_str()), ("hi", "Ann"));
    assert_eq!(message.sent_at.to_rfc3339(), "2016-04-30T11:18:25.796Z");
    assert_eq!(message.permalink, Some(format!("https://discord.com/channels/1/2/{ID}")));
    assert_eq!(message.thread_id, None);
    let edited = with(json!({"edited_timestamp": "2016-05-01T00:00:00.5+00:00"}));
    assert_eq!(edited.edited_at.unwrap().to_rfc3339(), "2016-05-01T00:00:00.500Z");
}

#[test]
fn a_message_that_begins_a_thread_is_its_first_one() {
    assert_eq!(with(json!({"thread": {"id": ID}})).thread_id, Some(ID.into()));
    let raw: RawMessage = serde_json::from_value(json!({"id": ID})).unwrap();
    let inside = message(&raw, Place { guild: "1", channel: "7", is_thread: true }).unwrap();
    assert_eq!(inside.thread_id, Some("7".into()));
    assert_eq!(read(json!({"id": ID, "type": 21})), None, "a pointer to it is no message");
}

#[test]
fn what_is_said_is_told_from_what_is_reported_and_people_from_programs() {
    for kind in [0, 19] {
        assert!(with(json!({"type": kind})).is_evidence(), "{kind}");
    }
    for kind in [1, 6, 7, 8, 18, 22, 24, 46, 999] {
        assert_eq!(with(json!({"type": kind})).kind, MessageKind::System, "{kind}");
    }
    assert_eq!(with(json!({"webhook_id": "5"})).author.kind, AuthorKind::Bot);
    let bot = with(json!({"author": {"id": "9", "username": "b", "bot": true}}));
    assert_eq!((bot.author.kind, bot.author.name.as_str()), (AuthorKind::Bot, "b"));
}

#[test]
fn words_come_from_what_is_forwarded_shown_or_asked_when_there_are_no_others() {
    let forwarded = json!({"content": "", "message_reference": {"type": 1},
        "message_snapshots": [{"message": {"content": "as was said", "attachments": [
            {"id": "3", "filename": "a.pdf", "size": 7, "content_type": "application/pdf"}]}}]});
    let forwarded = with(forwarded);
    assert_eq!((forwarded.text.as_str(), forwarded.attachments.len()), ("as was said", 1));
    let shown = json!({"content": "", "embeds": [{"title": "Build", "description": "failed",
        "fields": [{"name": "Branch", "value": "main"}]}, null]});
    assert_eq!(with(shown).text, "Build\nfailed\nBranch: main");
    let poll = json!({"content": "", "poll": {"question": {"text": "When?"}, "answers": [
        {"poll_media": {"text": "Monday"}}, {}]}});
    assert_eq!(with(poll).text, "When?\n- Monday");
    assert_eq!(with(json!({"content": "", "sticker_items": [{"name": "Wave"}]})).text, "Wave");
}

#[test]
fn addresses_of_files_are_not_kept() {
    let files = json!({"attachments": [{"id": "3", "filename": "a b.pdf", "size": 7,
        "content_type": "text/plain; charset=utf-8", "url": "https://cdn.example/a?ex=1&hm=2"}]});
    let message = with(files);
    let stored = serde_json::to_string(&message).unwrap();
    assert!(!stored.contains("cdn.example") && stored.contains("a b.pdf"));
    assert_eq!(message.attachments[0].bytes, Some(7));
}

fn message_like() -> impl Strategy<Value = Value> {
    const FIELDS: [&str; 14] = [
        "id",
        "type",
        "content",
        "author",
        "edited_timestamp",
        "mentions",
        "attachments",
        "embeds",
        "sticker_items",
        "reactions",
        "poll",
        "message_reference",
        "message_snapshots",
        "thread",
    ];
    proptest::collection::vec((proptest::sample::select(&FIELDS[..]), any_json()), 0..10).prop_map(
        |fields| {
            let mut message = json!({"id": ID, "content": ""});
            for (name, value) in fields {
                message[name] = value;
            }
            message
        },
    )
}

proptest! {
    #[test]
    fn no_message_is_too_odd_to_be_read(message in message_like()) {
        let _ = read(message.clone());
        let raw: RawMessage = serde_json::from_value(message).unwrap();
        let _ = is_kept_from_us(&raw);
    }

    #[test]
    fn no_list_is_too_odd_to_be_read(list in any_json(), channel in any_json()) {
        let _ = serde_json::from_value::<RawThreads>(list);
        let _ = serde_json::from_value::<RawChannel>(channel);
    }
}
