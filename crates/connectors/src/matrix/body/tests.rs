use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn content(value: Value) -> Content {
    serde_json::from_value(value).unwrap()
}

fn read(value: Value) -> Text {
    words(&content(value), &People::of([("@ann:here.org", "Ann"), ("@bob:here.org", "Bob Jones")]))
}

#[test]
fn what_is_replied_to_is_not_said_again() {
    let quote = "> <@ann:here.org> first\n> second\n\nindeed";
    let reply = json!({"m.in_reply_to": {"event_id": "$1"}});
    let said = read(json!({"msgtype": "m.text", "body": quote, "m.relates_to": reply}));
    assert_eq!(said.text, "indeed");
    let said = read(json!({"msgtype": "m.text", "body": "> <@ann:here.org> a quote of my own"}));
    assert!(said.text.contains("a quote of my own"), "no reply: {}", said.text);
    let html = "<mx-reply><blockquote>first</blockquote></mx-reply>in<b>deed</b>";
    let said = read(json!({"msgtype": "m.text", "body": quote, "m.relates_to": reply,
        "format": "org.matrix.custom.html", "formatted_body": html}));
    assert!(!said.text.contains("first") && said.text.contains("in"), "{}", said.text);
}

#[test]
fn a_person_is_a_link_in_html_whatever_it_is_written_like() {
    for href in [
        "https://matrix.to/#/@bob:here.org",
        "https://matrix.to/#/%40bob%3Ahere.org",
        "https://matrix.to/#/@bob:here.org?via=here.org",
        "matrix:u/bob:here.org",
    ] {
        let said =
            read(json!({"msgtype": "m.text", "body": "Bob", "format": "org.matrix.custom.html",
            "formatted_body": format!("ask <a href=\"{href}\">Bob</a>")}));
        assert_eq!(said.text, "ask @Bob Jones", "{href}");
        assert_eq!(said.mentions[0].user_id.as_str(), "@bob:here.org", "{href}");
    }
    let said =
        read(json!({"msgtype": "m.text", "body": "room", "format": "org.matrix.custom.html",
        "formatted_body": "in <a href=\"https://matrix.to/#/!room:here.org\">the room</a>"}));
    assert_eq!((said.text.as_str(), said.mentions.len()), ("in the room", 0));
}

#[test]
fn a_person_in_plain_text_is_an_id_or_a_name_that_is_addressed() {
    let mentions = json!({"user_ids": ["@bob:here.org"]});
    let said = read(json!({"msgtype": "m.text", "m.mentions": mentions,
        "body": "@Bob Jones and @ann:here.org. not @Ann, not mail@bob:here.org"}));
    assert_eq!(said.text, "@Bob Jones and @Ann. not @Ann, not mail@bob:here.org");
    assert_eq!(said.mentions.len(), 2);
}

#[test]
fn a_file_has_a_name_and_only_a_caption_is_said() {
    let file = json!({"msgtype": "m.image", "body": "cat.png", "url": "mxc://here.org/cat",
        "info": {"mimetype": "image/png", "size": 12}});
    let told = attachment(&content(file.clone())).unwrap();
    assert_eq!((told.id.as_str(), told.name.as_str()), ("mxc://here.org/cat", "cat.png"));
    assert_eq!((told.media_type.as_deref(), told.bytes), (Some("image/png"), Some(12)));
    assert_eq!(read(file.clone()).text, "");
    let mut captioned = file;
    captioned["filename"] = "cat.png".into();
    captioned["body"] = "look at her".into();
    assert_eq!(read(captioned).text, "look at her");
    let foreign = json!({"msgtype": "m.file", "body": "x", "url": "https://elsewhere.org/x"});
    assert_eq!(attachment(&content(foreign)), None, "no address of the network's own");
    let sealed = json!({"msgtype": "m.file", "body": "x", "file": {"url": "mxc://here.org/x"}});
    assert_eq!(attachment(&content(sealed)).unwrap().id, "mxc://here.org/x");
}

#[test]
fn a_poll_is_its_question_with_the_answers() {
    for (name, text) in [("m.poll", "m.text"), ("org.matrix.msc3381.poll.start", "body")] {
        let said = read(json!({name: {"question": {text: "Lunch?"},
            "answers": [{text: "yes"}, {text: "no"}]}}));
        assert_eq!(said.text, "Lunch?\n- yes\n- no");
    }
    let newer = json!({"m.poll": {"question": {"m.text": [{"body": "Lunch?"}]}, "answers": []}});
    assert_eq!(read(newer).text, "Lunch?");
}

proptest! {
    #[test]
    fn whatever_a_client_writes_is_read(
        json in crate::lenient::any_json(),
        body in "\\PC{0,60}|[@<>&;:./#=\"a-z \n]{0,60}",
        html in any::<bool>(),
    ) {
        let mut said = json.as_object().cloned().unwrap_or_default();
        said.insert("body".into(), body.clone().into());
        if html {
            said.insert("format".into(), "org.matrix.custom.html".into());
            said.insert("formatted_body".into(), body.into());
        }
        said.insert("m.mentions".into(), json!({"user_ids": ["@bob:here.org"]}));
        let read = read(Value::Object(said.clone()));
        prop_assert!(read.text.len() <= text::MAX_TEXT);
        for mention in &read.mentions {
            prop_assert!(read.text.get(mention.start as usize..mention.end as usize).is_some());
        }
        for link in &read.links {
            prop_assert!(read.text.get(link.start as usize..link.end as usize).is_some());
        }
        let _ = attachment(&content(Value::Object(said)));
    }
}
