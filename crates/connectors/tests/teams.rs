//! Microsoft Teams, against a Graph of our own that has its traps.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "teams/fake.rs"]
mod fake;
mod platform;
#[path = "platform/race.rs"]
mod race;
#[path = "teams/rate.rs"]
mod rate;
#[path = "platform/server.rs"]
mod server;

use std::{sync::Arc, time::Duration};

use connectors::{Account, ConnectorError, Known as _, contract::Mirror, teams};
use domain::{Classify as _, ErrorCode, Platform};
use fake::{CHANNEL, EXPANDED, Fake, SECRET, TEAM, TENANT};
use platform::{Changing as _, Dice, Noting, assert_same, channel, stays_equal, stored};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn credentials() -> Value {
    json!({"tenant": TENANT, "client_id": "app", "client_secret": SECRET})
}

fn account(fake: &Fake) -> Arc<dyn Account> {
    teams::open(platform::access(&fake.url, credentials())).expect("an account")
}

fn external_id() -> String {
    format!("{TEAM}:{CHANNEL}")
}

fn mirror() -> Mirror {
    Mirror::new(channel(Platform::Teams, &external_id()))
}

async fn walked(fake: &Fake, account: &dyn Account) -> Mirror {
    let mirror = mirror();
    fake.lock().now += 60_000;
    mirror.walk(account).await.expect("a walk");
    assert_same(&fake.rows(), &stored(&mirror));
    fake.requests();
    mirror
}

/// That many threads, one a minute, with so many replies each.
fn talk(fake: &Fake, threads: usize, replies: usize) -> Vec<i64> {
    let mut tenant = fake.lock();
    let say = |number: usize| {
        tenant.now += 60_000;
        let root = tenant.say(number % 2, &format!("thread {number}"));
        for reply in 0..replies {
            tenant.now += 1_000;
            tenant.reply(root, reply % 3, &format!("reply {reply}"));
        }
        root
    };
    (0..threads).map(say).collect()
}

#[tokio::test]
async fn whatever_happens_meanwhile_our_rows_are_the_platforms_in_the_end() {
    for seed in 0..50 {
        let fake = Fake::start().await;
        let mut dice = Dice::new(seed);
        for _ in 0..dice.below(600) {
            fake.change(&mut dice);
        }
        let channel = channel(Platform::Teams, &external_id());
        stays_equal(&*fake, &*account(&fake), channel, &mut dice).await;
    }
}

#[tokio::test]
async fn who_we_are_and_what_there_is_to_read() {
    let fake = Fake::start().await;
    let app = account(&fake);
    let identity = app.identity().await.expect("an identity");
    assert_eq!(
        (identity.workspace.as_str(), identity.workspace_name.as_str()),
        (TENANT, "Contoso")
    );
    let refusal = ("organization", 403, Vec::new(), "{}".to_owned());
    fake.lock().answers.push_back(refusal);
    assert_eq!(app.identity().await.expect("an identity").workspace, TENANT);
    let channels = app.channels().await.expect("channels");
    let told: Vec<_> = channels.iter().map(|c| (c.name.as_str(), c.is_private)).collect();
    assert_eq!(
        told,
        [("Crew / General", false), ("Crew / Board", true)],
        "foreign teams are left out"
    );
    assert_eq!(channels[0].external_id, external_id());
}

#[tokio::test]
async fn a_quiet_increment_costs_one_request_whatever_the_history() {
    for threads in [10, 400] {
        let fake = Fake::start().await;
        talk(&fake, threads, 2);
        let app = account(&fake);
        let mirror = walked(&fake, &*app).await;
        for _ in 0..3 {
            fake.lock().now += DAY;
            mirror.walk(&*app).await.expect("an increment");
            assert_eq!(fake.requests().len(), 1);
        }
    }
}

#[tokio::test]
async fn late_replies_edits_and_deletes_of_old_threads_are_found() {
    let fake = Fake::start().await;
    let roots = talk(&fake, 120, 3);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    {
        let mut tenant = fake.lock();
        tenant.now += 300 * DAY;
        tenant.reply(roots[0], 1, "after ten months");
        tenant.edit(roots[1], Some(2), "said otherwise");
        tenant.edit(roots[2], None, "said otherwise");
        tenant.delete(roots[3], Some(0));
        tenant.delete(roots[4], None);
    }
    mirror.walk(&*app).await.expect("an increment");
    assert_same(&fake.rows(), &stored(&mirror));
    let gone = &mirror.messages()[&roots[4].to_string().into()];
    assert_eq!((gone.deleted_at.is_some(), gone.text.as_str()), (true, ""));
}

#[tokio::test]
async fn threads_older_than_changes_are_told_of_are_read_as_well() {
    let fake = Fake::start().await;
    talk(&fake, 120, 2);
    fake.lock().now += 300 * DAY;
    talk(&fake, 5, 1);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    assert_eq!(mirror.live().len(), 120 * 3 + 5 * 2);
}

#[tokio::test]
async fn a_national_cloud_is_named_and_an_unknown_one_refused() {
    let fake = Fake::start().await;
    let open = |cloud: &str| {
        let mut entered = credentials();
        entered["cloud"] = cloud.into();
        teams::open(platform::access(&fake.url, entered))
    };
    for cloud in ["global", "usgov", "usgov-dod", "china"] {
        assert!(open(cloud).is_ok(), "{cloud}");
    }
    let unknown = open("elsewhere").err().expect("no such cloud");
    assert!(unknown.to_string().contains("usgov-dod"), "{unknown}");
}

#[tokio::test]
async fn replies_that_do_not_come_with_their_thread_are_asked_for() {
    let fake = Fake::start().await;
    let roots = talk(&fake, 3, 4 * EXPANDED);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += DAY;
    for reply in 0..2 * EXPANDED {
        fake.lock().reply(roots[1], 0, &format!("late {reply}"));
    }
    mirror.walk(&*app).await.expect("an increment");
    assert_same(&fake.rows(), &stored(&mirror));
    assert_eq!(mirror.marks_under("todo:", None, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn replies_of_two_threads_may_have_the_same_id() {
    let fake = Fake::start().await;
    let roots = talk(&fake, 2, 0);
    let same: Vec<i64> = roots.iter().map(|root| fake.lock().reply(*root, 0, "same")).collect();
    assert_eq!(same[0], same[1]);
    let mirror = walked(&fake, &*account(&fake)).await;
    assert_eq!(mirror.live().len(), 4);
}

#[tokio::test]
async fn a_thread_whose_replies_fail_is_marked_and_tried_again() {
    let fake = Fake::start().await;
    let roots = talk(&fake, 3, 2 * EXPANDED);
    let path: &'static str = format!("{}/replies", roots[1]).leak();
    fake.lock().answers.push_back((path, 404, Vec::new(), "{}".into()));
    let app = account(&fake);
    let mirror = mirror();
    fake.lock().now += 60_000;
    mirror.walk(&*app).await.expect("the others are read");
    assert_eq!(mirror.live().len(), 3 + 6 * EXPANDED - EXPANDED);
    let failed = mirror.marks_under("failed:", None, 10).await.expect("marks");
    assert_eq!(failed[0].0, format!("failed:{}", roots[1]));
    mirror.walk(&*app).await.expect("the next walk");
    assert_same(&fake.rows(), &stored(&mirror));
    assert_eq!(mirror.marks_under("failed:", None, 10).await, Ok(Vec::new()));
}

#[tokio::test]
async fn a_failure_in_a_thread_names_its_first_message() {
    let fake = Fake::start().await;
    let roots = talk(&fake, 3, 2 * EXPANDED);
    let path: &'static str = format!("{}/replies", roots[1]).leak();
    fake.lock().answers.push_back((path, 502, Vec::new(), "{}".into()));
    let told = mirror().walk(&*account(&fake)).await.expect_err("a failure").sync_error();
    assert_eq!(told.code, ErrorCode::PlatformError);
    assert_eq!(told.details.failing_message_id, Some(roots[1].to_string().into()));
}

#[tokio::test]
async fn an_expired_link_to_changes_leads_to_a_walk_through_everything() {
    let fake = Fake::start().await;
    let roots = talk(&fake, 120, 1);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().now += DAY;
    fake.lock().edit(roots[0], None, "edited");
    fake.lock().purge(roots[5]);
    fake.lock().expired = u64::MAX;
    fake.lock().now += DAY;
    mirror.walk(&*app).await.expect("a walk");
    assert_same(&fake.rows(), &stored(&mirror));
}

#[tokio::test]
async fn a_token_that_is_refused_is_replaced_once() {
    let fake = Fake::start().await;
    talk(&fake, 3, 1);
    let app = account(&fake);
    let mirror = walked(&fake, &*app).await;
    fake.lock().refused_tokens = 1;
    mirror.walk(&*app).await.expect("with another token");
    let expected = [true, false, true];
    let of_graph: Vec<bool> = fake.requests().iter().map(|r| r.contains("/v1.0/")).collect();
    assert_eq!(of_graph, expected);
    fake.lock().refused_tokens = u64::MAX;
    let refused = mirror.walk(&*app).await;
    assert!(matches!(refused, Err(ConnectorError::Auth(_))), "{refused:?}");
    assert_eq!(fake.requests().len(), 3);
}

#[tokio::test]
async fn a_link_to_another_server_is_not_followed() {
    let fake = Fake::start().await;
    talk(&fake, 3, 1);
    let page = json!({"value": [], "@odata.nextLink": "https://elsewhere.example/v1.0/teams"});
    fake.lock().answers.push_back(("/messages", 200, Vec::new(), page.to_string()));
    let refused = mirror().walk(&*account(&fake)).await;
    assert!(matches!(refused, Err(ConnectorError::Platform(_))), "{refused:?}");
    let secret = teams::open(platform::access(
        &fake.url,
        json!({"tenant": "../x", "client_id": "a",
        "client_secret": "b"}),
    ));
    assert!(matches!(secret, Err(ConnectorError::Auth(_))));
}

#[tokio::test]
async fn refusals_are_told_as_what_they_are() {
    let fake = Fake::start().await;
    let walk = || async { mirror().walk(&*account(&fake)).await };
    fake.lock().is_allowed = false;
    assert!(
        matches!(walk().await, Err(ConnectorError::ChannelNotFound(why)) if why.contains("ChannelMessage.Read.All"))
    );
    fake.lock().is_allowed = true;
    fake.lock().exists = false;
    assert!(matches!(walk().await, Err(ConnectorError::ChannelNotFound(_))));
    fake.lock().exists = true;
    let answer = |status: u16| {
        fake.lock().answers.push_back(("/messages", status, Vec::new(), "{}".into()));
    };
    for status in [423, 500, 502, 503] {
        answer(status);
        assert!(matches!(walk().await, Err(ConnectorError::Platform(_))), "{status}");
    }
    let page = "<html>sign in to the network</html>".to_owned();
    fake.lock().answers.push_back(("/messages", 200, Vec::new(), page));
    assert!(matches!(walk().await, Err(ConnectorError::Platform(_))), "no JSON");
    let soon = vec![("retry-after", "9".to_owned())];
    fake.lock().answers.push_back(("/messages", 503, soon, "{}".into()));
    let told = walk().await.expect_err("a failure").sync_error();
    assert_eq!((told.code, told.details.retry_after), (ErrorCode::PlatformError, Some(9)));
    for status in [400, 412] {
        answer(status);
        assert!(matches!(walk().await, Err(ConnectorError::Request(_))), "{status}");
    }
    fake.lock().secret_is_good = false;
    for refused in [walk().await, account(&fake).identity().await.map(|_| ())] {
        assert!(
            matches!(&refused, Err(ConnectorError::Auth(why)) if why.contains("secret")),
            "{refused:?}"
        );
    }
}

#[tokio::test]
async fn limits_without_a_time_pause_longer_each_time() {
    let fake = Fake::start().await;
    talk(&fake, 3, 1);
    let noting = Arc::new(Noting::default());
    let access = platform::access_limited_by(&fake.url, credentials(), noting.clone());
    let app = teams::open(access).expect("an account");
    let limited = async |status: u16, headers: Vec<(&'static str, String)>| {
        fake.lock().answers.push_back(("/messages", status, headers, "{}".into()));
        mirror().walk(&*app).await
    };
    let rate =
        |seconds| Err(ConnectorError::RateLimit { retry_after: Duration::from_secs(seconds) });
    for seconds in [5, 10, 20, 30, 30] {
        assert_eq!(limited(429, Vec::new()).await, rate(seconds));
    }
    assert_eq!(limited(429, vec![("retry-after", "17".into())]).await, rate(17));
    let busy = limited(503, vec![("retry-after", "9".into())]).await;
    let pause = Duration::from_secs(9);
    assert!(matches!(busy, Err(ConnectorError::Busy { retry_after, .. }) if retry_after == pause));
    let pauses: Vec<u64> =
        noting.pauses.lock().expect("pauses").iter().map(|(_, pause)| pause.as_secs()).collect();
    assert_eq!(pauses, [5, 10, 20, 30, 30, 17]);
    mirror().walk(&*app).await.expect("a walk");
    assert_eq!(limited(429, Vec::new()).await, rate(5), "it begins anew");
}
