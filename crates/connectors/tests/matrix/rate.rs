//! How fast a long history is read, of a server of our own and of a real one.

use std::sync::Arc;

use connectors::{Account, matrix};
use domain::Platform;
use serde_json::json;

use crate::{
    fake::{Fake, ROOM, TOKEN},
    platform::{self, channel},
    race::{MESSAGES, client, looks_ahead, pages, race},
    synapse, talk,
};

/// A page, as far as somebody reads it who only wants the next one.
#[derive(serde::Deserialize)]
struct Shown {
    end: Option<String>,
}

/// Asks as the connector does, one page after the other.
async fn bare(http: &reqwest::Client, url: &str, room: &str, token: &str) {
    let types = ["m.room.message", "m.reaction", "m.room.redaction"];
    let filter = json!({"types": types}).to_string();
    let url = format!("{url}/_matrix/client/v3/rooms/{}/messages", room.replace('!', "%21"));
    let ask = |from: Option<&str>| {
        let mut query = vec![("dir", "b"), ("limit", "1000"), ("filter", filter.as_str())];
        query.extend(from.map(|from| ("from", from)));
        http.get(&url).query(&query).bearer_auth(token)
    };
    pages(ask(None), |body| {
        let shown: Shown = serde_json::from_slice(body).expect("a page");
        Some(ask(Some(&shown.end?)))
    })
    .await;
}

fn opened(url: &str, token: &str) -> Arc<dyn Account> {
    matrix::open(platform::access(url, json!({"token": token}))).expect("an account")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_four_requests_more_than_a_bare_client_makes() {
    let fake = Fake::start().await;
    talk(&fake, MESSAGES);
    let (http, channel) = (client(), channel(Platform::Matrix, ROOM));
    let bare = async || bare(&http, &fake.url, ROOM, TOKEN).await;
    let requests = || fake.requests().len();
    race((&channel, MESSAGES), || opened(&fake.url, TOKEN), bare, requests, 4).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_history_of_a_real_server_is_read_beside_a_bare_client() {
    let server = synapse::shared().await;
    let (room, token) = (server.seeded_room(), server.token("helper"));
    let (http, channel) = (client(), channel(Platform::Matrix, room));
    let bare = async || bare(&http, &server.url, room, token).await;
    let messages = server.seeded_rows().len();
    race((&channel, messages), || opened(&server.url, token), bare, || 0, 0).await;
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_one_is_worked_on() {
    let fake = Fake::start().await;
    fake.lock().page = 10;
    talk(&fake, 40);
    let channel = channel(Platform::Matrix, ROOM);
    let is_page = |request: &&String| request.ends_with("/messages");
    let pages = || fake.lock().log.iter().filter(is_page).count();
    looks_ahead(&channel, &*opened(&fake.url, TOKEN), pages).await;
}
