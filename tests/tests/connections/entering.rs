//! What is entered of a connection, and what may be changed of it.

use reqwest::StatusCode;
use serde_json::{Value, json};
use system_tests::{Chat, Rig};

use crate::{TOKEN, chosen, connected, entered, team};

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
