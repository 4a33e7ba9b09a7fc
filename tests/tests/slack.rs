//! Slack as people use it: connect a workspace, choose a channel, synchronise; over the API, from a workspace of
//! our own that changes, limits and refuses.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

#[path = "../../crates/connectors/tests/slack/fake.rs"]
#[expect(dead_code, reason = "the connector's own tests use all of it")]
mod fake;
#[path = "../../crates/connectors/tests/platform/mod.rs"]
#[expect(dead_code, reason = "the connector's own tests use all of it")]
mod platform;
#[path = "../../crates/connectors/tests/platform/server.rs"]
mod server;

use std::collections::BTreeMap;

use fake::{DAY, Fake, TOKEN};
use platform::Changing as _;
use reqwest::StatusCode;
use serde_json::json;
use sqlx::{Connection as _, Row as _, SqliteConnection};
use system_tests::Rig;

async fn connect(rig: &Rig, fake: &Fake) -> String {
    let entered =
        json!({"platform": "slack", "base_url": fake.url, "credentials": {"token": TOKEN}});
    let reply = rig.post("/api/connections", &entered).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    reply.body["id"].as_str().unwrap().to_owned()
}

async fn choose(rig: &Rig, connection: &str) -> String {
    let path = format!("/api/connections/{connection}/channels");
    let offered = rig.get(&path).await.body;
    let general = offered["channels"].as_array().unwrap().iter().find(|c| c["name"] == "general");
    let channel = general.unwrap()["id"].as_str().unwrap().to_owned();
    let reply = rig.put(&path, &json!({"channel_ids": [channel]})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    channel
}

/// Texts of messages that are there, by id.
async fn stored(rig: &Rig) -> BTreeMap<String, String> {
    let url = format!("sqlite:{}?mode=ro", rig.database().display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let sql = "SELECT message_id, text FROM messages WHERE deleted_at IS NULL";
    let rows = sqlx::query(sql).fetch_all(&mut connection).await.unwrap();
    rows.iter().map(|row| (row.get("message_id"), row.get("text"))).collect()
}

fn there(fake: &Fake) -> BTreeMap<String, String> {
    fake.rows().into_iter().map(|(id, row)| (id, row.text)).collect()
}

/// A team that has decided something, and talked about it.
async fn team() -> (std::sync::Arc<Fake>, Vec<i64>) {
    let fake = Fake::start().await;
    let said = fake.talk(450);
    let decision = fake.lock().say(None, 0, "Decision: we use PostgreSQL for the ledger service.");
    for text in ["Agreed.", "I will set it up by Friday."] {
        fake.lock().say(Some(decision), 1, text);
    }
    fake.calm();
    (fake, said)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_of_slack_becomes_a_wiki_and_stays_what_slack_shows() {
    let (fake, said) = team().await;
    let rig = Rig::start().await;
    let connection = connect(&rig, &fake).await;
    let told = rig.get(&format!("/api/connections/{connection}")).await.body;
    assert_eq!((&told["name"], &told["status"]), (&json!("Crew"), &json!("connected")));
    let channel = choose(&rig, &connection).await;
    let status = rig.sync(&channel).await;
    assert_eq!(status["progress"]["processed_messages"], 453, "{status}");
    assert_eq!(stored(&rig).await, there(&fake));
    let wiki = rig.get(&format!("/api/wiki/structure?channel_id={channel}")).await.body;
    assert!(wiki["pages"].as_array().is_some_and(|pages| !pages.is_empty()), "{wiki}");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0, "nothing is new");
    // All that happens afterwards to what was there.
    fake.lock().now += DAY;
    fake.lock().say(Some(said[3]), 1, "a late reply");
    fake.lock().edit(said[4], "said better");
    fake.lock().delete(said[5]);
    fake.calm();
    rig.sync(&channel).await;
    assert_eq!(stored(&rig).await, there(&fake));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_and_a_sync_of_one_channel_are_one_set_of_messages() {
    let (fake, _) = team().await;
    let rig = Rig::start().await;
    let imported = rig.import(fake.export()).await;
    rig.sync(&imported).await;
    let before = stored(&rig).await;
    assert_eq!(before, there(&fake));
    let connection = connect(&rig, &fake).await;
    assert_eq!(choose(&rig, &connection).await, imported, "the same channel");
    rig.sync(&imported).await;
    assert_eq!(stored(&rig).await, before);
    fake.lock().say(None, 0, "new since the import");
    fake.calm();
    assert_eq!(rig.sync(&imported).await["progress"]["total_messages"], 1);
    assert_eq!(stored(&rig).await, there(&fake));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_slack_refuses_is_told_with_what_to_do() {
    let (fake, _) = team().await;
    let rig = Rig::start().await;
    let entered =
        json!({"platform": "slack", "base_url": fake.url, "credentials": {"token": TOKEN}});
    fake.lock().token_is_good = false;
    let refused = rig.post("/api/connections", &entered).await;
    assert_eq!(refused.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", refused.text);
    assert!(refused.text.contains("install the app again"), "{}", refused.text);
    fake.lock().token_is_good = true;
    fake.lock().scopes = Some("channels:read,users:read");
    let lacking = rig.post("/api/connections", &entered).await;
    assert!(lacking.text.contains("the bot lacks the scope channels:history"), "{}", lacking.text);
    fake.lock().scopes = None;
    let connection = connect(&rig, &fake).await;
    let channel = choose(&rig, &connection).await;
    fake.lock().token_is_good = false;
    let job = rig.trigger(&channel, false).await;
    let failed = rig.finished(&channel, &job).await;
    assert_eq!(failed["error"]["code"], "AUTH_ERROR", "{failed}");
    let told = rig.get(&format!("/api/connections/{connection}")).await.body;
    assert_ne!(told["status"], "connected", "{told}");
    assert!(!format!("{told}{failed}").contains("canary"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_app_that_may_ask_once_a_minute_is_told_how_long_it_takes() {
    let (fake, _) = team().await;
    fake.lock().most = 15;
    fake.lock().by_the_minute = Some(BTreeMap::new());
    let rig = Rig::start().await;
    let connection = connect(&rig, &fake).await;
    let channel = choose(&rig, &connection).await;
    let job = rig.trigger(&channel, false).await;
    let why = format!("/api/sync/why?job_id={job}");
    let told = rig
        .until(async || {
            let told = rig.get(&why).await.body;
            let events = told["events"].as_array()?;
            events.iter().find(|event| event["kind"] == "waited").cloned()
        })
        .await;
    let message = told["message"].as_str().unwrap_or_default();
    assert!(message.contains("one page of 15 messages a minute"), "{told}");
    assert!(message.contains("takes about"), "{told}");
    assert_eq!(rig.status(&channel, &job).await["stages"][0]["retrying"]["code"], "RATE_LIMIT");
    // What has come so far is there, and is not asked for again.
    assert_eq!(stored(&rig).await.len(), 15);
}
