use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::{
    lenient::any_json,
    teams::raw::{RawGroup, RawList, RawMessages},
};

fn read(value: Value) -> Option<Message> {
    let value = value.to_string();
    let raw: RawMessage<'_> = serde_json::from_str(&value).unwrap();
    message(&raw, "5", if raw.reply_to_id.is_empty() { Role::Alone } else { Role::Reply })
}

fn with(fields: Value) -> Message {
    let mut raw = json!({"id": "5", "createdDateTime": "2024-05-01T10:00:00.123Z",
        "messageType": "message", "body": {"contentType": "html", "content": "<p>hi</p>"},
        "from": {"user": {"id": "u1", "displayName": "Ann"}}});
    raw.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    read(raw).unwrap()
}

#[test]
fn a_plain_message() {
    let message = with(json!({"webUrl": "https://teams.example/l/1"}));
    assert_eq!((message.id.as_str(), message.text.as_str()), ("5", "hi"));
    assert_eq!(message.sent_at.to_rfc3339(), "2024-05-01T10:00:00.123Z");
    assert_eq!(message.permalink.as_deref(), Some("https://teams.example/l/1"));
    assert_eq!((message.thread_id, message.author.name.as_str()), (None, "Ann"));
    assert_eq!(with(json!({"webUrl": "javascript:x"})).permalink, None);
}

#[test]
fn a_reply_is_named_by_its_thread_and_itself() {
    let reply = with(json!({"id": "6", "replyToId": "5"}));
    assert_eq!((reply.id.as_str(), reply.thread_id), ("5/6", Some("5".into())));
}

#[test]
fn a_deleted_message_keeps_its_place_and_loses_its_content() {
    let gone = with(json!({"deletedDateTime": "2024-05-02T00:00:00Z"}));
    assert_eq!(gone.deleted_at.unwrap().to_rfc3339(), "2024-05-02T00:00:00Z");
    assert_eq!((gone.text.as_str(), gone.permalink), ("", None));
}

#[test]
fn a_reaction_is_no_edit() {
    let touched = with(json!({"lastModifiedDateTime": "2024-05-02T00:00:00Z", "reactions": [
        {"reactionType": "like", "user": {"user": {"id": "u2"}}}, {"reactionType": "like"}]}));
    assert_eq!((touched.edited_at, touched.reactions[0].count), (None, 2));
    let edited = with(json!({"lastEditedDateTime": "2024-05-02T00:00:00Z"}));
    assert_eq!(edited.edited_at.unwrap().to_rfc3339(), "2024-05-02T00:00:00Z");
}

#[test]
fn people_programs_and_teams_itself_are_told_apart() {
    let app =
        with(json!({"from": {"user": null, "application": {"id": "a", "displayName": null}}}));
    assert_eq!((app.author.kind, app.author.name.as_str()), (AuthorKind::Bot, "a"));
    let nobody = with(json!({"from": null, "messageType": "systemEventMessage",
        "body": {"contentType": "html", "content": "<systemEventMessage/>"}}));
    assert_eq!((nobody.kind, nobody.text.as_str()), (MessageKind::System, ""));
    assert!(!nobody.is_evidence());
    assert_eq!(with(json!({"messageType": "unknownFutureValue"})).kind, MessageKind::System);
    let nameless = with(json!({"from": {"user": {"id": "u1", "displayName": null}}}));
    assert_eq!(nameless.author.name, "u1");
}

#[test]
fn mentions_are_people_and_links_keep_their_target() {
    let html = "<div>ask <at id=\"0\">Ann</at> or <at id=\"1\">Ops</at>: \
        <a href=\"https://a.example\">this</a> <attachment id=\"7\"></attachment></div>";
    let message = with(json!({"body": {"contentType": "html", "content": html}, "subject": "Help",
        "mentions": [{"id": 0, "mentionText": "Ann", "mentioned": {"user": {"id": "u1", "displayName": "Ann Smith"}}},
            {"id": 1, "mentionText": "Ops", "mentioned": {"tag": {"id": "t"}}}]}));
    assert_eq!(message.text, "Help\nask @Ann Smith or Ops: this");
    assert_eq!(message.mentions[0].user_id.as_str(), "u1");
    assert_eq!((message.mentions[0].start, message.mentions[0].end), (9, 19));
    assert_eq!(message.links[0].url, "https://a.example");
}

#[test]
fn files_are_listed_and_cards_are_read_when_there_are_no_words() {
    let card = json!({"body": [{"type": "TextBlock", "text": "Build failed"},
        {"type": "FactSet", "facts": [{"title": "Branch", "value": "main"}]}]})
    .to_string();
    let message = with(
        json!({"body": {"contentType": "html", "content": "<attachment id=\"1\"></attachment>"},
        "attachments": [
            {"id": "1", "contentType": "application/vnd.microsoft.card.adaptive", "content": card},
            {"id": "2", "contentType": "reference", "name": "plan.docx",
             "contentUrl": "https://contoso.sharepoint.example/plan.docx"},
            {"id": "3", "contentType": "messageReference"}, null]}),
    );
    assert_eq!(message.text, "Build failed\nBranch");
    let names: Vec<_> = message.attachments.iter().map(|a| a.name.as_str()).collect();
    assert_eq!((names, message.attachments[0].media_type.as_deref()), (vec!["plan.docx"], None));
    assert!(!serde_json::to_string(&message).unwrap().contains("sharepoint"));
}

fn message_like() -> impl Strategy<Value = Value> {
    const FIELDS: [&str; 13] = [
        "id",
        "replyToId",
        "messageType",
        "createdDateTime",
        "lastEditedDateTime",
        "deletedDateTime",
        "subject",
        "from",
        "body",
        "mentions",
        "attachments",
        "reactions",
        "replies",
    ];
    proptest::collection::vec((proptest::sample::select(&FIELDS[..]), any_json()), 0..10).prop_map(
        |fields| {
            let mut message = json!({"id": "5", "createdDateTime": "2024-05-01T10:00:00Z"});
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
        let _ = read(message);
    }

    #[test]
    fn no_list_is_too_odd_to_be_read(list in any_json()) {
        let list = list.to_string();
        let _ = serde_json::from_str::<RawMessages<'_>>(&list);
        let _ = serde_json::from_str::<RawList<RawGroup>>(&list);
    }
}
