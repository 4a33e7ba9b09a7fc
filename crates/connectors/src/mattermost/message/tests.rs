use domain::message::MessageKind;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    lenient::any_json,
    mattermost::{
        list::Listed,
        raw::{RawPosts, RawUser},
    },
};

fn read(post: Value) -> Option<Message> {
    let post: RawPost = serde_json::from_value(post).unwrap();
    message(&post, &People::default(), "https://chat.example")
}

fn with(fields: Value) -> Message {
    let mut post =
        json!({"id": "p1", "create_at": 1_700_000_000_123_i64, "user_id": "u1", "message": "hi"});
    post.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    read(post).unwrap()
}

#[test]
fn a_plain_post() {
    let message = with(json!({}));
    assert_eq!((message.id.as_str(), message.text.as_str()), ("p1", "hi"));
    assert_eq!(message.sent_at, Timestamp::from_micros(1_700_000_000_123_000));
    assert_eq!((message.thread_id, message.edited_at), (None, None));
    assert_eq!(message.permalink.as_deref(), Some("https://chat.example/_redirect/pl/p1"));
    assert_eq!(message.author.name, "u1");
}

#[test]
fn a_reply_and_a_first_post_know_their_thread() {
    assert_eq!(with(json!({"root_id": "p0"})).thread_id, Some("p0".into()));
    assert_eq!(with(json!({"reply_count": 2})).thread_id, Some("p1".into()));
    assert_eq!(with(json!({"root_id": "p0", "reply_count": 2})).thread_id, Some("p0".into()));
}

#[test]
fn a_deleted_post_keeps_its_place_and_loses_its_content() {
    for deleted in [
        json!({"delete_at": 1_700_000_001_000_i64, "message": "still here on old servers"}),
        json!({"state": "DELETED", "update_at": 1_700_000_001_000_i64, "message": ""}),
    ] {
        let message = with(deleted);
        assert_eq!(message.deleted_at, Some(Timestamp::from_micros(1_700_000_001_000_000)));
        assert_eq!((message.text.as_str(), message.permalink), ("", None));
    }
}

#[test]
fn what_the_platform_reports_is_no_evidence() {
    for kind in ["system_join_channel", "system_header_change", "system_something_new"] {
        let message = with(json!({"type": kind}));
        assert_eq!(message.kind, MessageKind::System, "{kind}");
    }
    for kind in ["", "me", "slack_attachment", "custom_poll"] {
        assert_eq!(with(json!({"type": kind})).kind, MessageKind::Text, "{kind}");
    }
}

#[test]
fn a_reaction_or_a_reply_is_no_edit() {
    let touched = with(json!({"update_at": 1_700_000_009_000_i64, "metadata": {"reactions": [
        {"user_id": "u2", "emoji_name": "+1"}, {"user_id": "u1", "emoji_name": "+1"}]}}));
    assert_eq!(touched.edited_at, None);
    assert_eq!(touched.reactions[0].users, ["u1".into(), "u2".into()]);
    let edited = with(json!({"edit_at": 1_700_000_009_000_i64}));
    assert_eq!(edited.edited_at, Some(Timestamp::from_micros(1_700_000_009_000_000)));
}

#[test]
fn files_are_listed_by_what_is_known_of_them() {
    let message = with(json!({"file_ids": ["f1", "f2"], "metadata": {"files": [
        {"id": "f1", "name": "plan.pdf", "mime_type": "application/pdf", "size": 7}, null]}}));
    let names: Vec<_> = message.attachments.iter().map(|a| (a.name.as_str(), a.bytes)).collect();
    assert_eq!(names, [("plan.pdf", Some(7)), ("file", None)]);
}

#[test]
fn words_come_from_an_integration_when_there_are_no_others() {
    let message = with(json!({"message": "", "props": {"from_webhook": "true", "attachments": [
        {"title": "Build", "text": "[#7](https://ci.example/7) failed", "fallback": "no",
         "fields": [{"title": "Branch", "value": "main"}, {"value": 3}, null]}]}}));
    assert_eq!(message.text, "Build\n#7 failed\nBranch: main");
    assert_eq!(message.links[0].url, "https://ci.example/7");
    assert_eq!((message.author.kind, message.author.id.as_str()), (AuthorKind::Bot, "webhook:u1"));
}

#[test]
fn what_is_no_message_is_left_out() {
    assert_eq!(read(json!({"id": "p1", "create_at": 5, "original_id": "p0"})), None);
    assert_eq!(read(json!({"id": "", "create_at": 5})), None);
    assert_eq!(read(json!({"id": "p1"})), None);
}

#[test]
fn a_name_may_end_in_a_dot_and_a_sentence_as_well() {
    let names = |text: &'static str| candidates(None, text).collect::<Vec<_>>();
    assert_eq!(names("ann.s.. said"), ["ann.s..", "ann.s.", "ann.s"]);
    assert_eq!(names("here"), Vec::<&str>::new());
    assert_eq!(candidates(Some('x'), "ann").count(), 0);
}

fn post_like() -> impl Strategy<Value = Value> {
    const FIELDS: [&str; 16] = [
        "id",
        "create_at",
        "edit_at",
        "delete_at",
        "update_at",
        "user_id",
        "root_id",
        "original_id",
        "message",
        "type",
        "state",
        "props",
        "file_ids",
        "reply_count",
        "metadata",
        "posts",
    ];
    proptest::collection::vec((proptest::sample::select(&FIELDS[..]), any_json()), 0..10).prop_map(
        |fields| {
            let mut post = json!({"id": "p1", "create_at": 1, "message": "hi"});
            for (name, value) in fields {
                post[name] = value;
            }
            post
        },
    )
}

proptest! {
    #[test]
    fn no_post_is_too_odd_to_be_read(post in post_like()) {
        let post: RawPost = serde_json::from_value(post).unwrap();
        let _ = people_of(std::iter::once(&post));
        let _ = message(&post, &People::default(), "https://chat.example");
    }

    #[test]
    fn no_page_is_too_odd_to_be_read(page in any_json(), user in any_json()) {
        let _ = serde_json::from_str::<RawPosts<'_>>(&page.to_string()).map(Listed::of);
        let _ = serde_json::from_value::<RawUser>(user);
    }
}
