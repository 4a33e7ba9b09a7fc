//! Connections to a live platform, as people use them: connect, choose, synchronise, lose access, remove.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Api, Chat, Fleet, Rig, Workspace, channel_archive};

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
async fn refused_credentials_mark_the_connection_and_new_ones_bring_it_back() {
    let (chat, channel) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel]).await;
    chat.take_only(&["another"]);
    let job = rig.trigger(&channel, false).await;
    let status = rig.finished(&channel, &job).await;
    assert_eq!(
        (&status["status"], &status["error"]["code"]),
        (&json!("failed"), &json!("AUTH_ERROR"))
    );
    let told = connection(&rig, &id).await;
    assert_eq!((&told["status"], &told["error"]["code"]), (&json!("error"), &json!("AUTH_ERROR")));
    assert_eq!(rig.get(&format!("/api/channels/{channel}")).await.body["connected"], false);
    let path = format!("/api/connections/{id}");
    let validity = rig.post(&format!("{path}/validate"), &json!({})).await.body;
    assert_eq!(
        (&validity["valid"], &validity["error"]["code"]),
        (&json!(false), &json!("AUTH_ERROR"))
    );
    let wrong = rig.put(&path, &json!({"credentials": {"token": "wrong"}})).await;
    assert_eq!(wrong.body["error"]["details"]["field"], "credentials", "{}", wrong.text);
    assert_eq!(connection(&rig, &id).await["status"], "error");
    let right = rig.put(&path, &json!({"credentials": {"token": "another"}})).await;
    assert_eq!((right.status, &right.body["status"]), (StatusCode::OK, &json!("connected")));
    let validity = rig.post(&format!("{path}/validate"), &json!({})).await.body;
    assert_eq!(validity, json!({"valid": true}));
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 451);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_is_removed_in_the_middle_of_a_sync_ends_it() {
    let (chat, channel) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel]).await;
    rig.sync(&channel).await;
    chat.hold();
    let job = rig.trigger(&channel, true).await;
    rig.until(async || chat.is_waited_for().then_some(())).await;
    let path = format!("/api/connections/{id}");
    assert_eq!(rig.delete(&path).await.status, StatusCode::NO_CONTENT);
    let status = rig.finished(&channel, &job).await;
    assert_eq!(
        (&status["status"], &status["error"]["code"]),
        (&json!("failed"), &json!("AUTH_ERROR"))
    );
    assert!(status["error"]["message"].as_str().unwrap().contains("removed"), "{status}");
    assert_eq!(rig.get(&path).await.code(), "CONNECTION_NOT_FOUND");
    let told = rig.get(&format!("/api/channels/{channel}")).await.body;
    assert_eq!((&told["connected"], &told["message_count"]), (&json!(false), &json!(451)));
    chat.resume();
    let job = rig.trigger(&channel, false).await;
    let status = rig.finished(&channel, &job).await;
    assert_eq!(status["error"]["code"], "AUTH_ERROR", "{status}");
    assert_eq!(connected(&rig, &chat).await, id, "the workspace's own is taken up again");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn credentials_that_are_taken_away_end_the_sync_and_leave_the_connection() {
    let (chat, channel) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel]).await;
    chat.hold();
    let job = rig.trigger(&channel, false).await;
    rig.until(async || chat.is_waited_for().then_some(())).await;
    let path = format!("/api/connections/{id}");
    let reply = rig.put(&path, &json!({"credentials": null})).await;
    assert_eq!(reply.body["status"], "disconnected", "{}", reply.text);
    let status = rig.finished(&channel, &job).await;
    assert_eq!(status["error"]["code"], "AUTH_ERROR", "{status}");
    chat.resume();
    let reply = rig.put(&path, &json!({"credentials": {"token": TOKEN}})).await;
    assert_eq!(reply.body["status"], "connected", "{}", reply.text);
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 451);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_entered_is_checked_before_anybody_is_asked() {
    let chat = Chat::start(TOKEN).await;
    let rig = Rig::start().await;
    let cases = [
        (json!({"credentials": {"token": "t"}}), "platform"),
        (json!({"platform": "telegram", "credentials": {}}), "platform"),
        (json!({"platform": "irc", "credentials": {}}), "platform"),
        (json!({"platform": "mattermost", "credentials": {"token": "t"}}), "base_url"),
        (json!({"platform": "mattermost", "base_url": chat.base_url}), "credentials"),
        (
            json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {}}),
            "credentials.token",
        ),
        (
            json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": "t"}),
            "credentials",
        ),
        (
            json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": ""}}),
            "credentials.token",
        ),
        (
            json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": "t", "user": "u"}}),
            "credentials",
        ),
        (
            json!({"platform": "mattermost", "base_url": "http://10.0.0.1", "credentials": {"token": "t"}}),
            "base_url",
        ),
        (
            json!({"platform": "mattermost", "base_url": "https://[::ffff:7f00:2]", "credentials": {"token": "t"}}),
            "base_url",
        ),
        (
            json!({"platform": "mattermost", "base_url": "https://localhost:1", "credentials": {"token": "t"}}),
            "base_url",
        ),
        (
            json!({"platform": "discord", "base_url": "https://example.org", "credentials": {"token": "t"}}),
            "base_url",
        ),
        (
            json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": "t"}, "tokn": "t"}),
            "tokn",
        ),
        (
            json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": "wrong"}}),
            "credentials",
        ),
    ];
    for (body, field) in cases {
        let reply = rig.post("/api/connections", &body).await;
        assert_eq!(reply.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}: {}", reply.text);
        assert_eq!(reply.body["error"]["details"]["field"], field, "{body}: {}", reply.text);
    }
    assert_eq!(rig.get("/api/connections").await.body["connections"], json!([]));
    let gone = rig.post("/api/connections", &json!({"platform": "mattermost", "base_url": "http://127.0.0.1:1", "credentials": {"token": "t"}})).await;
    assert_eq!((gone.status, gone.code()), (StatusCode::SERVICE_UNAVAILABLE, "UNAVAILABLE"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_is_changed_only_as_is_safe() {
    let (chat, channel) = team().await;
    let (elsewhere, _) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    let again = rig.post("/api/connections", &entered(&elsewhere, TOKEN)).await;
    assert_eq!(again.code(), "CONNECTION_EXISTS", "the same server by another address");
    let path = format!("/api/connections/{id}");
    let moved = rig.put(&path, &json!({"base_url": elsewhere.base_url})).await;
    assert_eq!(
        moved.body["error"]["details"]["field"], "base_url",
        "its token is not for that host"
    );
    let other = rig.put(&path, &json!({"platform": "discord"})).await;
    assert_eq!(other.body["error"]["details"]["field"], "platform");
    let renamed = rig.put(&path, &json!({"name": "Chat"})).await;
    assert_eq!((&renamed.body["name"], renamed.text.contains(TOKEN)), (&json!("Chat"), false));
    let unknown = rig.put(&format!("{path}/channels"), &json!({"channel_ids": ["nothing"]})).await;
    assert_eq!(unknown.body["error"]["details"]["field"], "channel_ids", "{}", unknown.text);
    let all = rig.put(&format!("{path}/channels"), &json!({"sync_all": true})).await;
    assert_eq!(all.body["channels"].as_array().unwrap().len(), 2, "{}", all.text);
    chosen(&rig, &id, &[&channel]).await;
    let offered = rig.get(&format!("{path}/channels?limit=1")).await.body;
    assert_eq!(offered["channels"][0]["sync_enabled"], true);
    let cursor = offered["next_cursor"].as_str().unwrap();
    let rest = rig.get(&format!("{path}/channels?limit=1&cursor={cursor}")).await.body;
    assert_eq!(
        (&rest["channels"][0]["sync_enabled"], &rest["next_cursor"]),
        (&json!(false), &Value::Null)
    );
    assert_eq!(rig.delete("/api/connections/conn_x").await.code(), "CONNECTION_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_no_longer_chosen_says_so() {
    let (chat, channel) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel]).await;
    let job = rig.trigger(&channel, false).await;
    rig.finished(&channel, &job).await;
    chosen(&rig, &id, &[]).await;
    for (path, body) in
        [("/api/sync", json!({"channel_id": channel})), ("/api/sync/retry", json!({"job_id": job}))]
    {
        let refused = rig.post(path, &body).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "CHANNEL_NOT_FOUND"));
        let error = &refused.body["error"];
        assert_eq!(error["details"]["connection_id"], id.as_str());
        assert!(error["message"].as_str().unwrap().contains("choose it"), "{error}");
    }
    let told = rig.get(&format!("/api/channels/{channel}")).await.body;
    assert_eq!(told["message_count"], 451, "what was brought stays");
    chosen(&rig, &id, &[&channel]).await;
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_given_up_before_its_sync_begins_fails_it() {
    let (chat, channel) = team().await;
    let other = chat.say("other", "We decided to have lunch at noon.");
    let rig = Rig::start_with_slots(1).await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel, &other]).await;
    chat.hold();
    let holds = rig.trigger(&other, false).await;
    rig.until(async || chat.is_waited_for().then_some(())).await;
    let job = rig.trigger(&channel, false).await;
    chosen(&rig, &id, &[&other]).await;
    chat.resume();
    let status = rig.finished(&channel, &job).await;
    assert_eq!(status["error"]["code"], "CHANNEL_NOT_FOUND", "{status}");
    assert!(status["error"]["message"].as_str().unwrap().contains("no longer chosen"), "{status}");
    assert_eq!(rig.finished(&other, &holds).await["status"], "completed");
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

#[tokio::test(flavor = "multi_thread")]
async fn a_master_key_is_rotated_while_separate_processes_work() {
    let (old, new) = ("a".repeat(64), "b".repeat(64));
    let (chat, channel) = team().await;
    let fleet = Fleet::start(&[]).await;
    let api = &fleet.api;
    let id = connected(api, &chat).await;
    chosen(api, &id, &[&channel]).await;
    assert_eq!(api.sync(&channel).await["progress"]["total_messages"], 451);
    assert!(fleet.administer(&["keys", "rotate-master"]), "nothing is to do");
    fleet.give_master_keys(&new);
    let path = format!("/api/connections/{id}");
    let locked = api.post(&format!("{path}/validate"), &json!({})).await.body;
    assert_eq!(locked["valid"], true, "who has opened them goes on: {locked}");
    assert!(!fleet.administer(&["keys", "rotate-master"]), "the old key is missing");
    fleet.give_master_keys(&format!("{new} {old}"));
    assert!(fleet.administer(&["keys", "rotate-master"]));
    fleet.give_master_keys(&new);
    let valid = api.post(&format!("{path}/validate"), &json!({})).await.body;
    assert_eq!(valid, json!({"valid": true}));
    chat.take_only(&["another-token-of-the-bot"]);
    let entered = json!({"credentials": {"token": "another-token-of-the-bot"}});
    let renewed = api.put(&path, &entered).await;
    assert_eq!(renewed.body["status"], "connected", "{}", renewed.text);
    chat.say("beacon", "We decided to drop Kafka.");
    assert_eq!(api.sync(&channel).await["progress"]["total_messages"], 1);
    let logs = fleet.logs();
    assert!(!logs.contains(TOKEN) && !logs.contains("another-token"), "{logs}");
}
