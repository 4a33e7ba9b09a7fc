//! Discord, against a server of our own that has its traps.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "discord/fake.rs"]
mod fake;
mod platform;
#[path = "platform/race.rs"]
mod race;
#[path = "discord/rate.rs"]
mod rate;
#[path = "discord/refusals.rs"]
mod refusals;
#[path = "platform/server.rs"]
mod server;
#[path = "discord/threads.rs"]
mod threads;

use std::sync::Arc;

use connectors::{Account, ConnectorError, contract::Mirror, discord};
use domain::Platform;
use fake::{FORUM, Fake, GUILD, TEXT, TOKEN};
use platform::{Changing as _, Dice, assert_same, channel, stays_equal, stored};
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
async fn a_walk_takes_no_page_that_another_one_has_asked_for() {
    let fake = Fake::start(TEXT).await;
    let ids = talk(&fake, TEXT, 350);
    let (bot, mirror) = (account(&fake), mirror(TEXT));
    assert!(!mirror.step(&*bot).await.expect("the first page"));
    let is_page = |request: &&String| request.ends_with("/messages");
    while fake.lock().log.iter().filter(is_page).count() < 2 {
        tokio::task::yield_now().await;
    }
    fake.lock().now += 60_000;
    fake.lock().edit(ids[200], "edited");
    fake.lock().now += 60_000;
    mirror.begin_again();
    mirror.walk(&*bot).await.expect("another walk");
    assert_same(&fake.rows(), &stored(&mirror));
}

#[tokio::test]
async fn what_is_expected_is_counted_by_the_search() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, 7);
    let bot = account(&fake);
    let channel = channel(Platform::Discord, &TEXT.to_string());
    assert_eq!(bot.estimate(&channel, None).await, Ok(Some(7)));
    let so_far = json!({"total_results": 3, "messages": [], "doing_deep_historical_index": true});
    fake.lock().answers.push_back(("search", 200, Vec::new(), so_far.to_string()));
    assert_eq!(bot.estimate(&channel, None).await, Ok(Some(3)), "at least as many");
    let not_yet = json!({"message": "Index not yet available", "code": 110_000, "retry_after": 2});
    fake.lock().answers.push_back(("search", 202, Vec::new(), not_yet.to_string()));
    assert_eq!(bot.estimate(&channel, None).await, Ok(None));
}
