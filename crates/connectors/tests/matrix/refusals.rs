//! What a homeserver refuses, and how it is told.

use std::{sync::Arc, time::Duration};

use connectors::{ConnectorError, contract::Mirror, http::Bucket, matrix};
use domain::Platform;
use serde_json::json;

use crate::{
    account,
    fake::{Fake, TOKEN},
    mirror,
    platform::{self, Noting, channel},
    talk, walked, walks_on,
};

#[tokio::test]
async fn refusals_are_told_as_what_they_are() {
    let fake = Fake::start().await;
    talk(&fake, 3);
    let account = account(&fake);
    let elsewhere = Mirror::new(channel(Platform::Matrix, "general"));
    let wrong = elsewhere.walk(&*account).await;
    assert!(matches!(wrong, Err(ConnectorError::ChannelNotFound(_))), "{wrong:?}");
    fake.lock().token_is_good = false;
    for refused in [mirror().walk(&*account).await, account.identity().await.map(|_| ())] {
        let Err(ConnectorError::Auth(told)) = refused else { panic!("{refused:?}") };
        assert!(told.contains("enter a new one"), "{told}");
    }
    fake.lock().token_is_good = true;
    for (status, body) in [(502, "<html>Bad Gateway</html>"), (500, "{}"), (200, "<html>hi</html>")]
    {
        fake.lock().answers.push_back((status, Vec::new(), body.into()));
        let failed = mirror().walk(&*account).await;
        assert!(matches!(failed, Err(ConnectorError::Platform(_))), "{status}: {failed:?}");
    }
    mirror().walk(&*account).await.expect("the server is well again");
}

#[tokio::test]
async fn a_room_that_was_left_is_told_and_nothing_of_it_is_deleted() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = walked(&fake, &*account).await;
    fake.lock().is_joined = false;
    for _ in 0..2 {
        let left = mirror.walk(&*account).await;
        let Err(ConnectorError::ChannelNotFound(told)) = left else { panic!("{left:?}") };
        assert!(told.contains("join the room"), "{told}");
    }
    mirror.begin_again();
    let left = mirror.walk(&*account).await;
    assert!(matches!(left, Err(ConnectorError::ChannelNotFound(_))), "{left:?}");
    assert_eq!(mirror.live().len(), 30);
    fake.lock().is_joined = true;
    talk(&fake, 3);
    walks_on(&fake, &*account, &mirror).await;
}

#[tokio::test]
async fn a_room_that_is_left_between_two_pages_is_told_from_a_token_that_was_revoked() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 30);
    let account = account(&fake);
    let mirror = mirror();
    mirror.step(&*account).await.expect("a page");
    fake.lock().is_joined = false;
    fake.requests();
    // What was asked for before may still have come.
    let left = mirror.walk(&*account).await;
    assert!(matches!(left, Err(ConnectorError::ChannelNotFound(_))), "{left:?}");
    assert!(fake.requests().iter().any(|path| path.ends_with("whoami")), "asked who we are");
    let refusal = r#"{"errcode":"M_FORBIDDEN","error":"refused"}"#.to_owned();
    fake.lock().answers.push_back((403, Vec::new(), refusal));
    fake.lock().token_is_good = false;
    let refused = mirror.step(&*account).await;
    assert!(matches!(refused, Err(ConnectorError::Auth(_))), "{refused:?}");
}

#[tokio::test]
async fn a_limit_is_a_pause_for_all_of_a_rate_that_is_learned() {
    let fake = Fake::start().await;
    talk(&fake, 3);
    let noting = Arc::new(Noting::default());
    let access = platform::access_limited_by(&fake.url, json!({"token": TOKEN}), noting.clone());
    let account = matrix::open(access).expect("an account");
    let headers = vec![("retry-after", "6".into())];
    let body = r#"{"errcode":"M_LIMIT_EXCEEDED","retry_after_ms":5030}"#;
    fake.lock().answers.push_back((429, headers, body.into()));
    let limited = mirror().walk(&*account).await;
    let pause = Duration::from_secs(6);
    assert_eq!(limited, Err(ConnectorError::RateLimit { retry_after: pause }));
    let paused = noting.pauses.lock().expect("pauses").clone();
    assert_eq!(paused, [("matrix:conn_test".to_owned(), pause)]);
    mirror().walk(&*account).await.expect("a walk");
    let taken = noting.taken.lock().expect("buckets");
    let is_learned = |b: &Bucket| b.fastest < b.every && b.every < b.slowest;
    assert!(taken.iter().all(is_learned), "{taken:?}");
}
