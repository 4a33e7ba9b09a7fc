//! Pages of history, and what is asked for beside them.

use connectors::ConnectorError;
use domain::Platform;
use serde_json::json;

use crate::{
    account,
    fake::{Fake, ROOM},
    mirror,
    platform::{Changing as _, assert_same, channel, stored},
    talk, walked, walks_on,
};

#[tokio::test]
async fn only_the_absence_of_an_end_says_that_there_is_no_more() {
    let fake = Fake::start().await;
    fake.lock().page = 5;
    talk(&fake, 12);
    for _ in 0..30 {
        fake.lock().happens("m.room.member", 1, json!({"membership": "join"}));
    }
    talk(&fake, 3);
    let account = account(&fake);
    let mirror = mirror();
    mirror.walk(&*account).await.expect("a walk over empty pages");
    assert_same(&fake.rows(), &stored(&mirror));
}

#[tokio::test]
async fn the_order_of_a_page_says_nothing() {
    let fake = Fake::start().await;
    fake.lock().shuffles = true;
    fake.lock().page = 30;
    let ids = talk(&fake, 100);
    for (number, id) in ids.iter().enumerate() {
        fake.lock().edit(number % 3, id, &format!("edit {number}"));
        fake.lock().reply(1, id, "reply");
    }
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    for (number, id) in ids.iter().enumerate() {
        fake.lock().edit(number % 3, id, &format!("second edit {number}"));
    }
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn walks_that_begin_together_ask_for_the_people_once() {
    let fake = Fake::start().await;
    talk(&fake, 3);
    let account = account(&fake);
    let mirrors: Vec<_> = (0..8).map(|_| mirror()).collect();
    let walks = mirrors.iter().map(|mirror| mirror.walk(&*account));
    for walk in futures_util::future::join_all(walks).await {
        walk.expect("a walk");
    }
    let asked = fake.requests();
    let of = |end: &str| asked.iter().filter(|path| path.ends_with(end)).count();
    assert_eq!((of("/joined_members"), of("/messages")), (1, 8), "{asked:?}");
}

#[tokio::test]
async fn a_server_that_repeats_a_page_is_not_followed_for_ever() {
    let fake = Fake::start().await;
    fake.lock().page = 5;
    talk(&fake, 20);
    let account = account(&fake);
    let mirror = mirror();
    mirror.step(&*account).await.expect("a page");
    fake.lock().repeats = true;
    let broken = mirror.walk(&*account).await;
    assert!(matches!(broken, Err(ConnectorError::Platform(_))), "{broken:?}");
    fake.lock().repeats = false;
    mirror.walk(&*account).await.expect("the server is well again");
}

#[tokio::test]
async fn names_are_asked_for_together_and_once() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 60);
    fake.lock().say(3, "of somebody who left");
    let account = account(&fake);
    mirror().walk(&*account).await.expect("a walk");
    mirror().walk(&*account).await.expect("another");
    let asked = fake.requests();
    let of = |what: &str| asked.iter().filter(|path| path.contains(what)).count();
    assert_eq!((of("joined_members"), of("/profile/")), (1, 1));
}

#[tokio::test]
async fn how_much_there_is_is_told_by_how_dense_the_newest_is() {
    let fake = Fake::start().await;
    let account = account(&fake);
    let channel = channel(Platform::Matrix, ROOM);
    talk(&fake, 60);
    assert_eq!(account.estimate(&channel, None).await, Ok(Some(60)), "all of it was seen");
    fake.lock().page = 20;
    let mirror = mirror();
    let request = connectors::PageRequest { channel, watermark: None, cursor: None };
    let page = account.page(&request, &mirror).await.expect("a page");
    let estimate = page.estimate.expect("an estimate");
    assert!((40..=80).contains(&estimate), "{estimate}");
}
