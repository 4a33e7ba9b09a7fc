//! How fast a long history is read.

use domain::Platform;

use crate::{
    account,
    fake::{Fake, TEXT, TOKEN},
    platform::channel,
    race::{MESSAGES, client, looks_ahead, pages, race},
    talk,
};

/// A message, as far as somebody reads it who only wants the next page.
#[derive(serde::Deserialize)]
struct Shown {
    id: String,
}

/// Asks as the connector does, one page after the other.
async fn bare(http: &reqwest::Client, url: &str) {
    let url = format!("{url}/channels/{TEXT}/messages");
    let ask = |before: Option<&str>| {
        let mut query = vec![("limit", "100")];
        query.extend(before.map(|before| ("before", before)));
        let request = http.get(&url).query(&query).header("authorization", format!("Bot {TOKEN}"));
        request.header("user-agent", "DiscordBot (https://bare.invalid, 1)")
    };
    pages(ask(None), |body| {
        let shown: Vec<Shown> = serde_json::from_slice(body).expect("a page");
        Some(ask(Some(&shown.last()?.id)))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_nine_requests_more_than_a_bare_client_makes() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, MESSAGES);
    let (http, channel) = (client(), channel(Platform::Discord, &TEXT.to_string()));
    let bare = async || bare(&http, &fake.url).await;
    let requests = || fake.requests().len();
    race((&channel, MESSAGES), || account(&fake), bare, requests, 9).await;
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_one_is_worked_on() {
    let fake = Fake::start(TEXT).await;
    talk(&fake, TEXT, 400);
    let channel = channel(Platform::Discord, &TEXT.to_string());
    let is_page = |request: &&String| request.ends_with(&format!("{TEXT}/messages"));
    let pages = || fake.lock().log.iter().filter(is_page).count();
    looks_ahead(&channel, &*account(&fake), pages).await;
}
