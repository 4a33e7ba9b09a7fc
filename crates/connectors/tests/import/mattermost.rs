//! Mattermost's bulk export.

use domain::message::AuthorKind;

use super::read;

const EXPORT: &str = r#"{"type":"version","version":1}
{"type":"team","team":{"name":"crew","display_name":"Crew"}}
{"type":"channel","channel":{"team":"crew","name":"town","display_name":"Town Square","type":"O","header":"all of it"}}
{"type":"user","user":{"username":"ann","nickname":"","first_name":"Ann","last_name":"Ash"}}
{"type":"bot","bot":{"username":"ci","display_name":"CI"}}
{"type":"post","post":{"team":"crew","channel":"town","user":"ann","message":"Shall we?","create_at":1700000000000,"replies":[{"user":"ci","message":"Build 7 is green: https://ci.example/7","create_at":1700000001000}],"reactions":[{"user":"ann","emoji_name":"+1","create_at":1},{"user":"ci","emoji_name":"+1","create_at":2}]}}
{"type":"post","post":{"team":"crew","channel":"gone","user":"ann","message":"lost","create_at":1700000002000}}
{"type":"post","post":{"team":"crew","channel":"town","user":"ann","message":"no time"}}
not json
{"type":"post","post":{"team":"crew","channel":"town","user":"bob","message":"last","create_at":1700000003000,"edit_at":1700000004000}}
{"type":"direct_post","direct_post":{"channel_members":["ann","bob"],"user":"ann","message":"private","create_at":1}}
"#;

#[test]
fn posts_and_their_replies_become_messages_of_their_channel() {
    let given = read(EXPORT);
    assert_eq!(given.channels(), [("crew:town", "Town Square")]);
    let messages = &given.messages["crew:town"];
    assert_eq!(
        given.texts("crew:town"),
        ["Shall we?", "Build 7 is green: https://ci.example/7", "last"]
    );
    let root = &messages[0].id;
    assert_eq!(
        (messages[0].thread_id.as_ref(), messages[1].thread_id.as_ref()),
        (Some(root), Some(root))
    );
    assert_eq!(messages[2].thread_id, None);
    assert_eq!((messages[0].author.name.as_str(), messages[0].reactions[0].count), ("Ann Ash", 2));
    assert_eq!(messages[1].author.kind, AuthorKind::Bot);
    assert!(messages[2].edited_at.is_some());
}

#[test]
fn a_post_that_cannot_be_read_is_reported_with_its_line() {
    let lines: Vec<u64> = read(EXPORT).report.errors.iter().map(|error| error.line).collect();
    assert_eq!(lines, [7, 8, 9]);
}

#[test]
fn the_same_post_has_the_same_id_in_the_next_export_even_when_it_was_edited() {
    let later = EXPORT.replace("Shall we?", "Shall we go?");
    let ids = |export: &str| -> Vec<String> {
        read(export).messages["crew:town"].iter().map(|message| message.id.to_string()).collect()
    };
    assert_eq!(ids(EXPORT), ids(&later));
}
