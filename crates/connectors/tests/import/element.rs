//! Element's export of a room.

use domain::{
    import::ImportFormat,
    message::{AuthorKind, MessageKind},
};
use serde_json::{Value, json};

use super::{Given, ImportOptions, read, read_with, zip};

const ROOM: &str = "!room:here.org";
const AT: i64 = 1_700_000_000_000;

fn event(id: &str, kind: &str, minute: i64, content: &Value) -> Value {
    json!({"event_id": id, "room_id": ROOM, "type": kind, "sender": "@ann:here.org",
        "origin_server_ts": AT + minute * 60_000, "content": content, "unsigned": {"age": 5}})
}

fn said(id: &str, minute: i64, body: &str) -> Value {
    event(id, "m.room.message", minute, &json!({"msgtype": "m.text", "body": body}))
}

/// As Element writes it: in many lines, with the list at the end.
fn export(events: &[Value]) -> String {
    let events = serde_json::to_string_pretty(events).unwrap();
    format!(
        "{{\n  \"room_name\": \"Crew\",\n  \"room_creator\": \"Ann\",\n  \"topic\": \"all of it\",\n  \
         \"export_date\": \"11/14/2023\",\n  \"exported_by\": \"Bob\",\n  \"messages\": {events}\n}}"
    )
}

fn texts_by_id(given: &Given) -> Vec<(&str, &str)> {
    let messages = given.messages[ROOM].iter();
    messages.map(|message| (message.id.as_str(), message.text.as_str())).collect()
}

#[test]
fn a_room_keeps_its_ids_people_threads_and_links() {
    let member = |user: &str, name: &str| {
        let mut event = event(&format!("$join-{}", name.len()), "m.room.member", 0, &json!({}));
        event["state_key"] = user.into();
        event["content"] = json!({"membership": "join", "displayname": name});
        event
    };
    let thread = json!({"msgtype": "m.text", "body": "Done.", "m.relates_to":
        {"rel_type": "m.thread", "event_id": "$1", "m.in_reply_to": {"event_id": "$1"}}});
    let mention = json!({"msgtype": "m.notice", "body": "ask @bob:there.org",
        "m.mentions": {"user_ids": ["@bob:there.org"]}});
    let given = read(&export(&[
        member("@ann:here.org", "Ann"),
        member("@bob:there.org", "Bob"),
        said("$1", 1, "Shall we?"),
        event("$2", "m.room.message", 2, &thread),
        event("$3", "m.room.message", 3, &mention),
        member("@ann:here.org", "Ann Smith"),
    ]));
    assert_eq!(given.channels(), [(ROOM, "Crew")]);
    assert_eq!(given.export.channels()[0].topic, "all of it");
    assert_eq!(given.export.workspace(), "matrix", "that of a live connection");
    let messages = &given.messages[ROOM];
    assert_eq!(texts_by_id(&given), [("$1", "Shall we?"), ("$2", "Done."), ("$3", "ask @Bob")]);
    assert_eq!(messages[0].author.name, "Ann Smith", "as people are called last");
    assert_eq!(messages[1].thread_id.as_ref().unwrap().as_str(), "$1");
    assert_eq!((messages[2].author.kind, messages[2].mentions.len()), (AuthorKind::Bot, 1));
    assert_eq!(messages[0].sent_at.micros(), (AT + 60_000) * 1_000);
    let link = "https://matrix.to/#/%21room%3ahere%2eorg/%241?via=here%2eorg";
    assert_eq!(messages[0].permalink.as_deref(), Some(link));
    assert_eq!((given.report.rows, given.report.unread), (3, 0), "{:?}", given.report);
}

#[test]
fn an_edited_message_says_what_it_says_now_and_when_that_was() {
    let edit = |kind: &str, sender: &str| {
        json!({"event_id": "$edit", "type": kind, "sender": sender, "origin_server_ts": AT + 600_000,
            "content": {"body": "* Tuesday", "m.new_content": {"msgtype": "m.text", "body": "Tuesday"},
                "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}}})
    };
    let forged = edit("m.room.message", "@eve:there.org");
    let encrypted = json!({"event_id": "$edit", "type": "m.room.encrypted", "sender": "@ann:here.org",
        "origin_server_ts": AT + 600_000, "content": {"algorithm": "m.megolm.v1.aes-sha2"}});
    let cases = [
        (edit("m.room.message", "@ann:here.org"), true),
        (encrypted, true),
        // Servers of the past tell only that there is one.
        (
            json!({"event_id": "$edit", "sender": "@ann:here.org", "origin_server_ts": AT + 600_000}),
            true,
        ),
        (forged, false),
    ];
    for (beside, is_edited) in cases {
        let mut event = said("$1", 1, "Tuesday");
        event["unsigned"] = json!({"m.relations": {"m.replace": beside}});
        let given = read(&export(&[event]));
        let message = &given.messages[ROOM][0];
        assert_eq!(message.text, "Tuesday");
        let edited = message.edited_at.map(|at| at.micros() / 1_000);
        assert_eq!(edited, is_edited.then_some(AT + 600_000), "{beside}");
    }
}

#[test]
fn a_redacted_message_is_a_deleted_one_and_a_redacted_reaction_is_nothing() {
    let because = json!({"redacted_because": {"type": "m.room.redaction", "sender": "@ann:here.org",
        "event_id": "$why", "origin_server_ts": AT + 300_000, "content": {}}});
    let mut message = event("$1", "m.room.message", 1, &json!({}));
    let mut reaction = event("$2", "m.reaction", 2, &json!({}));
    (message["unsigned"], reaction["unsigned"]) = (because.clone(), because);
    let given = read(&export(&[message, reaction, said("$3", 3, "still there")]));
    let messages = &given.messages[ROOM];
    assert_eq!(texts_by_id(&given), [("$1", ""), ("$3", "still there")]);
    let deleted_at = messages[0].deleted_at.map(|at| at.micros() / 1_000);
    assert_eq!(deleted_at, Some(AT + 300_000));
}

#[test]
fn what_element_could_not_decrypt_is_told_as_the_live_room_tells_it() {
    let body = json!({"msgtype": "m.bad.encrypted", "body": "** Unable to decrypt: no key **"});
    let given = read(&export(&[event("$1", "m.room.message", 1, &body)]));
    let message = &given.messages[ROOM][0];
    assert_eq!(message.kind, MessageKind::System);
    assert!(message.text.contains("cannot be read"), "{}", message.text);
}

/// Element lists none of these; a list of a room's events may.
#[test]
fn edits_reactions_and_redactions_of_a_list_are_applied_whatever_their_order() {
    let related = |id: &str, kind: &str, minute: i64, relation: Value| {
        let content = json!({"m.relates_to": relation, "m.new_content": {"body": id}});
        event(id, kind, minute, &content)
    };
    let edits = |of: &str| json!({"rel_type": "m.replace", "event_id": of});
    let reacts = json!({"rel_type": "m.annotation", "event_id": "$1", "key": "+1"});
    let redacts = |id: &str, of: &str| {
        let mut event = event(id, "m.room.redaction", 9, &json!({"redacts": of}));
        event["redacts"] = of.into();
        event
    };
    let mut forged = related("$forged", "m.room.message", 8, edits("$1"));
    forged["sender"] = "@eve:there.org".into();
    let mut events = vec![
        said("$1", 1, "first"),
        said("$2", 2, "gone"),
        related("$late", "m.room.message", 5, edits("$1")),
        related("$early", "m.room.message", 4, edits("$1")),
        related("$taken-back", "m.room.message", 6, edits("$1")),
        forged,
        related("$r1", "m.reaction", 5, reacts.clone()),
        related("$r2", "m.reaction", 6, reacts),
        redacts("$x", "$2"),
        redacts("$y", "$taken-back"),
        redacts("$z", "$r2"),
    ];
    for _ in 0..events.len() {
        events.rotate_left(1);
        let given = read(&export(&events));
        assert_eq!((given.report.rows, given.report.unread), (2, 0), "{:?}", given.report);
        let of = |id: &str| given.messages[ROOM].iter().find(|m| m.id.as_str() == id).unwrap();
        let (edited, gone) = (of("$1"), of("$2"));
        assert_eq!((edited.text.as_str(), edited.reactions.len()), ("$late", 1));
        assert_eq!(edited.edited_at.unwrap().micros() / 1_000, AT + 300_000);
        assert!(gone.deleted_at.is_some() && gone.text.is_empty());
    }
}

#[test]
fn what_cannot_be_read_is_reported_with_its_place_and_costs_itself() {
    let mut elsewhere = said("$2", 2, "of another room");
    elsewhere["room_id"] = "!other:here.org".into();
    let mut timeless = said("$3", 3, "no time");
    timeless["origin_server_ts"] = "yesterday".into();
    let mut nobodys = said("$4", 4, "nobody's");
    nobodys["sender"] = Value::Null;
    let of_nothing = event("$6", "m.reaction", 6, &json!({"m.relates_to": {"key": "+1"}}));
    let events = [
        said("$1", 1, "first"),
        elsewhere,
        timeless,
        nobodys,
        json!("no event"),
        of_nothing,
        said("no id", 7, "x"),
        said("$8", 8, "last"),
    ];
    let given = read(&export(&events));
    assert_eq!(texts_by_id(&given), [("$1", "first"), ("$8", "last")]);
    let places: Vec<_> = given.report.errors.iter().map(|error| error.line).collect();
    assert_eq!(places, [2, 3, 4, 5, 6, 7], "{:?}", given.report.errors);
    let whole = export(&events[..1]);
    let cut = read(&whole[..whole.rfind(']').unwrap()]);
    assert_eq!(cut.texts(ROOM), ["first"]);
    assert!(cut.report.errors[0].message.contains("ends in the middle"));
    assert!(
        read_with(export(&[]).as_bytes(), ImportFormat::Auto, ImportOptions::default()).is_err()
    );
}

#[test]
fn an_archive_with_attachments_is_recognised_by_the_export_in_it() {
    let bytes = zip(&[
        ("files/rows-1.csv", "timestamp,content\n1700000000,of a table\n"),
        ("files/data-2.json", r#"{"name": "x", "type": "y", "id": 1, "messages": []}"#),
        ("export.json", &export(&[said("$1", 1, "see the files")])),
    ]);
    let given = read_with(&bytes, ImportFormat::Auto, ImportOptions::default()).unwrap();
    assert_eq!(given.texts(ROOM), ["see the files"]);
}

#[test]
fn later_changes_are_kept_up_to_a_bound_and_told_beyond_it() {
    let words = "x".repeat(60_000);
    let edit = |n: u64| {
        let content = json!({"m.new_content": {"msgtype": "m.text", "body": words},
            "m.relates_to": {"rel_type": "m.replace", "event_id": "$1"}});
        event(&format!("$edit{n}"), "m.room.message", 2, &content)
    };
    let mut events = vec![said("$1", 1, "first")];
    events.extend((0..1_300).map(edit));
    let given = read(&export(&events));
    assert_eq!(given.report.rows, 1);
    assert!((1..400).contains(&given.report.unread), "{}", given.report.unread);
    assert!(given.report.errors[0].message.contains("than are kept"));
}
