//! Slack's Web API, against a server of our own that has its traps, and against an emulator.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "slack/changes.rs"]
mod changes;
#[path = "slack/emulated.rs"]
mod emulated;
#[path = "slack/estimates.rs"]
mod estimates;
#[path = "slack/fake.rs"]
mod fake;
#[path = "slack/hostile.rs"]
mod hostile;
#[path = "slack/organisation.rs"]
mod organisation;
#[path = "slack/people.rs"]
mod people;
mod platform;
#[path = "platform/race.rs"]
mod race;
#[path = "slack/rate.rs"]
mod rate;
#[path = "slack/refusals.rs"]
mod refusals;
#[path = "platform/server.rs"]
mod server;
#[path = "slack/threads.rs"]
mod threads;

use std::sync::Arc;

use connectors::{Account, contract::Mirror, slack};
use domain::Platform;
use fake::{CHANNEL, DAY, Fake, SECOND, TOKEN, ts};
use platform::{Changing as _, assert_same, channel, stored};
use serde_json::json;

fn account(fake: &Fake) -> Arc<dyn Account> {
    slack::open(platform::access(&fake.url, json!({"token": TOKEN}))).expect("an account")
}

fn mirror() -> Mirror {
    Mirror::new(channel(Platform::Slack, CHANNEL))
}

/// Waits until the second page has been asked for, which is before it is wanted; another account asks again.
async fn looked_ahead(fake: &Fake) {
    let is_history = |(method, _): &&(String, _)| method == "conversations.history";
    while fake.lock().log.iter().filter(is_history).count() < 2 {
        tokio::task::yield_now().await;
    }
}

/// A walk that ends with our rows equal to Slack's.
async fn walk(fake: &Fake, account: &dyn Account, mirror: &Mirror) {
    // What was sent in the last seconds is not compared yet.
    fake.calm();
    mirror.walk(account).await.expect("a walk");
    assert_same(&fake.rows(), &stored(mirror));
}

async fn walked(fake: &Fake, account: &dyn Account) -> Mirror {
    let mirror = read(fake, account).await;
    assert_same(&fake.rows(), &stored(&mirror));
    fake.requests();
    mirror
}

/// A first walk, whatever it brings.
async fn read(fake: &Fake, account: &dyn Account) -> Mirror {
    fake.calm();
    let mirror = mirror();
    mirror.walk(account).await.expect("a walk");
    mirror
}

#[tokio::test]
async fn who_we_are_and_what_there_is_to_read() {
    let fake = Fake::start().await;
    let app = account(&fake);
    let identity = app.identity().await.expect("an identity");
    assert_eq!((identity.workspace.as_str(), identity.workspace_name.as_str()), ("T1", "Crew"));
    assert_eq!(identity.account, "helper");
    let channels = app.channels().await.expect("channels");
    let told: Vec<_> = channels.iter().map(|c| (c.name.as_str(), c.topic.as_str())).collect();
    assert_eq!(
        told,
        [("general", "What we do"), ("board", "Decisions")],
        "an empty page is no end"
    );
    assert!(channels[1].is_private && channels[0].member_count == Some(3));
    fake.lock().scopes = Some("channels:read,channels:history,users:read");
    assert_eq!(app.channels().await.expect("public channels").len(), 2);
}

#[tokio::test]
async fn all_of_a_long_history_is_read_whichever_way_pages_come() {
    for oldest_first in [false, true] {
        let fake = Fake::start().await;
        fake.lock().oldest_first = oldest_first;
        fake.talk(1_234);
        let app = account(&fake);
        let mirror = walked(&fake, &*app).await;
        assert_eq!(mirror.live().len(), 1_234);
        fake.talk(450);
        walk(&fake, &*app, &mirror).await;
    }
}

#[tokio::test]
async fn a_short_page_is_not_the_last_one() {
    let fake = Fake::start().await;
    fake.lock().most = 7;
    fake.talk(100);
    walked(&fake, &*account(&fake)).await;
}

#[tokio::test]
async fn a_ts_is_a_key_and_keeps_its_microseconds() {
    let fake = Fake::start().await;
    for micros in [1, 2, 999_999] {
        fake.lock().now = 1_700_000_000 * SECOND + micros - 1_000;
        fake.lock().say(None, 0, "at the same second");
    }
    let mirror = walked(&fake, &*account(&fake)).await;
    let ids: Vec<String> = mirror.live().into_keys().map(String::from).collect();
    assert_eq!(ids, ["1700000000.000001", "1700000000.000002", "1700000000.999999"]);
}

#[tokio::test]
async fn the_window_ends_at_slacks_own_time_and_the_next_begins_before_it() {
    let fake = Fake::start().await;
    fake.talk(300);
    let app = account(&fake);
    let mirror = mirror();
    fake.calm();
    let began = fake.lock().now / SECOND * SECOND;
    assert!(!mirror.step(&*app).await.expect("a page"));
    // What is sent meanwhile belongs to the next window.
    fake.talk(3);
    mirror.walk(&*app).await.expect("the rest");
    let log = std::mem::take(&mut fake.lock().log);
    let histories = log.iter().filter(|(method, _)| method == "conversations.history");
    assert!(histories.map(|(_, form)| &form["latest"]).all(|latest| *latest == ts(began)));
    assert_eq!(mirror.live().len(), 300);
    fake.lock().now += 30 * DAY;
    walk(&fake, &*app, &mirror).await;
    let log = std::mem::take(&mut fake.lock().log);
    let (_, form) = log.iter().find(|(m, _)| m == "conversations.history").expect("a history");
    assert_eq!(
        form["oldest"],
        ts(began - 600 * SECOND),
        "ten minutes before the last window's end"
    );
}

#[tokio::test]
async fn a_walk_that_breaks_off_goes_on_and_moves_no_watermark() {
    let fake = Fake::start().await;
    let ids = fake.talk(500);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += 40 * DAY;
    fake.talk(500);
    fake.calm();
    assert!(!mirror.step(&*app).await.expect("a page"));
    looked_ahead(&fake).await;
    fake.lock().answers.push_back(("conversations.history", 500, vec![], json!({})));
    mirror.step(&*account(&fake)).await.expect_err("the platform failed");
    // Another process goes on, with nothing but what is stored.
    walk(&fake, &*account(&fake), &mirror).await;
    assert!(mirror.live().contains_key(&ts(ids[0]).as_str().into()));
}

#[tokio::test]
async fn a_quiet_increment_costs_the_same_whatever_the_history() {
    let mut costs = Vec::new();
    for count in [300, 3_000] {
        let fake = Fake::start().await;
        let ids = fake.talk(count);
        for id in ids.iter().step_by(30) {
            fake.lock().say(Some(*id), 1, "a reply");
        }
        let app = account(&fake);
        fake.lock().now += 20 * DAY;
        let mirror = walked(&fake, &*app).await;
        for _ in 0..3 {
            fake.lock().now += DAY / 24;
            mirror.walk(&*app).await.expect("an increment");
            costs.push(fake.requests());
        }
    }
    let expected = ["conversations.info", "conversations.history", "conversations.history"];
    for cost in costs {
        let (first, threads) = cost.split_at(3);
        assert_eq!(first, expected, "the channel, two weeks, an older slice");
        assert_eq!(threads.len(), 2, "and two threads in turn: {cost:?}");
    }
}

#[tokio::test]
async fn marks_and_cursors_stay_small() {
    let fake = Fake::start().await;
    fake.talk(1_000);
    let app = account(&fake);
    let known = mirror();
    let request = |cursor| connectors::PageRequest {
        channel: channel(Platform::Slack, CHANNEL),
        watermark: None,
        cursor,
    };
    let mut cursor = None;
    loop {
        let page = app.page(&request(cursor), &known).await.expect("a page");
        match page.next {
            connectors::Next::Cursor(next) => {
                assert!(next.len() < 1_000, "{next}");
                cursor = Some(next);
            }
            connectors::Next::End(_) => break,
        }
    }
    let long = json!({"ok": true, "messages": [], "response_metadata": {"next_cursor": "x".repeat(2_000)}});
    fake.lock().answers.push_back(("conversations.history", 200, vec![], long));
    app.page(&request(None), &known).await.expect_err("a cursor that is too long");
}

#[tokio::test]
async fn what_the_plan_hides_is_not_deleted() {
    let fake = Fake::start().await;
    let ids = fake.talk(400);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().hidden_before = ids[350];
    fake.calm();
    mirror.begin_again();
    mirror.walk(&*app).await.expect("a walk through what is shown");
    fake.lock().now += 30 * DAY;
    for _ in 0..20 {
        mirror.walk(&*app).await.expect("an increment");
    }
    assert_eq!(mirror.live().len(), 400);
    let deleted = ids[380];
    fake.lock().delete(deleted);
    mirror.begin_again();
    mirror.walk(&*app).await.expect("a walk through what is shown");
    assert_eq!(mirror.live().len(), 399, "what is shown is compared as ever");
}

#[tokio::test]
async fn files_are_kept_by_what_is_known_of_them_without_their_secrets() {
    let fake = Fake::start().await;
    let at = fake.talk(1)[0];
    fake.lock().message(at).more = json!({"subtype": "file_share", "files": [
        {"id": "F1", "name": "plan.pdf", "title": "The plan", "mimetype": "application/pdf", "size": 9,
            "url_private": "https://files.slack.com/plan.pdf?t=xoxe-secret"},
        {"id": "F2", "mode": "tombstone"}]});
    let mirror = walked(&fake, &*account(&fake)).await;
    let message = mirror.live().into_values().next().expect("a message");
    let file = &message.attachments[0];
    assert_eq!((file.id.as_str(), file.name.as_str(), file.bytes), ("F1", "The plan", Some(9)));
    assert_eq!(message.attachments.len(), 1, "a deleted file is none");
    assert!(!format!("{message:?}").contains("xoxe"));
}
