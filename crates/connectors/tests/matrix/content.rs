//! What messages say, by whom.

use domain::message::{AuthorKind, MessageKind};
use serde_json::json;

use crate::{account, fake::Fake, mirror, talk};

#[tokio::test]
async fn encrypted_messages_are_counted_and_do_not_fail_the_room() {
    let fake = Fake::start().await;
    talk(&fake, 2);
    let cipher = json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "abc"});
    let id = fake.lock().happens("m.room.encrypted", 0, cipher);
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk");
    let live = mirror.live();
    let message = &live[&id.as_str().into()];
    assert_eq!((live.len(), message.kind), (3, MessageKind::System));
    assert!(message.text.contains("cannot be read"), "{}", message.text);
}

#[tokio::test]
async fn people_bots_those_who_left_mentions_files_and_links_are_told() {
    let fake = Fake::start().await;
    let notice = json!({"msgtype": "m.notice", "body": "deployed"});
    let file = json!({"msgtype": "m.file", "body": "plan.pdf", "url": "mxc://here.org/abc",
        "info": {"mimetype": "application/pdf", "size": 1_234}});
    let mention = json!({"msgtype": "m.text", "body": "ask Bob", "format": "org.matrix.custom.html",
        "formatted_body": "ask <a href=\"https://matrix.to/#/@bob:there.org\">Bob</a>",
        "m.mentions": {"user_ids": ["@bob:there.org"]}});
    let (notice, file, mention, left) = {
        let mut server = fake.lock();
        let mut says = |user, content| server.happens("m.room.message", user, content);
        (says(2, notice), says(0, file), says(0, mention), server.say(3, "I was here"))
    };
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk");
    let live = mirror.live();
    let of = |id: &str| &live[&id.into()];
    assert_eq!(of(&notice).author.kind, AuthorKind::Bot);
    let (message, attachment) = (of(&file), &of(&file).attachments[0]);
    assert_eq!((message.text.as_str(), message.author.name.as_str()), ("", "Ann Smith"));
    assert_eq!((attachment.name.as_str(), attachment.bytes), ("plan.pdf", Some(1_234)));
    assert_eq!(attachment.media_type.as_deref(), Some("application/pdf"));
    assert_eq!((of(&mention).text.as_str(), of(&mention).mentions.len()), ("ask @Bob", 1));
    assert_eq!(of(&left).author.name, "gone", "by the id, for want of a name");
    let link =
        format!("https://matrix.to/#/%21room%3ahere%2eorg/%24{}?via=there%2eorg", &left[1..]);
    assert_eq!(of(&left).permalink.as_deref(), Some(link.as_str()));
}
