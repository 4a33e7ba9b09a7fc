//! Who has said it.

use serde_json::json;

use crate::{
    account,
    fake::{Fake, ts},
    read, walked,
};

#[tokio::test]
async fn people_are_listed_once_and_strangers_asked_for_once() {
    let fake = Fake::start().await;
    fake.talk(250);
    let stranger = fake.lock().say(None, 3, "hello");
    let mention = fake.lock().say(None, 0, "ask <@W9> or <@U404>");
    let app = account(&fake);
    let mirror = read(&fake, &*app).await;
    let text = |at: i64| mirror.live()[&ts(at).as_str().into()].clone();
    assert_eq!(text(mention).text, "ask @Zoe or @U404");
    assert_eq!(text(stranger).author.name, "Zoe");
    mirror.walk(&*app).await.expect("an increment");
    let requests = fake.requests();
    let count = |method: &str| requests.iter().filter(|asked| *asked == method).count();
    assert_eq!((count("users.list"), count("users.info"), count("auth.test")), (1, 2, 1));
}

#[tokio::test]
async fn a_bot_without_a_name_of_the_moment_is_named_by_its_own() {
    let fake = Fake::start().await;
    let [bare, posted] = fake.talk(2)[..] else { unreachable!() };
    let bot = json!({"subtype": "bot_message", "bot_id": "B7", "user": null});
    fake.lock().message(bare).more = bot.clone();
    fake.lock().message(posted).more = bot;
    fake.lock().message(posted).more["username"] = json!("Nightly");
    let mirror = read(&fake, &*account(&fake)).await;
    let author = |at: i64| mirror.live()[&ts(at).as_str().into()].author.name.clone();
    assert_eq!((author(bare).as_str(), author(posted).as_str()), ("Deploys", "Nightly"));
}

#[tokio::test]
async fn a_deleted_account_keeps_its_name() {
    let fake = Fake::start().await;
    // One that the list has, and one that is asked for alone.
    fake.lock().left = [1, 3].into();
    for user in [0, 1, 3] {
        fake.lock().say(None, user, "said before leaving");
    }
    let mirror = walked(&fake, &*account(&fake)).await;
    let names: Vec<_> = mirror.live().into_values().map(|message| message.author.name).collect();
    assert_eq!(names, ["Ann", "Bob B.", "Zoe"]);
}
