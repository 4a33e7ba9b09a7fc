//! How many messages there may be.

use std::sync::Arc;

use domain::Platform;
use serde_json::json;

use crate::{
    account,
    fake::{CHANNEL, Fake, SECOND},
    platform::{Changing as _, channel},
};

/// What may be read, and searched.
const SEARCHES: &str = "channels:read,channels:history,users:read,search:read";

/// What is made of a page of a channel with two thousand messages.
const ROUGHLY: std::ops::RangeInclusive<u64> = 1_950..=2_050;

/// A channel with more than a page.
async fn long() -> Arc<Fake> {
    let fake = Fake::start().await;
    fake.lock().now = 1_600_000_000 * SECOND;
    fake.talk(2_000);
    fake
}

/// What the first page of a walk through everything expects.
async fn expected(fake: &Fake) -> Option<u64> {
    fake.calm();
    let request = connectors::PageRequest {
        channel: channel(Platform::Slack, CHANNEL),
        watermark: None,
        cursor: None,
    };
    let page = account(fake).page(&request, &crate::mirror()).await.expect("a page");
    page.estimate
}

#[tokio::test]
async fn an_estimate_is_made_of_the_first_page() {
    let fake = long().await;
    let app = account(&fake);
    let estimated = app.estimate(&channel(Platform::Slack, CHANNEL), None).await.expect("a number");
    assert!(ROUGHLY.contains(&estimated.expect("a number")), "{estimated:?}");
    assert_eq!(fake.requests().iter().filter(|m| *m == "conversations.history").count(), 1);
    let increment = app.estimate(&channel(Platform::Slack, CHANNEL), Some("mark")).await;
    assert_eq!(increment, Ok(None));
    assert!(ROUGHLY.contains(&expected(&fake).await.expect("a number")));
}

#[tokio::test]
async fn a_person_who_may_search_is_told_how_many_messages_there_are() {
    let fake = long().await;
    fake.lock().scopes = Some(SEARCHES);
    fake.lock().counted = Some(4_321);
    let estimated = account(&fake).estimate(&channel(Platform::Slack, CHANNEL), None).await;
    assert_eq!(estimated, Ok(Some(4_321)));
    assert_eq!(fake.requests(), ["auth.test", "search.messages"]);
    assert_eq!(expected(&fake).await, Some(4_321));
}

#[tokio::test]
async fn a_bot_never_searches_and_a_search_that_fails_costs_the_number_only() {
    let fake = long().await;
    assert!(ROUGHLY.contains(&expected(&fake).await.expect("a number")));
    assert!(!fake.requests().contains(&"search.messages".to_owned()));
    fake.lock().scopes = Some(SEARCHES);
    for (status, answer) in [
        (200, json!({"ok": false, "error": "not_allowed_token_type"})),
        (429, json!({"ok": false, "error": "ratelimited"})),
        (500, json!({})),
        (200, json!({"ok": true, "messages": {"total": "many"}})),
        // What was said in the last minutes need not be found yet.
        (200, json!({"ok": true, "messages": {"total": 3}})),
    ] {
        fake.lock().answers.push_back(("search.messages", status, vec![], answer.clone()));
        let estimated = expected(&fake).await.expect("a number");
        assert!(ROUGHLY.contains(&estimated), "{estimated}: {answer}");
        assert!(fake.requests().contains(&"search.messages".to_owned()), "{answer}");
    }
}
