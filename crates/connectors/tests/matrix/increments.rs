//! What has come since the last walk.

use connectors::ConnectorError;
use serde_json::json;

use crate::{account, fake::Fake, mirror, talk, walked, walks_on};

const DAY: i64 = 24 * 60 * 60 * 1_000;

#[tokio::test]
async fn a_quiet_increment_costs_one_request_whatever_the_history() {
    for messages in [10, 3_000] {
        let fake = Fake::start().await;
        talk(&fake, messages);
        let account = account(&fake);
        let mirror = walked(&fake, &*account).await;
        fake.lock().happens("m.room.member", 1, json!({"membership": "join"}));
        for _ in 0..2 {
            walks_on(&fake, &*account, &mirror).await;
            assert_eq!(fake.requests(), ["/_matrix/client/v3/sync"]);
        }
    }
}

#[tokio::test]
async fn late_replies_edits_reactions_and_redactions_of_old_messages_are_found() {
    let fake = Fake::start().await;
    let ids = talk(&fake, 2_500);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    {
        let mut server = fake.lock();
        server.now += 400 * DAY;
        server.reply(1, &ids[0], "after more than a year");
        server.edit(1, &ids[1], "said otherwise");
        server.redact(&ids[2]);
        server.react(1, &ids[3], "+1");
    }
    walks_on(&fake, &*account, &mirror).await;
    let gone = &mirror.messages()[&ids[2].as_str().into()];
    assert_eq!((gone.deleted_at.is_some(), gone.text.as_str()), (true, ""));
    assert!(fake.requests().len() <= 2, "nothing old is read for it");
}

#[tokio::test]
async fn a_gap_larger_than_a_page_is_filled() {
    let fake = Fake::start().await;
    fake.lock().news = 20;
    fake.lock().page = 50;
    talk(&fake, 120);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    for missed in [19, 20, 21, 70, 71, 500] {
        talk(&fake, missed);
        walks_on(&fake, &*account, &mirror).await;
    }
    fake.requests();
    walks_on(&fake, &*account, &mirror).await;
    assert_eq!(fake.requests().len(), 1, "the gap is closed");
}

#[tokio::test]
async fn a_walk_that_breaks_off_in_a_gap_misses_nothing() {
    let fake = Fake::start().await;
    fake.lock().news = 5;
    fake.lock().page = 10;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    let ids = talk(&fake, 60);
    for _ in 0..3 {
        assert!(!mirror.step(&*account).await.expect("a page"));
    }
    // Once when a page is asked for ahead, and once when it is wanted.
    for _ in 0..2 {
        fake.lock().answers.push_back((502, Vec::new(), "<html>Bad Gateway</html>".into()));
    }
    let broken = mirror.walk(&*account).await;
    assert!(matches!(broken, Err(ConnectorError::Platform(_))), "{broken:?}");
    fake.lock().edit(0, &ids[0], "while the server was away");
    mirror.walk(&*account).await.expect("the rest of the gap");
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn what_happens_during_the_first_walk_is_told_by_the_next() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    let ids = talk(&fake, 35);
    let account = account(&fake);
    let mirror = mirror();
    assert!(!mirror.step(&*account).await.expect("the first page"));
    {
        let mut server = fake.lock();
        server.say(0, "new");
        server.edit(1, &ids[34], "edited behind the walk");
        server.edit(0, &ids[0], "edited before it");
        server.redact(&ids[33]);
        server.redact(&ids[1]);
    }
    mirror.walk(&*account).await.expect("the rest");
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn an_event_that_another_server_sends_late_is_found() {
    let fake = Fake::start().await;
    talk(&fake, 40);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    let at = fake.lock().now - 20 * 60_000;
    fake.lock().arrives_late(1, "was cut off", 20, at);
    talk(&fake, 150);
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_token_that_leads_nowhere_any_more_costs_a_walk_and_no_message() {
    let fake = Fake::start().await;
    fake.lock().page = 20;
    let ids = talk(&fake, 50);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().epoch += 1;
    fake.lock().edit(0, &ids[0], "edited");
    fake.lock().redact(&ids[1]);
    talk(&fake, 5);
    walks_on(&fake, &*account, &mirror).await;
    // And in the middle of a walk through everything, and of a gap.
    mirror.begin_again();
    mirror.step(&*account).await.expect("a page");
    fake.lock().epoch += 1;
    walks_on(&fake, &*account, &mirror).await;
    talk(&fake, 300);
    mirror.step(&*account).await.expect("a page");
    fake.lock().epoch += 1;
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_server_whose_tokens_never_hold_is_given_up_on() {
    let fake = Fake::start().await;
    talk(&fake, 30);
    fake.lock().forgets = true;
    let given_up = mirror().walk(&*account(&fake)).await;
    assert!(matches!(given_up, Err(ConnectorError::Request(_))), "{given_up:?}");
}
