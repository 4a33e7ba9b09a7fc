//! How access ends and comes back: refused, removed, taken away, under another master key.

use reqwest::StatusCode;
use serde_json::json;
use system_tests::{Fleet, Rig};

use crate::{TOKEN, chosen, connected, connection, team};

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
