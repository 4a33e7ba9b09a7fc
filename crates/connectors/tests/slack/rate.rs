//! How fast a long history with threads is read.

use domain::Platform;
use reqwest::RequestBuilder;
use serde_json::Value;

use crate::{
    account,
    fake::{CHANNEL, Fake, TOKEN},
    platform::{Changing as _, channel},
    race::{MESSAGES, client, looks_ahead, pages, race},
};

const THREADS: usize = 200;
const REPLIES: usize = 9;

#[derive(serde::Deserialize)]
struct Shown {
    messages: Vec<Parent>,
    response_metadata: Value,
}

#[derive(serde::Deserialize)]
struct Parent {
    ts: String,
    #[serde(default)]
    reply_count: u64,
}

/// Asks as the connector does, one page after the other, and looks for cursors and threads only.
async fn bare(http: &reqwest::Client, url: &str) {
    let ask = |method: &str, more: &[(&str, &str)]| -> RequestBuilder {
        let form = [&[("channel", CHANNEL), ("limit", "200")], more].concat();
        http.post(format!("{url}/{method}")).bearer_auth(TOKEN).form(&form)
    };
    let next = |page: &Shown| {
        let next = page.response_metadata["next_cursor"].as_str().unwrap_or_default();
        (!next.is_empty()).then(|| next.to_owned())
    };
    let roots = std::cell::RefCell::new(Vec::new());
    pages(ask("conversations.history", &[]), |body| {
        let page: Shown = serde_json::from_slice(body).expect("a page");
        let cursor = next(&page);
        let threads = page.messages.into_iter().filter(|message| message.reply_count > 0);
        roots.borrow_mut().extend(threads.map(|message| message.ts));
        Some(ask("conversations.history", &[("cursor", &cursor?)]))
    })
    .await;
    let roots = roots.into_inner();
    assert_eq!(roots.len(), THREADS);
    for root in &roots {
        pages(ask("conversations.replies", &[("ts", root)]), |body| {
            let cursor = next(&serde_json::from_slice(body).expect("a page"))?;
            Some(ask("conversations.replies", &[("ts", root), ("cursor", &cursor)]))
        })
        .await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_three_requests_more_than_a_bare_client_makes() {
    let fake = Fake::start().await;
    let said = fake.talk(MESSAGES - THREADS * REPLIES);
    for root in said.iter().step_by(said.len() / THREADS).take(THREADS) {
        for number in 0..REPLIES {
            fake.lock().say(Some(*root), number % 3, "a reply");
        }
    }
    fake.calm();
    let (http, channel) = (client(), channel(Platform::Slack, CHANNEL));
    let bare = async || bare(&http, &fake.url).await;
    let requests = || fake.requests().len();
    race((&channel, MESSAGES), || account(&fake), bare, requests, 3).await;
}

#[tokio::test]
async fn the_next_page_is_asked_for_while_one_is_worked_on() {
    let fake = Fake::start().await;
    fake.talk(800);
    fake.calm();
    let channel = channel(Platform::Slack, CHANNEL);
    let is_page = |(method, _): &&(String, _)| method == "conversations.history";
    let pages = || fake.lock().log.iter().filter(is_page).count();
    looks_ahead(&channel, &*account(&fake), pages).await;
}
