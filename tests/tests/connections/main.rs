//! Connections to a live platform, as people use them: connect, choose, synchronise, lose access, remove.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

mod access;
mod choosing;
mod entering;

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Api, Chat, Rig, Workspace, channel_archive};

const TOKEN: &str = "canary7token7of7the7first7x";

fn entered(chat: &Chat, token: &str) -> Value {
    json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": token}})
}

async fn connected(rig: &Api, chat: &Chat) -> String {
    let reply = rig.post("/api/connections", &entered(chat, TOKEN)).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    reply.body["id"].as_str().unwrap().to_owned()
}

async fn chosen(rig: &Api, connection: &str, channels: &[&str]) {
    let path = format!("/api/connections/{connection}/channels");
    let reply = rig.put(&path, &json!({"channel_ids": channels})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
}

async fn connection(rig: &Rig, id: &str) -> Value {
    rig.get(&format!("/api/connections/{id}")).await.body
}

/// A team that has decided something.
async fn team() -> (Chat, String) {
    let chat = Chat::start(TOKEN).await;
    let channel = chat.say("beacon", "We decided to use PostgreSQL for the ledger service.");
    for n in 0..450 {
        chat.say("beacon", &format!("Deploy {n} went through."));
    }
    chat.say("random", "Lunch?");
    (chat, channel)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_chosen_channel_is_synchronised_into_a_wiki() {
    let (chat, channel) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    let told = connection(&rig, &id).await;
    assert_eq!((&told["name"], &told["status"]), (&json!("Beacon Chat"), &json!("connected")));
    let path = format!("/api/connections/{id}/channels");
    let offered = rig.get(&path).await.body;
    assert_eq!(offered["channels"][0]["name"], "beacon");
    assert_eq!(offered["channels"][0]["sync_enabled"], false);
    assert_eq!(
        rig.get("/api/channels").await.body["channels"],
        json!([]),
        "reading changes nothing"
    );
    let choice = json!({"channel_ids": [channel], "schedule": "0 3 * * *"});
    let reply = rig.put(&path, &choice).await;
    assert_eq!(reply.body["channels"][0]["id"], channel.as_str(), "{}", reply.text);
    let schedules = rig.get("/api/sync/schedules").await.body;
    assert_eq!(schedules["schedules"][0]["schedule"], "0 3 * * *");
    let status = rig.sync(&channel).await;
    assert_eq!(status["progress"]["processed_messages"], 451, "{status}");
    let wiki = rig.get(&format!("/api/wiki/structure?channel_id={channel}")).await.body;
    assert!(wiki["pages"].as_array().is_some_and(|pages| !pages.is_empty()), "{wiki}");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0, "nothing is new");
    chat.say("beacon", "We decided to drop Kafka.");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 1);
    let told = connection(&rig, &id).await;
    assert_eq!(told["channel_count"], 1);
    assert!(told["last_sync"].is_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_platform_that_asks_for_a_pause_holds_no_worker() {
    let (slow, slow_channel) = team().await;
    let quick = Chat::start_as("other", TOKEN).await;
    let quick_channel = quick.say("offtopic", "We decided to have lunch at noon.");
    let rig = Rig::start_with_slots(1).await;
    let id = connected(&rig, &slow).await;
    chosen(&rig, &id, &[&slow_channel]).await;
    slow.slow_down(Duration::from_secs(6));
    let job = rig.trigger(&slow_channel, false).await;
    let retrying = rig
        .until(async || {
            let status = rig.status(&slow_channel, &job).await;
            let retrying = status["stages"][0]["retrying"].clone();
            retrying.is_object().then_some(retrying)
        })
        .await;
    assert_eq!(retrying["code"], "RATE_LIMIT", "{retrying}");
    assert!(retrying["next_attempt_at"].is_string(), "{retrying}");
    let other = connected(&rig, &quick).await;
    chosen(&rig, &other, &[&quick_channel]).await;
    rig.sync(&quick_channel).await;
    let status = rig.status(&slow_channel, &job).await;
    assert_eq!(status["status"], "running", "the pause has not ended, and the only slot was free");
    let status = rig.finished(&slow_channel, &job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_eq!(status["progress"]["total_messages"], 451);
    assert_eq!(slow.refused(), 1, "nobody asks again before the pause has ended");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_and_a_live_sync_of_a_channel_are_one_set_of_messages() {
    const WEEKS: u64 = 14 * 24 * 60 * 60;
    let workspace = Workspace::start().await;
    let old = workspace.say(2 * WEEKS, "We decided to use PostgreSQL for the ledger service.");
    let late = workspace.say(60 * 60, "We decided to drop Kafka.");
    let archive = channel_archive(&[old, late.clone()]);
    let rig = Rig::start().await;
    let channel = rig.import(archive.clone()).await;
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 2);
    let told = rig.get("/api/connections").await.body["connections"][0].clone();
    let entered = json!({"platform": "slack", "base_url": workspace.base_url, "credentials": {"token": "xoxb-1"}});
    let connection = rig.post("/api/connections", &entered).await;
    assert_eq!(connection.body["id"], told["id"], "the workspace's own: {}", connection.text);
    chosen(&rig, told["id"].as_str().unwrap(), &[&channel]).await;
    rig.sync(&channel).await;
    let first = rig.get(&format!("/api/channels/{channel}/messages")).await.body;
    assert_eq!(first["messages"].as_array().unwrap().len(), 2, "{first}");
    assert!(first["messages"][0]["permalink"].is_string(), "exports have none: {first}");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0, "all is known");
    workspace.edit(&late, "We decided to keep Kafka.");
    workspace.say(2, "Ann owns the ledger service.");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 2);
    let again = rig.import(archive).await;
    assert_eq!(again, channel);
    assert_eq!(
        rig.sync(&channel).await["progress"]["total_messages"],
        0,
        "an older file is no news"
    );
    let messages = rig.get(&format!("/api/channels/{channel}/messages")).await.body;
    let messages = messages["messages"].as_array().unwrap();
    let mut texts: Vec<_> = messages.iter().map(|m| m["text"].as_str().unwrap()).collect();
    texts.sort_unstable();
    let stands = ["Ann owns the ledger service.", "We decided to keep Kafka."];
    assert_eq!(texts[..2], stands, "{texts:?}");
    assert_eq!(texts.len(), 3);
    assert!(messages.iter().all(|m| m["permalink"].is_string()), "{messages:?}");
}
