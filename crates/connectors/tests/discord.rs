//! Discord, against a server of our own that has its traps.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "discord/fake.rs"]
mod fake;
mod platform;

use std::{sync::Arc, time::Duration};

use connectors::{Account, ConnectorError, Known as _, contract::Mirror, discord};
use domain::Platform;
use fake::{FORUM, Fake, GUILD, TEXT, TOKEN};
use platform::{Changing as _, Dice, Noting, assert_same, channel, stays_equal, stored};
use serde_json::json;

const DAY: i64 = 24 * 60 * 60 * 1_000;

fn account(fake: &Fake) -> Arc<dyn Account> {
    discord::open(platform::access(&fake.url, json!({"token": TOKEN}))).expect("an account")
}

fn mirror(of: u64) -> Mirror {
    Mirror::new(channel(Platform::Discord, &of.to_string()))
}

async fn walked(fake: &Fake, account: &dyn Account, of: u64) -> Mirror {
    let mirror = mirror(of);
    // What was sent in the last seconds is not compared yet.
    fake.lock().now += 60_000;
    mirror.walk(account).await.expect("a walk");
    assert_same(&fake.rows(), &stored(&mirror));
    fake.requests();
    mirror
}

/// Says that many, one a minute.
fn talk(fake: &Fake, place: u64, count: usize) -> Vec<u64> {
    let mut guild = fake.lock();
    let say = |number: usize| {
        guild.now += 60_000;
        guild.say(place, number % 2, &format!("message {number}"))
    };
    (0..count).map(say).collect()
}

#[tokio::test]
async fn whatever_happens_meanwhile_our_rows_are_the_platforms_after_a_walk_through_everything() {
    for seed in 0..50 {
        let fake = Fake::start(if seed % 3 == 0 { FORUM } else { TEXT }).await;
        let mut dice = Dice::new(seed);
        for _ in 0..dice.below(350) {
            fake.change(&mut dice);
        }
        let channel = channel(Platform::Discord, &fake.changing.to_string());
        stays_equal(&*fake, &*account(&fake), channel, &mut dice).await;
    }
}

#[tokio::test]
async fn who_we_are_and_what_there_is_to_read() {
    let fake = Fake::start(TEXT).await;
    let bot = account(&fake);
    let identity = bot.identity().await.expect("an identity");
    assert_eq!(identity.workspace, GUILD.to_string());
    assert_eq!((identity.workspace_name.as_str(), identity.account.as_str()), ("Crew", "helper"));
    let channels = bot.channels().await.expect("channels");
    let names: Vec<_> = channels.iter().map(|channel| channel.name.as_str()).collect();
    assert_eq!(names, ["general", "help"], "voice has nothing to read");
    fake.lock().guilds = 2;
    let several = bot.identity().await;
    assert!(matches!(several, Err(ConnectorError::Auth(_))), "{several:?}");
    let guild = json!({"token": TOKEN, "guild": GUILD.to_string()});
    let chosen = discord::open(platform::access(&fake.url, guild)).expect("an account");
    assert_eq!(chosen.identity().await.expect("an identity").workspace, GUILD.to_string());
}

#[tokio::test]
async fn a_quiet_increment_costs_six_requests_whatever_the_history() {
    for count in [150, 1_500] {
        let fake = Fake::start(TEXT).await;
        let ids = talk(&fake, TEXT, count);
        for id in ids.iter().step_by(50) {
            let thread = fake.lock().thread_of(*id);
            talk(&fake, thread, 3);
            fake.lock().archive(thread);
        }
        let bot = account(&fake);
        fake.lock().now += 3 * DAY;
        let mirror = walked(&fake, &*bot, TEXT).await;
        for _ in 0..3 {
            fake.lock().now += DAY;
            mirror.walk(&*bot).await.expect("an increment");
            assert_eq!(fake.requests().len(), 6);
        }
    }
}

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
async fn edits_and_deletes_among_the_newest_are_found_at_once_and_others_in_turn() {
    let fake = Fake::start(TEXT).await;
    let ids = talk(&fake, TEXT, 450);
    let thread = fake.lock().thread_of(ids[0]);
    let replies = talk(&fake, thread, 150);
    let bot = account(&fake);
    fake.lock().now += 10 * DAY;
    let mirror = walked(&fake, &*bot, TEXT).await;
    fake.lock().now += DAY;
    fake.lock().edit(ids[440], "edited");
    fake.lock().delete(ids[430]);
    fake.lock().delete(replies[7]);
    mirror.walk(&*bot).await.expect("an increment");
    assert_same(&fake.rows(), &stored(&mirror));
    fake.lock().edit(ids[10], "edited long after");
    fake.lock().delete(ids[11]);
    fake.lock().edit(replies[5], "edited long after");
    for _ in 0..8 {
        fake.lock().now += DAY;
        mirror.walk(&*bot).await.expect("an increment");
    }
    assert_same(&fake.rows(), &stored(&mirror));
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

#[tokio::test]
async fn what_is_expected_is_counted_by_the_search() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, 7);
    let bot = account(&fake);
    let channel = channel(Platform::Discord, &TEXT.to_string());
    assert_eq!(bot.estimate(&channel, None).await, Ok(Some(7)));
    let not_yet = json!({"message": "Index not yet available", "code": 110_000, "retry_after": 2});
    fake.lock().answers.push_back(("search", 202, Vec::new(), not_yet.to_string()));
    assert_eq!(bot.estimate(&channel, None).await, Ok(None));
}
