//! How fast a long history is read.

use domain::Platform;

use crate::{
    account,
    fake::{CHANNEL, Fake, TOKEN},
    platform::channel,
    race::{MESSAGES, client, looks_ahead, pages, race},
};

/// A page, as far as somebody reads it who only wants the next one.
#[derive(serde::Deserialize)]
struct Shown {
    order: Vec<String>,
    prev_post_id: String,
}

/// Asks as the connector does, one page after the other.
async fn bare(http: &reqwest::Client, url: &str) {
    let url = format!("{url}/api/v4/channels/{CHANNEL}/posts");
    let ask = |before: Option<&str>| {
        let mut query = vec![("per_page", "200"), ("skipFetchThreads", "true")];
        query.extend(before.map(|before| ("before", before)));
        http.get(&url).query(&query).bearer_auth(TOKEN)
    };
    pages(ask(None), |body| {
        let shown: Shown = serde_json::from_slice(body).expect("a page");
        let last = shown.order.last().filter(|_| !shown.prev_post_id.is_empty());
        Some(ask(Some(last?)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_three_requests_more_than_a_bare_client_makes() {
    let fake = Fake::start().await;
    for number in 0..MESSAGES {
        let mut server = fake.lock();
        server.now += 60_000;
        server.say(number % 3, "", &format!("message {number}"));
    }
    let (http, channel) = (client(), channel(Platform::Mattermost, CHANNEL));
    let bare = async || bare(&http, &fake.url).await;
    let requests = || fake.requests().len();
    race((&channel, MESSAGES), || account(&fake), bare, requests, 3).await;
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_one_is_worked_on() {
    let fake = Fake::start().await;
    for number in 0..800 {
        let mut server = fake.lock();
        server.now += 60_000;
        server.say(number % 3, "", &format!("message {number}"));
    }
    let channel = channel(Platform::Mattermost, CHANNEL);
    let is_page = |request: &&String| request.ends_with("/posts");
    let pages = || fake.lock().log.iter().filter(is_page).count();
    looks_ahead(&channel, &*account(&fake), pages).await;
}
