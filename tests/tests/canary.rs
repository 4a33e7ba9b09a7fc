//! Tokens that must not be found anywhere: planted, used, refused, replaced, and looked for.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
};

use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{Api, Chat, command_line};

const FIRST: &str = "canary1aaaaaaaaaaaaaaaaaaaa";
const SECOND: &str = "canary2bbbbbbbbbbbbbbbbbbbb";

/// A service in a process of its own, which logs all that it can.
struct Service {
    child: Child,
    folder: tempfile::TempDir,
    api: Api,
    health: u16,
}

impl Service {
    async fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let log = std::fs::File::create(folder.path().join("log")).unwrap();
        let health = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let child = command_line()
            .arg("serve")
            .env("DATABASE_URL", format!("sqlite:{}", folder.path().join("x.db").display()))
            .env("ATLAS_LISTEN", "127.0.0.1:0")
            .env("ATLAS_HEALTH_LISTEN", format!("127.0.0.1:{}", health.port()))
            .env("ATLAS_ALLOWED_HOSTS", "127.0.0.1")
            .env("ATLAS_LOG", "trace")
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let api = Api::new(String::new(), String::new());
        let notice = folder.path().join("server.json");
        let notice: Value = api
            .until(async || serde_json::from_str(&std::fs::read_to_string(&notice).ok()?).ok())
            .await;
        let key = std::fs::read_to_string(folder.path().join("api-key")).unwrap();
        let base = format!("http://{}", notice["address"].as_str().unwrap());
        let api = Api::new(base, key.trim().to_owned());
        Self { child, folder, api, health: health.port() }
    }

    /// Ends it in order; answers with the folder that it leaves.
    fn end(mut self) -> tempfile::TempDir {
        let id = self.child.id().to_string();
        Command::new("kill").args(["-TERM", &id]).status().unwrap();
        assert!(self.child.wait().unwrap().success());
        self.folder
    }
}

/// Where one of the tokens is.
fn found_in(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(found_in(&path));
            continue;
        }
        let bytes = std::fs::read(&path).unwrap();
        if bytes.windows(7).any(|bytes| bytes == b"canary1" || bytes == b"canary2") {
            found.push(path);
        }
    }
    found
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_is_in_no_log_row_metric_or_reply() {
    let chat = Chat::start(FIRST).await;
    let channel = chat.say("beacon", "We decided to use PostgreSQL for the ledger service.");
    let service = Service::start().await;
    let api = &service.api;
    let with = |token: &str| json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": token}});
    let mut replies = Vec::new();
    let added = api.post("/api/connections", &with(FIRST)).await;
    let path = format!("/api/connections/{}", added.body["id"].as_str().unwrap());
    replies.push(added);
    // Where people put tokens by mistake.
    for wrong in [
        json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {FIRST: "x"}}),
        json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": FIRST}),
        json!({"platform": "mattermost", "base_url": format!("https://{FIRST}@example.org"), "credentials": {"token": "x"}}),
        json!({"platform": "mattermost", "base_url": "http://127.0.0.1:1", "credentials": {"token": FIRST}}),
        with(SECOND),
    ] {
        let reply = api.post("/api/connections", &wrong).await;
        assert!(!reply.status.is_success(), "{}", reply.text);
        replies.push(reply);
    }
    let choice = json!({"channel_ids": [channel]});
    replies.push(api.put(&format!("{path}/channels"), &choice).await);
    assert_eq!(api.sync(&channel).await["progress"]["processed_messages"], 1);
    chat.take_only(&[SECOND]);
    let job = api.trigger(&channel, false).await;
    assert_eq!(api.finished(&channel, &job).await["error"]["code"], "AUTH_ERROR");
    replies.push(api.post(&format!("{path}/validate"), &json!({})).await);
    replies.push(api.put(&path, &json!({"credentials": {"token": SECOND}})).await);
    api.sync(&channel).await;
    for address in [
        "/api/connections".to_owned(),
        path.clone(),
        format!("{path}/channels"),
        format!("/api/sync/history?channel_id={channel}"),
        format!("/api/sync/status?channel_id={channel}&job_id={job}"),
        format!("/api/sync/why?job_id={job}"),
        "/api/sync/jobs".to_owned(),
        "/api/sync/failures".to_owned(),
        "/api/channels".to_owned(),
        format!("/api/channels/{channel}/messages"),
    ] {
        let reply = api.get(&address).await;
        assert!(reply.status.is_success(), "{address}: {}", reply.text);
        replies.push(reply);
    }
    let metrics = format!("http://127.0.0.1:{}/metrics", service.health);
    let metrics = api.send(reqwest::Client::new().request(Method::GET, metrics)).await;
    assert!(metrics.text.contains("atlas_tasks_total"));
    replies.push(metrics);
    for reply in replies {
        assert!(!reply.text.contains("canary"), "{}", reply.text);
        assert!(!format!("{:?}", reply.headers).contains("canary"));
    }
    let key = std::fs::read_to_string(service.folder.path().join("api-key")).unwrap();
    let folder = service.end();
    let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
    assert!(log.contains("TRACE") && log.contains("refused"), "it has logged");
    assert!(!log.contains(key.trim()), "our own key is a token as well");
    assert_eq!(found_in(folder.path()), Vec::<PathBuf>::new());
    std::fs::write(folder.path().join("planted"), format!("x{SECOND}")).unwrap();
    assert_eq!(found_in(folder.path()).len(), 1, "what is looked for would be found");
}
