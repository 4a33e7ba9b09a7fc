//! How fast a long history with replies is read.

use domain::Platform;

use crate::{
    account, external_id,
    fake::{CHANNEL, EXPANDED, Fake, SECRET, TEAM, TENANT},
    platform::channel,
    race::{MESSAGES, client, looks_ahead, pages, race},
    talk,
};

#[derive(serde::Deserialize)]
struct SignedIn {
    access_token: String,
}

/// A page, as far as somebody reads it who only wants the next one.
#[derive(serde::Deserialize)]
struct Shown {
    #[serde(rename = "@odata.nextLink")]
    next: Option<String>,
}

/// Signs in and asks as the connector does, one page after the other.
async fn bare(http: &reqwest::Client, url: &str) {
    let form = [("client_id", "app"), ("client_secret", SECRET), ("scope", "graph/.default")];
    let request = http.post(format!("{url}/{TENANT}/oauth2/v2.0/token")).form(&form);
    let reply = request.send().await.expect("an answer").bytes().await.expect("a token");
    let token: SignedIn = serde_json::from_slice(&reply).expect("a token");
    let ask = |url: &str| {
        let request = http.get(url).bearer_auth(&token.access_token);
        request.header("prefer", "include-unknown-enum-members")
    };
    let messages = format!("{url}/v1.0/teams/{TEAM}/channels/{CHANNEL}/messages");
    pages(ask(&format!("{messages}?$top=50&$expand=replies")), |body| {
        let shown: Shown = serde_json::from_slice(body).expect("a page");
        Some(ask(&shown.next?))
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_three_requests_more_than_a_bare_client_makes() {
    let fake = Fake::start().await;
    talk(&fake, MESSAGES / (1 + EXPANDED), EXPANDED);
    talk(&fake, MESSAGES % (1 + EXPANDED), 0);
    let (http, channel) = (client(), channel(Platform::Teams, &external_id()));
    let bare = async || bare(&http, &fake.url).await;
    let requests = || fake.requests().len();
    race((&channel, MESSAGES), || account(&fake), bare, requests, 3).await;
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_one_is_worked_on() {
    let fake = Fake::start().await;
    talk(&fake, 200, 0);
    let channel = channel(Platform::Teams, &external_id());
    let is_page = |request: &&String| request.contains("/messages");
    let pages = || fake.lock().log.iter().filter(is_page).count();
    looks_ahead(&channel, &*account(&fake), pages).await;
}
