//! What Slack refuses, and what follows from it.

use std::{sync::Arc, time::Duration};

use connectors::{Account, ConnectorError, http::Bucket, slack};
use domain::{Classify as _, ErrorCode, Platform};
use serde_json::{Value, json};

use crate::{
    account,
    fake::{Fake, SECOND, TOKEN},
    platform::{self, Changing as _, Noting, channel},
    walk,
};

fn refuse(fake: &Fake, method: &'static str, status: u16, body: Value) {
    fake.lock().answers.push_back((method, status, vec![], body));
}

async fn failure(fake: &Fake) -> ConnectorError {
    crate::mirror().walk(&*account(fake)).await.expect_err("a failure")
}

#[tokio::test]
async fn every_error_has_its_code_and_says_what_to_do() {
    use ErrorCode::{AuthError, ChannelNotFound, InternalError, PlatformError, RateLimit};
    let cases = [
        (RateLimit, &["ratelimited", "rate_limited"][..]),
        (
            AuthError,
            &[
                "invalid_auth",
                "not_authed",
                "account_inactive",
                "token_revoked",
                "token_expired",
                "missing_scope",
                "no_permission",
                "not_allowed_token_type",
                "org_login_required",
                "ekm_access_denied",
                "access_denied",
                "two_factor_setup_required",
                "team_access_not_granted",
            ],
        ),
        (
            ChannelNotFound,
            &[
                "channel_not_found",
                "channel_is_limited_access",
                "method_not_supported_for_channel_type",
            ],
        ),
        (
            PlatformError,
            &[
                "internal_error",
                "fatal_error",
                "service_unavailable",
                "request_timeout",
                "team_added_to_org",
                "something_new",
            ],
        ),
        (
            InternalError,
            &["invalid_arguments", "invalid_ts_latest", "invalid_ts_oldest", "unknown_method"],
        ),
    ];
    let fake = Fake::start().await;
    fake.talk(3);
    for (code, errors) in cases {
        for error in errors {
            refuse(&fake, "conversations.history", 200, json!({"ok": false, "error": error}));
            assert_eq!(failure(&fake).await.sync_error().code, code, "{error}");
        }
    }
    for (status, body) in
        [(500, json!({})), (502, json!("<html>")), (200, json!([1])), (200, json!({}))]
    {
        refuse(&fake, "conversations.history", status, body);
        assert_eq!(failure(&fake).await.sync_error().code, PlatformError);
    }
}

#[tokio::test]
async fn a_missing_scope_is_named() {
    let fake = Fake::start().await;
    let lacking = json!({"ok": false, "error": "missing_scope", "needed": "channels:history", "provided": "chat:write"});
    refuse(&fake, "conversations.history", 200, lacking);
    let told = failure(&fake).await.to_string();
    assert!(told.contains("the bot lacks the scope channels:history: add it"), "{told}");
    fake.lock().scopes = Some("channels:read,users:read");
    let told = account(&fake).identity().await.expect_err("a scope is missing").to_string();
    assert!(told.contains("channels:history"), "{told}");
}

#[tokio::test]
async fn a_wrong_token_is_no_failure_of_the_platform_and_is_never_repeated() {
    let fake = Fake::start().await;
    fake.lock().token_is_good = false;
    let app = account(&fake);
    let errors = [
        app.identity().await.expect_err("refused"),
        failure(&fake).await,
        app.channels().await.expect_err("refused"),
    ];
    for error in errors {
        assert!(matches!(error, ConnectorError::Auth(_)), "{error:?}");
        assert!(!format!("{error:?} {error}").contains("canary"), "{error:?}");
    }
    let without = slack::open(platform::access(&fake.url, json!({}))).err().expect("no token");
    assert!(without.to_string().contains("token"));
    let echo = json!({"ok": false, "error": format!("what is {TOKEN}\u{1b}?")});
    fake.lock().token_is_good = true;
    refuse(&fake, "conversations.info", 200, echo);
    assert!(!failure(&fake).await.to_string().contains("canary"));
}

#[tokio::test]
async fn a_public_channel_is_joined_once_and_a_closed_one_asks_for_an_invitation() {
    let fake = Fake::start().await;
    fake.talk(3);
    fake.lock().is_member = false;
    walk(&fake, &*account(&fake), &crate::mirror()).await;
    assert_eq!(fake.requests().iter().filter(|m| *m == "conversations.join").count(), 1);
    fake.lock().is_member = false;
    fake.lock().may_join = false;
    let error = failure(&fake).await;
    assert!(matches!(error, ConnectorError::ChannelNotFound(_)), "{error:?}");
    assert!(error.to_string().contains("/invite"));
    assert_eq!(fake.requests().iter().filter(|m| *m == "conversations.join").count(), 1);
}

#[tokio::test]
async fn an_archived_channel_is_read_by_who_is_in_it_and_cannot_be_joined() {
    let fake = Fake::start().await;
    fake.talk(3);
    fake.lock().is_archived = true;
    let mirror = crate::mirror();
    walk(&fake, &*account(&fake), &mirror).await;
    walk(&fake, &*account(&fake), &mirror).await;
    assert_eq!(mirror.live().len(), 3);
    fake.lock().is_member = false;
    let error = failure(&fake).await;
    assert!(matches!(error, ConnectorError::ChannelNotFound(_)), "{error:?}");
    assert!(error.to_string().contains("archived"), "{error}");
}

#[tokio::test]
async fn a_channel_that_is_not_there_is_not_found() {
    let fake = Fake::start().await;
    let error = connectors::contract::Mirror::new(channel(Platform::Slack, "C404"))
        .walk(&*account(&fake))
        .await;
    assert!(matches!(error, Err(ConnectorError::ChannelNotFound(_))), "{error:?}");
    let odd = connectors::contract::Mirror::new(channel(Platform::Slack, "../C1"))
        .walk(&*account(&fake))
        .await;
    assert!(matches!(odd, Err(ConnectorError::ChannelNotFound(_))), "{odd:?}");
}

#[tokio::test]
async fn a_stale_cursor_begins_the_window_again_and_not_for_ever() {
    let fake = Fake::start().await;
    fake.talk(500);
    fake.lock().stale = 2;
    let app = account(&fake);
    let mirror = crate::mirror();
    fake.lock().now += 60 * SECOND;
    mirror.walk(&*app).await.expect("a walk");
    assert_eq!(mirror.live().len(), 500);
    fake.lock().stale = 100;
    let error = failure(&fake).await;
    assert_eq!(error.sync_error().code, ErrorCode::InternalError);
}

fn noting(fake: &Fake) -> (Arc<Noting>, Arc<dyn Account>) {
    let limiter = Arc::new(Noting::default());
    let access = platform::access_limited_by(&fake.url, json!({"token": TOKEN}), limiter.clone());
    (limiter, slack::open(access).expect("an account"))
}

#[tokio::test]
async fn a_pause_is_honoured_for_the_method_that_was_limited() {
    let fake = Fake::start().await;
    fake.talk(3);
    let cases = [(Some("7"), 7), (None, 30), (Some("0"), 1), (Some("90000"), 3_600)];
    for (header, seconds) in cases {
        let (limiter, app) = noting(&fake);
        let headers = header.map(|value| ("retry-after", value.to_owned())).into_iter().collect();
        let body = json!({"ok": false, "error": "ratelimited"});
        fake.lock().answers.push_back(("conversations.history", 429, headers, body));
        let limited = crate::mirror().walk(&*app).await;
        let pause = Duration::from_secs(seconds);
        assert_eq!(limited, Err(ConnectorError::RateLimit { retry_after: pause }));
        let paused = limiter.pauses.lock().expect("a list").clone();
        assert_eq!(paused, [("slack:T1:B1:conversations.history".to_owned(), pause)]);
    }
}

#[tokio::test]
async fn calls_are_counted_by_app_workspace_and_method_in_their_tiers() {
    let fake = Fake::start().await;
    let root = fake.talk(3)[0];
    fake.lock().say(Some(root), 3, "a reply");
    let (limiter, app) = noting(&fake);
    crate::mirror().walk(&*app).await.expect("a walk");
    let taken = limiter.taken.lock().expect("a list").clone();
    let every = |method: &str| {
        let key = format!("slack:T1:B1:{method}");
        let bucket = taken.iter().find(|bucket| bucket.key == key);
        bucket.map(|bucket| bucket.every.as_millis()).unwrap_or_default()
    };
    for tier_3 in ["conversations.info", "conversations.history", "conversations.replies"] {
        assert_eq!(every(tier_3), 1_200, "{tier_3}");
    }
    assert_eq!((every("users.list"), every("users.info")), (3_000, 600));
}

#[tokio::test]
async fn an_app_that_may_ask_once_a_minute_is_recognised_and_people_are_told_how_long_it_takes() {
    let fake = Fake::start().await;
    fake.lock().now = 1_600_000_000 * SECOND;
    fake.talk(3_000);
    fake.lock().most = 15;
    fake.lock().by_the_minute = Some(Default::default());
    let (limiter, app) = noting(&fake);
    let mirror = crate::mirror();
    fake.calm();
    assert!(!mirror.step(&*app).await.expect("a page of fifteen"));
    let error = mirror.step(&*app).await.expect_err("too soon");
    let told = error.sync_error();
    assert_eq!((told.code, told.details.retry_after), (ErrorCode::RateLimit, Some(60)));
    assert!(error.to_string().contains("one page of 15 messages a minute"), "{error}");
    assert!(error.to_string().contains("takes about 4 hours"), "{error}");
    // Another worker knows it by the cursor, and asks for a turn a minute.
    let (limiter, app) = {
        drop((limiter, app));
        noting(&fake)
    };
    for _ in 0..3 {
        fake.lock().now += 60 * SECOND;
        assert!(!mirror.step(&*app).await.expect("a page a minute"));
    }
    let taken = limiter.taken.lock().expect("a list").clone();
    let histories: Vec<_> =
        taken.iter().filter(|b| b.key.ends_with(":conversations.history")).collect();
    assert_eq!(histories.len(), 3, "{taken:?}");
    let by_the_minute = |b: &&Bucket| (b.every, b.burst) == (Duration::from_secs(60), 1);
    assert!(histories.iter().all(by_the_minute), "{taken:?}");
    assert_eq!(mirror.live().len(), 60);
}
