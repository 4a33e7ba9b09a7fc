//! Telegram.

use domain::message::MessageKind;

use super::read;

const MESSAGES: &str = r#"[
 {"id":1,"type":"service","date_unixtime":"1700000000","actor":"Ann","actor_id":"user7","action":"create_group","text":"","text_entities":[]},
 {"id":2,"type":"message","date_unixtime":"1700000060","edited_unixtime":"1700000120","from":"Ann","from_id":"user7",
  "text":["Read ",{"type":"text_link","text":"the plan","href":"https://x.example/plan"}," with ",{"type":"mention_name","text":"Bob","user_id":8},", or ",{"type":"link","text":"https://y.example"}],
  "reactions":[{"type":"emoji","count":2,"emoji":"👍"}]},
 {"id":3,"type":"message","date_unixtime":"1700000180","from":null,"from_id":"user9","text":"","file":"(File not included. Change data exporting settings to download.)","file_name":"a.pdf","mime_type":"application/pdf","file_size":12},
 {"id":4,"type":"message","from_id":"user7","text":"no time"}
]"#;

#[test]
fn one_chat_is_read_with_its_marks_and_a_message_without_a_time_is_an_error() {
    let given = read(&format!(
        "{{\n \"name\": \"Crew\",\n \"type\": \"private_supergroup\",\n \"id\": 42,\n \"messages\": {MESSAGES}\n}}"
    ));
    assert_eq!(given.channels(), [("42", "Crew")]);
    let messages = &given.messages["42"];
    assert_eq!(messages.len(), 3);
    assert_eq!(
        (messages[0].kind, messages[0].text.as_str()),
        (MessageKind::System, "create group")
    );
    assert_eq!(messages[1].text, "Read the plan with @Bob, or https://y.example");
    assert_eq!(messages[1].mentions[0].user_id.as_str(), "user8");
    assert_eq!(messages[1].links.len(), 2);
    assert_eq!(messages[1].reactions[0].count, 2);
    assert!(messages[1].edited_at.unwrap() > messages[1].sent_at);
    assert_eq!(messages[2].author.name, "Deleted account");
    assert_eq!(messages[2].attachments[0].name, "a.pdf");
    assert_eq!(given.report.errors.len(), 1);
    assert_eq!(given.report.errors[0].line, 4);
}

#[test]
fn an_account_has_a_channel_for_each_of_its_chats() {
    let chat = |id: u32| {
        format!(
            "{{\"name\":\"Chat {id}\",\"type\":\"private_group\",\"id\":{id},\"messages\":{MESSAGES}}}"
        )
    };
    let given = read(&format!(
        "{{\n\"about\":\"x\",\n\"chats\":{{\"about\":\"y\",\"list\":[{},{}]}}}}",
        chat(1),
        chat(2)
    ));
    assert_eq!(given.channels(), [("1", "Chat 1"), ("2", "Chat 2")]);
    assert_eq!((given.messages["1"].len(), given.messages["2"].len()), (3, 3));
}
