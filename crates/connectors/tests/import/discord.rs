//! DiscordChatExporter.

use domain::{
    import::ImportFormat,
    message::{AuthorKind, MessageKind},
};

use super::{Given, ImportOptions, read, read_with, zip};

fn file(channel: &str, messages: &str) -> String {
    format!(
        r#"{{"guild":{{"id":"900","name":"Crew","iconUrl":"x"}},"channel":{channel},
        "dateRange":{{"after":null,"before":null}},"exportedAt":"2026-01-05T10:00:00+01:00",
        "messages":[{messages}],"messageCount":2}}"#
    )
}

const CHANNEL: &str = r#"{"id":"100","type":"GuildTextChat","categoryId":"5","category":"Text","name":"general","topic":"all of it"}"#;
const THREAD: &str = r#"{"id":"201","type":"GuildPublicThread","categoryId":"100","category":"general","name":"Rollout","topic":null}"#;

fn said(id: &str, content: &str) -> String {
    format!(
        r#"{{"id":"{id}","type":"Default","timestamp":"2026-01-05T10:00:00.5+01:00","timestampEdited":null,
        "content":"{content}","author":{{"id":"1","name":"ann","nickname":"Ann","isBot":false}},
        "mentions":[{{"id":"2","name":"bob","nickname":"Bob"}}]}}"#
    )
}

#[test]
fn a_channel_keeps_its_ids_names_and_times() {
    let given = read(&file(
        CHANNEL,
        &said("201", "Ask <@2> or <@!2> in <#7>, see https://x.example <:ok:9>"),
    ));
    assert_eq!(given.channels(), [("100", "general")]);
    assert_eq!(given.export.workspace(), "900");
    let message = &given.messages["100"][0];
    assert_eq!(message.text, "Ask @Bob or @Bob in #7, see https://x.example :ok:");
    assert_eq!(message.mentions.len(), 2);
    assert_eq!(message.links[0].url, "https://x.example");
    assert_eq!(message.sent_at.to_rfc3339(), "2026-01-05T09:00:00.500Z");
    assert_eq!((message.id.as_str(), message.author.name.as_str()), ("201", "Ann"));
}

#[test]
fn a_threads_file_belongs_to_its_channel_and_to_the_message_it_began_with() {
    let reply = said("300", "done");
    let starter = r#"{"id":"202","type":"ThreadStarterMessage","timestamp":"2026-01-05T10:00:00Z","content":"","author":{"id":"1","name":"ann"}}"#;
    let bytes = zip(&[
        ("Crew - general.json", &file(CHANNEL, &said("201", "Shall we roll out?"))),
        ("Crew - Rollout.json", &file(THREAD, &format!("{starter},{reply}"))),
        ("Crew - Rollout [part 2].json", &file(THREAD, &said("301", "really"))),
    ]);
    let given: Given = read_with(&bytes, ImportFormat::Auto, ImportOptions::default()).unwrap();
    assert_eq!(given.channels(), [("100", "general")]);
    let mut threads: Vec<_> = given.messages["100"]
        .iter()
        .map(|message| (message.id.as_str(), message.thread_id.as_ref().map(|id| id.as_str())))
        .collect();
    threads.sort_unstable();
    assert_eq!(threads, [("201", None), ("300", Some("201")), ("301", Some("201"))]);
}

#[test]
fn replies_are_text_and_what_the_platform_reports_is_not() {
    let of_type = |kind: &str| said("1", "x").replace("\"Default\"", &format!("\"{kind}\""));
    for (kind, expected) in [
        ("Default", MessageKind::Text),
        ("Reply", MessageKind::Text),
        ("GuildMemberJoin", MessageKind::System),
        ("ChannelPinnedMessage", MessageKind::System),
    ] {
        let given = read(&file(CHANNEL, &of_type(kind)));
        assert_eq!(given.messages["100"][0].kind, expected, "{kind}");
    }
    let bot = said("1", "x").replace("\"isBot\":false", "\"isBot\":true");
    let given = read(&file(CHANNEL, &bot));
    assert_eq!(given.messages["100"][0].author.kind, AuthorKind::Bot);
}

#[test]
fn an_export_that_was_broken_off_gives_what_it_has_and_says_so() {
    let whole = file(CHANNEL, &format!("{},{}", said("1", "first"), said("2", "second")));
    let cut = &whole[..whole.find("second").unwrap()];
    let given = read(cut);
    assert_eq!(given.texts("100"), ["first"]);
    assert!(given.report.errors[0].message.contains("ends in the middle"));
}
