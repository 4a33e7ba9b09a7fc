//! Threads.

use connectors::{ConnectorError, Known as _};
use domain::Classify as _;
use serde_json::json;

use crate::{
    account,
    fake::{DAY, Fake, ts},
    platform::{Changing as _, assert_same, stored},
    walk, walked,
};

#[tokio::test]
async fn a_thread_of_many_pages_is_read_to_its_end() {
    let fake = Fake::start().await;
    let root = fake.talk(3)[0];
    for number in 0..930 {
        fake.lock().say(Some(root), number % 3, &format!("reply {number}"));
    }
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().say(Some(root), 0, "one more");
    walk(&fake, &*app, &mirror).await;
}

#[tokio::test]
async fn a_late_reply_to_a_thread_of_the_last_two_weeks_is_found_at_once() {
    let fake = Fake::start().await;
    let ids = fake.talk(50);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += 12 * DAY;
    fake.lock().say(Some(ids[3]), 1, "a late reply");
    walk(&fake, &*app, &mirror).await;
    assert!(mirror.live().values().any(|message| message.text == "a late reply"));
}

#[tokio::test]
async fn only_what_is_new_in_a_changed_old_thread_is_read() {
    let fake = Fake::start().await;
    let root = fake.talk(1)[0];
    let replies: Vec<i64> =
        (0..300).map(|n| fake.lock().say(Some(root), 1, &format!("reply {n}"))).collect();
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += 10 * DAY;
    fake.lock().say(Some(root), 1, "lately");
    fake.lock().now += 5 * DAY;
    fake.requests();
    // The thread is hot; its first message is older than what is listed again.
    walk(&fake, &*app, &mirror).await;
    let log = std::mem::take(&mut fake.lock().log);
    let oldest = |form: &std::collections::BTreeMap<String, String>| form.get("oldest").cloned();
    let read: Vec<_> = log.iter().filter(|(m, _)| m == "conversations.replies").collect();
    assert_eq!(oldest(&read[0].1), Some(ts(*replies.last().expect("a reply"))), "{read:?}");
}

#[tokio::test]
async fn a_reply_to_an_old_but_active_thread_is_found_at_once() {
    let fake = Fake::start().await;
    let root = fake.talk(1)[0];
    fake.lock().now += 20 * DAY;
    fake.lock().say(Some(root), 1, "an answer after three weeks");
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += DAY;
    fake.lock().say(Some(root), 0, "thanks");
    walk(&fake, &*app, &mirror).await;
}

#[tokio::test]
async fn a_reply_sent_to_the_channel_as_well_is_one_message_and_tells_of_its_thread() {
    let fake = Fake::start().await;
    let root = fake.talk(1)[0];
    fake.lock().say(Some(root), 1, "quietly");
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += 100 * DAY;
    fake.lock().say(Some(root), 1, "quietly again");
    let loud = fake.lock().say(Some(root), 1, "to everybody");
    fake.lock().message(loud).is_broadcast = true;
    walk(&fake, &*app, &mirror).await;
    let message = &mirror.live()[&ts(loud).as_str().into()];
    assert_eq!(message.thread_id.as_ref().map(|id| id.as_str()), Some(ts(root).as_str()));
    assert_eq!(mirror.live().len(), 4);
}

#[tokio::test]
async fn an_edited_and_a_deleted_reply_are_found() {
    let fake = Fake::start().await;
    let root = fake.talk(1)[0];
    let replies: Vec<i64> =
        (0..5).map(|n| fake.lock().say(Some(root), 1, &format!("reply {n}"))).collect();
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    // Nothing but the reply itself tells of its edit.
    fake.lock().edit(replies[1], "edited");
    walk(&fake, &*app, &mirror).await;
    fake.lock().delete(replies[2]);
    walk(&fake, &*app, &mirror).await;
    // The count stays the same, and the last reply does not.
    fake.lock().delete(replies[3]);
    fake.lock().say(Some(root), 1, "instead");
    walk(&fake, &*app, &mirror).await;
    for reply in mirror.live().into_keys().filter(|id| id.as_str() != ts(root)) {
        let at = reply.as_str().replace('.', "").parse().expect("a number");
        fake.lock().delete(at);
    }
    walk(&fake, &*app, &mirror).await;
    assert_eq!(mirror.live().len(), 1);
}

#[tokio::test]
async fn a_failing_thread_fails_no_channel_and_is_tried_again() {
    let fake = Fake::start().await;
    let ids = fake.talk(20);
    for id in &ids[..10] {
        fake.lock().say(Some(*id), 1, "a reply");
    }
    let app = account(&fake);
    fake.lock().broken.insert(ids[4]);
    fake.calm();
    let mirror = crate::mirror();
    mirror.walk(&*app).await.expect("the channel");
    assert_eq!(mirror.live().len(), 29, "all but what is in the broken thread");
    let failed = mirror.marks_under("failed:", None, 10).await.expect("marks");
    assert_eq!(failed[0].0, format!("failed:{}", ts(ids[4])));
    let known = mirror.marks(&[format!("thread:{}", ts(ids[4]))]).await.expect("marks");
    assert_eq!(known, [None], "its mark stays where it was");
    fake.lock().broken.clear();
    walk(&fake, &*app, &mirror).await;
    assert_eq!(mirror.marks_under("failed:", None, 10).await.expect("marks"), []);
}

#[tokio::test]
async fn threads_that_fail_one_after_the_other_are_the_platforms_failure() {
    let fake = Fake::start().await;
    for id in fake.talk(10) {
        fake.lock().say(Some(id), 1, "a reply");
    }
    let app = account(&fake);
    let mirror = crate::mirror();
    for _ in 0..8 {
        fake.lock().answers.push_back(("conversations.replies", 502, vec![], json!("bad gateway")));
    }
    fake.calm();
    let failure = loop {
        match mirror.step(&*app).await {
            Ok(ended) => assert!(!ended, "the walk cannot end"),
            Err(error) => break error,
        }
    };
    assert!(matches!(failure, ConnectorError::At { .. }), "{failure:?}");
    assert!(failure.sync_error().details.failing_message_id.is_some(), "{failure:?}");
    fake.lock().answers.clear();
    mirror.walk(&*app).await.expect("the rest");
    walk(&fake, &*app, &mirror).await;
}

#[tokio::test]
async fn a_thread_that_is_gone_with_its_first_message_is_deleted() {
    let fake = Fake::start().await;
    let ids = fake.talk(250);
    for id in ids.iter().step_by(50) {
        fake.lock().say(Some(*id), 1, "a reply");
    }
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    for id in [ids[0], ids[100]] {
        let replies: Vec<i64> = fake.lock().replies[&id].iter().copied().collect();
        replies.into_iter().for_each(|reply| fake.lock().delete(reply));
        fake.lock().delete(id);
    }
    fake.calm();
    mirror.walk(&*app).await.expect("an increment");
    assert_same(&fake.rows(), &stored(&mirror));
}
