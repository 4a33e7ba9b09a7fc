//! How fast a long history is read, beside a client that does nothing but page through it:
//!
//!     ATLAS_MEASURE_ROUNDS=5 cargo test -p connectors --test matrix rate -- --nocapture

use std::time::Instant;

use connectors::{contract::Mirror, matrix};
use domain::Platform;
use serde_json::json;

use crate::{
    fake::{Fake, ROOM, TOKEN},
    platform::{self, channel},
    synapse, talk,
};

const MESSAGES: usize = 20_000;

/// A page, as far as somebody reads it who only wants the next one.
#[derive(serde::Deserialize)]
struct Shown {
    end: Option<String>,
}

/// Asks as the connector does, one page after the other.
async fn bare(http: &reqwest::Client, url: &str, room: &str, token: &str) {
    let room = room.replace('!', "%21");
    let types = ["m.room.message", "m.reaction", "m.room.redaction"];
    let filter = json!({"types": types}).to_string();
    let mut from = String::new();
    loop {
        let url = format!("{url}/_matrix/client/v3/rooms/{room}/messages");
        let mut query = vec![("dir", "b"), ("limit", "1000"), ("filter", filter.as_str())];
        if !from.is_empty() {
            query.push(("from", &from));
        }
        let request = http.get(url).query(&query).bearer_auth(token);
        let reply = request.send().await.expect("an answer");
        let body = reply.bytes().await.expect("a page");
        let shown: Shown = serde_json::from_slice(&body).expect("a page");
        match shown.end {
            Some(end) => from = end,
            None => return,
        }
    }
}

fn rounds() -> usize {
    std::env::var("ATLAS_MEASURE_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(1)
}

/// Both in turn, a few times; tells the medians.
async fn compare(url: &str, room: &str, token: &str) -> Mirror {
    let opened =
        || matrix::open(platform::access(url, json!({"token": token}))).expect("an account");
    let _ = opened();
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (mut ratios, mut seconds) = (Vec::new(), Vec::new());
    let mut mirror = mirror_of(room);
    for _ in 0..rounds() {
        let begun = Instant::now();
        bare(&http, url, room, token).await;
        let theirs = begun.elapsed().as_secs_f64();
        mirror = mirror_of(room);
        let account = opened();
        let begun = Instant::now();
        mirror.walk(&*account).await.expect("a walk");
        let ours = begun.elapsed().as_secs_f64();
        ratios.push(theirs / ours);
        seconds.push(ours);
    }
    ratios.sort_by(f64::total_cmp);
    seconds.sort_by(f64::total_cmp);
    println!(
        "{} messages in {:.2} s, {:.0} % of a bare client's rate (medians of {})",
        mirror.live().len(),
        seconds[seconds.len() / 2],
        ratios[ratios.len() / 2] * 100.0,
        rounds()
    );
    mirror
}

fn mirror_of(room: &str) -> Mirror {
    Mirror::new(channel(Platform::Matrix, room))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_four_requests_more_than_a_bare_client_makes() {
    let fake = Fake::start().await;
    talk(&fake, MESSAGES);
    let mirror = compare(&fake.url, ROOM, TOKEN).await;
    assert_eq!(mirror.live().len(), MESSAGES);
    let asked = fake.requests();
    let pages = asked.iter().filter(|path| path.ends_with("/messages")).count();
    assert!(asked.len() - pages <= 4 * rounds(), "{} beside {pages} pages", asked.len());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_a_real_server_is_read_beside_a_bare_client() {
    let server = synapse::shared().await;
    let room = server.seeded_room();
    let mirror = compare(&server.url, room, server.token("helper")).await;
    assert_eq!(mirror.live().len(), server.seeded_rows().len());
}
