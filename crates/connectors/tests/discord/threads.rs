//! Threads, which are channels of their own.

use connectors::Known as _;
use serde_json::json;

use crate::{
    DAY, account,
    fake::{FORUM, Fake, TEXT},
    mirror,
    platform::{Changing as _, assert_same, stored},
    talk, walked,
};

#[tokio::test]
async fn late_replies_in_active_and_in_archived_threads_are_found() {
    let fake = Fake::start(TEXT).await;
    let ids = talk(&fake, TEXT, 300);
    for id in &ids[..120] {
        fake.lock().thread_of(*id);
        talk(&fake, *id, 2);
        fake.lock().archive(*id);
    }
    let bot = account(&fake);
    fake.lock().now += 30 * DAY;
    let mirror = walked(&fake, &*bot, TEXT).await;
    fake.lock().now += DAY;
    talk(&fake, ids[3], 1);
    talk(&fake, ids[4], 250);
    fake.lock().archive(ids[4]);
    let new = fake.lock().thread_of(ids[200]);
    talk(&fake, new, 1);
    let lone = fake.lock().lone_thread();
    talk(&fake, lone, 1);
    fake.lock().now += 30 * DAY;
    mirror.walk(&*bot).await.expect("an increment");
    assert_same(&fake.rows(), &stored(&mirror));
    let root = &mirror.live()[&ids[200].to_string().into()];
    assert_eq!(root.thread_id.as_ref(), Some(&root.id), "the thread has the id of its message");
    let replies = mirror.live().into_values().filter(|m| m.thread_id.as_ref() == Some(&root.id));
    let links: Vec<_> = replies.filter(|m| m.id != root.id).map(|m| m.permalink).collect();
    let inside = format!("/{new}/");
    assert!(links.iter().flatten().all(|link| link.contains(&inside)), "{links:?}");
    assert_eq!(links.iter().flatten().count(), 1, "a link leads into the thread: {links:?}");
}

#[tokio::test]
async fn a_reply_to_a_message_is_no_thread() {
    let fake = Fake::start(TEXT).await;
    let first = talk(&fake, TEXT, 1)[0];
    let answer = talk(&fake, TEXT, 1)[0];
    {
        let mut guild = fake.lock();
        let reference =
            json!({"type": 0, "message_id": first.to_string(), "channel_id": TEXT.to_string()});
        let said = guild.message(answer);
        (said.kind, said.more) = (19, json!({"message_reference": reference}));
    }
    let mirror = walked(&fake, &*account(&fake), TEXT).await;
    assert!(mirror.live().values().all(|message| message.thread_id.is_none()));
    assert!(mirror.live().values().all(domain::Message::is_evidence));
}

#[tokio::test]
async fn a_deleted_thread_is_found_in_turn_and_does_not_fail_the_channel() {
    for of in [TEXT, FORUM] {
        let fake = Fake::start(of).await;
        let thread = match of {
            FORUM => fake.lock().forum_thread(0, "a question"),
            _ => {
                let id = talk(&fake, TEXT, 1)[0];
                fake.lock().thread_of(id)
            }
        };
        talk(&fake, thread, 5);
        let bot = account(&fake);
        fake.lock().now += 10 * DAY;
        let mirror = walked(&fake, &*bot, of).await;
        fake.lock().delete_thread(thread);
        for _ in 0..3 {
            fake.lock().now += DAY;
            mirror.walk(&*bot).await.expect("an increment");
        }
        assert_same(&fake.rows(), &stored(&mirror));
    }
}

#[tokio::test]
async fn a_thread_that_is_refused_is_marked_and_tried_again() {
    let fake = Fake::start(TEXT).await;
    let ids = talk(&fake, TEXT, 3);
    for id in &ids {
        fake.lock().thread_of(*id);
        talk(&fake, *id, 2);
    }
    let path: &'static str = format!("channels/{}/messages", ids[1]).leak();
    let refusal = json!({"message": "Missing Access", "code": 50_001}).to_string();
    fake.lock().answers.push_back((path, 403, Vec::new(), refusal));
    let mirror = mirror(TEXT);
    fake.lock().now += 60_000;
    mirror.walk(&*account(&fake)).await.expect("the others are read");
    assert_eq!(mirror.live().len(), 7);
    let failed = mirror.marks_under("failed:", None, 10).await.expect("marks");
    assert_eq!(failed[0].0, format!("failed:{}", ids[1]));
    fake.lock().now += 10 * DAY;
    mirror.walk(&*account(&fake)).await.expect("the next walk");
    assert_same(&fake.rows(), &stored(&mirror));
    assert_eq!(mirror.marks_under("failed:", None, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn empty_threads_do_not_each_ask_for_permissions() {
    let fake = Fake::start(TEXT).await;
    for _ in 0..20 {
        fake.lock().now += 60_000;
        fake.lock().lone_thread();
    }
    mirror(TEXT).walk(&*account(&fake)).await.expect("a walk");
    let requests = fake.requests();
    assert_eq!(requests.iter().filter(|request| request.ends_with("/roles")).count(), 1);
}

#[tokio::test]
async fn archived_private_threads_are_found() {
    let fake = Fake::start(TEXT).await;
    let thread = fake.lock().lone_thread();
    fake.lock().threads[0].is_private = true;
    talk(&fake, thread, 5);
    fake.lock().archive(thread);
    let bot = account(&fake);
    fake.lock().now += 10 * DAY;
    let mirror = walked(&fake, &*bot, TEXT).await;
    assert_eq!(mirror.live().len(), 6, "with the channel's report of it");
    fake.lock().now += DAY;
    talk(&fake, thread, 2);
    fake.lock().archive(thread);
    fake.lock().now += DAY;
    mirror.walk(&*bot).await.expect("an increment");
    assert_same(&fake.rows(), &stored(&mirror));
}

#[tokio::test]
async fn a_forum_is_its_threads_and_its_quiet_increment_costs_five_requests() {
    for count in [10, 100] {
        let fake = Fake::start(FORUM).await;
        for number in 0..count {
            fake.lock().now += 60_000;
            let thread = fake.lock().forum_thread(number % 2, "a question");
            talk(&fake, thread, 3);
            if number % 2 == 0 {
                fake.lock().archive(thread);
            }
        }
        let bot = account(&fake);
        fake.lock().now += 3 * DAY;
        let mirror = walked(&fake, &*bot, FORUM).await;
        assert!(mirror.live().values().all(|message| message.thread_id.is_some()));
        for _ in 0..3 {
            fake.lock().now += DAY;
            mirror.walk(&*bot).await.expect("an increment");
            assert_eq!(fake.requests().len(), 5);
        }
    }
}
