//! What Discord refuses or keeps from the bot, and what follows from it.

use std::{sync::Arc, time::Duration};

use connectors::{ConnectorError, discord};
use domain::{Classify as _, ErrorCode};
use serde_json::json;

use crate::{
    DAY, account,
    fake::{Fake, TEXT, TOKEN},
    mirror,
    platform::{self, Noting},
    talk, walked,
};

#[tokio::test]
async fn a_channel_whose_history_may_not_be_read_is_empty_and_is_not_believed() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, 3);
    let bot = account(&fake);
    let mirror = walked(&fake, &*bot, TEXT).await;
    fake.lock().reads_history = false;
    fake.lock().now += DAY;
    let refused = mirror.walk(&*bot).await;
    assert!(matches!(refused, Err(ConnectorError::ChannelNotFound(_))), "{refused:?}");
    assert_eq!(mirror.live().len(), 3, "nothing counts as deleted");
    fake.lock().reads_history = true;
    fake.lock().said.clear();
    mirror.walk(&*bot).await.expect("an increment");
    assert_eq!(mirror.live().len(), 0, "what is really empty is");
}

#[tokio::test]
async fn content_that_is_kept_from_the_bot_is_told_and_never_stored() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, 30);
    fake.lock().reads_content = false;
    let mirror = mirror(TEXT);
    let refused = mirror.walk(&*account(&fake)).await;
    assert!(matches!(&refused, Err(ConnectorError::Auth(why)) if why.contains("Message Content")));
    assert!(mirror.messages().is_empty());
}

#[tokio::test]
async fn a_refused_token_is_shown_once() {
    let fake = Fake::start(TEXT).await;
    fake.lock().token_is_good = false;
    let bot = account(&fake);
    for _ in 0..5 {
        let refused = mirror(TEXT).walk(&*bot).await;
        assert!(matches!(refused, Err(ConnectorError::Auth(_))), "{refused:?}");
    }
    assert_eq!(fake.requests().len(), 1, "too many would shut out the whole address");
}

#[tokio::test]
async fn a_refused_channel_is_asked_for_once_and_who_we_are_once() {
    let fake = Fake::start(TEXT).await;
    let refusal = json!({"message": "Missing Access", "code": 50_001}).to_string();
    for _ in 0..5 {
        fake.lock().answers.push_back(("channels/", 403, Vec::new(), refusal.clone()));
    }
    let bot = account(&fake);
    for _ in 0..5 {
        let refused = mirror(TEXT).walk(&*bot).await;
        assert!(matches!(refused, Err(ConnectorError::ChannelNotFound(_))), "{refused:?}");
    }
    assert_eq!(fake.requests().len(), 2);
}

#[tokio::test]
async fn refusals_are_told_as_what_they_are() {
    let fake = Fake::start(TEXT).await;
    let answer = |status: u16, body: &str| {
        fake.lock().answers.push_back(("channels/", status, Vec::new(), body.to_owned()));
    };
    let walk = || async { mirror(TEXT).walk(&*account(&fake)).await };
    for (status, code) in [(404, 10_003), (404, 10_004), (403, 50_013), (403, 50_001)] {
        answer(status, &json!({"message": "no", "code": code}).to_string());
        let told = walk().await;
        assert!(matches!(told, Err(ConnectorError::ChannelNotFound(_))), "{code}: {told:?}");
    }
    answer(403, &json!({"message": "Unauthorized", "code": 40_001}).to_string());
    assert!(matches!(walk().await, Err(ConnectorError::Auth(_))), "40001");
    answer(400, &json!({"message": "Invalid Form Body", "code": 50_035}).to_string());
    assert!(matches!(walk().await, Err(ConnectorError::Request(_))));
    for (status, body) in [(500, "{}"), (502, "<html></html>"), (200, "<html></html>")] {
        answer(status, body);
        assert!(matches!(walk().await, Err(ConnectorError::Platform(_))), "{status}");
    }
    answer(403, &json!({"message": "Missing Access", "code": 50_001}).to_string());
    fake.lock().token_is_good = false;
    assert!(matches!(walk().await, Err(ConnectorError::Auth(_))), "the token, not the channel");
}

#[tokio::test]
async fn a_failure_in_a_thread_names_its_first_message() {
    let fake = Fake::start(TEXT).await;
    let first = talk(&fake, TEXT, 1)[0];
    let thread = fake.lock().thread_of(first);
    talk(&fake, thread, 2);
    let path: &'static str = format!("{thread}/messages").leak();
    fake.lock().answers.push_back((path, 502, Vec::new(), "{}".into()));
    let told = mirror(TEXT).walk(&*account(&fake)).await.expect_err("a failure").sync_error();
    assert_eq!(told.code, ErrorCode::PlatformError);
    assert_eq!(told.details.failing_message_id, Some(first.to_string().into()));
}

#[tokio::test]
async fn limits_of_a_route_pause_that_route_and_global_ones_everything() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, 3);
    let noting = Arc::new(Noting::default());
    let access = platform::access_limited_by(&fake.url, json!({"token": TOKEN}), noting.clone());
    let bot = discord::open(access).expect("an account");
    let limited = async |headers: Vec<(&'static str, String)>, body: &str| {
        noting.pauses.lock().expect("pauses").clear();
        let canned = ("0002/messages", 429, headers, body.to_owned());
        fake.lock().answers.push_back(canned);
        let told = mirror(TEXT).walk(&*bot).await;
        let pauses = noting.pauses.lock().expect("pauses").clone();
        (told, pauses.into_iter().map(|(bucket, _)| bucket).collect::<Vec<_>>())
    };
    let route = format!("discord:conn_test:messages:{TEXT}");
    let all = "discord:conn_test:all".to_owned();
    let scope =
        |scope: &str| vec![("x-ratelimit-scope", scope.to_owned()), ("retry-after", "3".into())];
    let body = json!({"message": "slow down", "retry_after": 2.25, "global": false}).to_string();
    let rate = |seconds: f64| {
        Err(ConnectorError::RateLimit { retry_after: Duration::from_secs_f64(seconds) })
    };
    assert_eq!(limited(scope("user"), &body).await, (rate(2.25), vec![route.clone()]));
    assert_eq!(limited(scope("shared"), "{}").await, (rate(3.0), vec![route.clone()]));
    let global = json!({"message": "slow down", "retry_after": 1.5, "global": true}).to_string();
    let both = vec![route.clone(), all];
    assert_eq!(limited(scope("global"), &global).await, (rate(1.5), both.clone()));
    // Cloudflare: a page for people, and none of Discord's headers.
    assert_eq!(limited(Vec::new(), "<html>1015</html>").await, (rate(60.0), both));
    fake.lock().headers =
        vec![("x-ratelimit-remaining", "0".into()), ("x-ratelimit-reset-after", "4.5".into())];
    noting.pauses.lock().expect("pauses").clear();
    mirror(TEXT).walk(&*bot).await.expect("a walk");
    let pauses = noting.pauses.lock().expect("pauses").clone();
    assert!(
        pauses.contains(&(route, Duration::from_secs_f64(4.5))),
        "the last call that was allowed"
    );
    assert!(pauses.iter().all(|(bucket, _)| !bucket.ends_with(":all")));
}
