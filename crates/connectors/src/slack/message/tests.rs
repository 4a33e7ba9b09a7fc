//! One fixture a case of what exports contain.

use serde_json::json;

use super::*;

fn users() -> Users {
    let list = json!([
        {"id": "U1", "team_id": "T1", "name": "ann", "profile": {"display_name": "Ann", "real_name": "Ann A."}},
        {"id": "U2", "name": "bob", "deleted": true, "profile": {"display_name": "", "real_name": "Bob B."}},
        {"id": "UB", "name": "ci", "is_bot": true, "profile": {"real_name": "CI"}},
    ]);
    Users::read(list.to_string().as_bytes()).unwrap()
}

fn read(value: &Value) -> Result<Message, Unread> {
    let text = value.to_string();
    message(serde_json::from_str(&text).unwrap(), &users())
}

fn with(extra: Value) -> Value {
    let mut value =
        json!({"type": "message", "user": "U1", "ts": "1700000000.000100", "text": "hello"});
    value.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    value
}

#[test]
fn a_plain_message() {
    let message = read(&with(json!({}))).unwrap();
    assert_eq!(message.id.as_str(), "1700000000.000100");
    assert_eq!(message.sent_at, Timestamp::from_micros(1_700_000_000_000_100));
    assert_eq!((message.author.id.as_str(), message.author.name.as_str()), ("U1", "Ann"));
    assert_eq!((message.text.as_str(), message.thread_id), ("hello", None));
}

#[test]
fn a_deleted_account_is_named_by_its_real_name() {
    assert_eq!(read(&with(json!({"user": "U2"}))).unwrap().author.name, "Bob B.");
}

#[test]
fn an_account_that_has_left_the_list_is_named_by_its_profile_else_its_id() {
    let profile = json!({"user": "U9", "user_profile": {"display_name": "", "real_name": "Zoe"}});
    assert_eq!(read(&with(profile)).unwrap().author.name, "Zoe");
    assert_eq!(read(&with(json!({"user": "U9"}))).unwrap().author.name, "U9");
}

#[test]
fn a_reply_and_a_first_message_know_their_thread() {
    let reply = read(&with(json!({"thread_ts": "1690000000.000000"}))).unwrap();
    assert_eq!(reply.thread_id.unwrap().as_str(), "1690000000.000000");
    let first = read(&with(json!({"thread_ts": "1700000000.000100", "reply_count": 2}))).unwrap();
    assert_eq!(first.thread_id, Some(first.id));
    let old = read(&with(json!({"reply_count": 1}))).unwrap();
    assert_eq!(old.thread_id, Some(old.id));
}

#[test]
fn a_broadcast_reply_is_a_reply() {
    let broadcast = json!({"subtype": "thread_broadcast", "thread_ts": "1690000000.000000"});
    let message = read(&with(broadcast)).unwrap();
    assert_eq!((message.kind, message.thread_id.is_some()), (MessageKind::Text, true));
}

#[test]
fn an_edit_is_a_newer_revision() {
    let edited = json!({"edited": {"user": "U1", "ts": "1700000100.000000"}});
    let message = read(&with(edited)).unwrap();
    assert_eq!(message.edited_at, Some(Timestamp::from_micros(1_700_000_100_000_000)));
    assert!(message.revised_at() > message.sent_at);
}

#[test]
fn a_changed_event_carries_the_message() {
    let inner = with(json!({"text": "better", "edited": {"ts": "1700000100.000000"}}));
    let event = json!({"type": "message", "subtype": "message_changed", "hidden": true,
        "ts": "1700000101.000000", "message": inner});
    let message = read(&event).unwrap();
    assert_eq!((message.id.as_str(), message.text.as_str()), ("1700000000.000100", "better"));
}

#[test]
fn a_deleted_event_and_a_tombstone_leave_no_content() {
    let event = json!({"type": "message", "subtype": "message_deleted", "hidden": true,
        "ts": "1700000200.000000", "deleted_ts": "1700000000.000100"});
    let message = read(&event).unwrap();
    assert_eq!(message.id.as_str(), "1700000000.000100");
    assert_eq!(message.deleted_at, Some(Timestamp::from_micros(1_700_000_200_000_000)));
    let tombstone = read(&with(json!({"subtype": "tombstone", "hidden": true}))).unwrap();
    assert!(tombstone.deleted_at.is_some() && tombstone.text.is_empty());
    assert!(!tombstone.is_evidence());
}

#[test]
fn a_deleted_event_with_the_message_as_it_was_keeps_author_and_thread() {
    let event = json!({"type": "message", "subtype": "message_deleted",
        "ts": "1700000200.000000", "deleted_ts": "1700000000.000100",
        "previous_message": with(json!({"thread_ts": "1690000000.000000"}))});
    let message = read(&event).unwrap();
    assert_eq!((message.author.name.as_str(), message.text.as_str()), ("Ann", ""));
    assert_eq!(message.thread_id.unwrap().as_str(), "1690000000.000000");
}

#[test]
fn ids_that_no_platform_gives_are_not_kept() {
    let hostile = json!({"user": "U".repeat(1_000), "reactions": [{"name": "a\nb", "users": []}]});
    let message = read(&with(hostile)).unwrap();
    assert_eq!((message.author.id.as_str(), message.reactions.len()), ("name:unknown", 0));
}

#[test]
fn programs_are_no_evidence() {
    let by_name =
        json!({"user": null, "subtype": "bot_message", "bot_id": "B1", "username": "deploys"});
    let message = read(&with(by_name)).unwrap();
    assert_eq!((message.author.kind, message.author.name.as_str()), (AuthorKind::Bot, "deploys"));
    assert!(!message.is_evidence());
    let app = json!({"bot_id": "B1", "bot_profile": {"name": "Pager"}});
    assert_eq!(read(&with(app)).unwrap().author.name, "Pager");
    assert_eq!(read(&with(json!({"user": "UB"}))).unwrap().author.kind, AuthorKind::Bot);
}

#[test]
fn what_the_platform_reports_is_no_evidence() {
    for subtype in [
        "channel_join",
        "channel_leave",
        "channel_topic",
        "channel_purpose",
        "channel_name",
        "channel_archive",
        "group_join",
        "pinned_item",
        "bot_add",
        "reminder_add",
        "huddle_thread",
        "channel_canvas_updated",
        "something_new",
    ] {
        let message = read(&with(json!({"subtype": subtype}))).unwrap();
        assert_eq!(message.kind, MessageKind::System, "{subtype}");
        assert!(!message.is_evidence());
    }
}

#[test]
fn me_messages_and_uploads_are_text() {
    for subtype in ["me_message", "file_share", "file_comment"] {
        assert!(read(&with(json!({"subtype": subtype}))).unwrap().is_evidence(), "{subtype}");
    }
}

#[test]
fn files_are_listed_by_what_is_known_of_them() {
    let files = json!({"text": "", "files": [
        {"id": "F1", "name": "a.pdf", "title": "Plan", "mimetype": "application/pdf", "size": 7},
        {"id": "F2", "mode": "tombstone"}, null]});
    let message = read(&with(files)).unwrap();
    assert_eq!(message.text, "");
    let expected = Attachment {
        id: "F1".into(),
        name: "Plan".into(),
        media_type: Some("application/pdf".into()),
        bytes: Some(7),
    };
    assert_eq!(message.attachments, [expected]);
    let old = json!({"subtype": "file_share", "file": {"id": "F3", "name": "b.txt"}});
    assert_eq!(read(&with(old)).unwrap().attachments[0].name, "b.txt");
}

#[test]
fn words_come_from_blocks_then_attachments_when_there_is_no_text() {
    let blocks = json!([{"type": "section", "text": {"type": "mrkdwn", "text": "from <@U1>"}}]);
    let attachments = json!([{"fallback": "fallback"}]);
    let both = json!({"text": "", "blocks": blocks, "attachments": attachments});
    assert_eq!(read(&with(both)).unwrap().text, "from @Ann");
    let one = json!({"text": null, "attachments": attachments});
    assert_eq!(read(&with(one)).unwrap().text, "fallback");
}

#[test]
fn reactions_are_sorted_and_counted() {
    let reactions = json!({"reactions": [
        {"name": "tada", "users": ["U2", "U1"], "count": 2}, {"name": "+1", "users": ["U2"], "count": 9}]});
    let reactions = read(&with(reactions)).unwrap().reactions;
    assert_eq!(
        reactions.iter().map(|r| (r.name.as_str(), r.count)).collect::<Vec<_>>(),
        [("+1", 9), ("tada", 2)]
    );
    assert_eq!(reactions[1].users, ["U1".into(), "U2".into()]);
}

#[test]
fn a_permalink_is_kept_when_it_is_one() {
    let link = "https://team.slack.com/archives/C1/p1700000000000100";
    assert_eq!(read(&with(json!({"permalink": link}))).unwrap().permalink.as_deref(), Some(link));
    assert_eq!(read(&with(json!({"permalink": "javascript:x"}))).unwrap().permalink, None);
}

#[test]
fn what_is_no_message_is_skipped_and_what_is_broken_is_told() {
    assert_eq!(read(&json!({"type": "user_typing"})), Err(Unread::Skipped));
    assert_eq!(read(&with(json!({"hidden": true}))), Err(Unread::Skipped));
    assert!(matches!(read(&json!({"type": "message", "text": "x"})), Err(Unread::Broken(_))));
    for ts in ["", "soon", "-1.0", "1.2.3", "99999999999999.0", "1700000000.0000001"] {
        assert!(matches!(read(&with(json!({"ts": ts}))), Err(Unread::Broken(_))), "{ts}");
    }
}
