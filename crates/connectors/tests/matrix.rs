//! Matrix, against a homeserver of our own that has its traps, and against Synapse.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "matrix/content.rs"]
mod content;
#[path = "matrix/edits.rs"]
mod edits;
#[path = "matrix/fake.rs"]
mod fake;
#[path = "matrix/increments.rs"]
mod increments;
#[path = "matrix/pages.rs"]
mod pages;
mod platform;
#[path = "platform/race.rs"]
mod race;
#[path = "matrix/rate.rs"]
mod rate;
#[path = "matrix/refusals.rs"]
mod refusals;
#[path = "platform/server.rs"]
mod server;
#[path = "matrix/synapse.rs"]
mod synapse;

use std::sync::Arc;

use connectors::{Account, contract::Mirror, matrix};
use domain::Platform;
use fake::{Fake, ROOM, TOKEN};
use platform::{Changing as _, Dice, assert_same, channel, stays_equal, stored};
use serde_json::json;

fn account(fake: &Fake) -> Arc<dyn Account> {
    matrix::open(platform::access(&fake.url, json!({"token": TOKEN}))).expect("an account")
}

fn mirror() -> Mirror {
    Mirror::new(channel(Platform::Matrix, ROOM))
}

async fn walked(fake: &Fake, account: &dyn Account) -> Mirror {
    let mirror = mirror();
    mirror.walk(account).await.expect("a walk");
    assert_same(&fake.rows(), &stored(&mirror));
    fake.requests();
    mirror
}

/// Walks on, and finds what is there.
async fn walks_on(fake: &Fake, account: &dyn Account, mirror: &Mirror) {
    mirror.walk(account).await.expect("an increment");
    assert_same(&fake.rows(), &stored(mirror));
}

fn talk(fake: &Fake, messages: usize) -> Vec<String> {
    let mut server = fake.lock();
    let say = |number: usize| {
        server.now += 60_000;
        server.say(number % 3, &format!("message {number}"))
    };
    (0..messages).map(say).collect()
}

#[tokio::test]
async fn whatever_happens_meanwhile_our_rows_are_the_platforms_in_the_end() {
    for seed in 0..50 {
        let fake = Fake::start().await;
        let mut dice = Dice::new(seed);
        {
            let mut server = fake.lock();
            server.bundles = seed % 4 != 3;
            server.shuffles = seed % 2 == 1;
            server.page = [1_000, 7, 50][dice.below(3)];
            server.news = [100, 3][dice.below(2)];
        }
        for _ in 0..dice.below(400) {
            platform::Changing::change(&*fake, &mut dice);
        }
        let channel = channel(Platform::Matrix, ROOM);
        stays_equal(&*fake, &*account(&fake), channel, &mut dice).await;
    }
}

#[tokio::test]
async fn who_we_are_and_which_rooms_there_are_to_read() {
    let fake = Fake::start().await;
    let account = account(&fake);
    let identity = account.identity().await.expect("an identity");
    assert_eq!(identity.workspace, "matrix", "ids are the same on all servers");
    assert_eq!(
        (identity.workspace_name.as_str(), identity.account.as_str()),
        ("here.org", "@helper:here.org")
    );
    let rooms = account.channels().await.expect("rooms");
    let named: Vec<_> = rooms.iter().map(|room| (room.name.as_str(), room.is_private)).collect();
    assert_eq!(named, [("General", false), ("ann, bob", true)], "no conversations, no spaces");
    assert_eq!((rooms[0].topic.as_str(), rooms[0].member_count), ("What we do", Some(3)));
    assert!(rooms[1].topic.contains("encrypted"), "{}", rooms[1].topic);
}
