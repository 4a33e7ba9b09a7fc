//! The dashboard and the alert rules, held against what running processes tell: every query finds series.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{collections::BTreeSet, path::Path, time::Duration};

use domain::Stage;
use serde_json::{Value, json};
use system_tests::{Chat, Fleet, Scraped, sample_archive};

/// The token of the chat server.
const TOKEN: &str = "abcdefghijklmnopqrstuvwxyz";

/// Connects the fleet to a chat server; answers with the connection and a channel of it.
async fn connected(fleet: &Fleet, chat: &Chat) -> (String, String) {
    let channel = chat.say("beacon", "We decided to use PostgreSQL for the ledger service.");
    let entered = json!({"platform": "mattermost", "base_url": chat.base_url, "credentials": {"token": TOKEN}});
    let reply = fleet.api.post("/api/connections", &entered).await;
    assert_eq!(reply.status, 201, "{}", reply.text);
    let id = reply.body["id"].as_str().unwrap().to_owned();
    let path = format!("/api/connections/{id}/channels");
    let reply = fleet.api.put(&path, &json!({"channel_ids": [channel]})).await;
    assert_eq!(reply.status, 200, "{}", reply.text);
    (id, channel)
}

/// A chat server that asks for a pause: who calls meanwhile waits for its end.
async fn be_slowed_down(fleet: &Fleet) {
    let chat = Chat::start(TOKEN).await;
    let (id, channel) = connected(fleet, &chat).await;
    assert_eq!(fleet.api.sync(&channel).await["progress"]["processed_messages"], 1);
    chat.slow_down(Duration::from_millis(1_500));
    let validate = format!("/api/connections/{id}/validate");
    let waited = async || {
        fleet.api.post(&validate, &json!({})).await;
        let told = fleet.measured("atlas-gateway").await;
        told.tells("atlas_connector_wait_seconds_count", &[]).then_some(told)
    };
    let told = fleet.api.until(waited).await;
    assert!(told.sum("atlas_connector_wait_seconds_sum", &[]) > 0.1);
    let all = fleet.all_measured().await;
    let calls = |outcome| {
        let labels = [("platform", "mattermost"), ("outcome", outcome)];
        all.sum("atlas_connector_call_seconds_count", &labels)
    };
    let refused = u32::try_from(chat.refused()).unwrap();
    assert!(calls("RATE_LIMIT").total_cmp(&f64::from(refused)).is_eq(), "{refused}");
    assert!(calls("ok") > 2.0);
}

/// A job that no worker begins, and whose call the broker does not keep.
async fn lose_a_call(fleet: &mut Fleet, channel: &str) {
    fleet.take("atlas-fetch-worker").kill();
    // It would make the queue again.
    let scheduler =
        fleet.members.iter().find(|member| member.program == "atlas-scheduler").unwrap();
    scheduler.signal("STOP");
    fleet.delete_queue(Stage::FetchingMessages).await;
    let job = fleet.api.trigger(channel, true).await;
    let lost = async || {
        let told = fleet.measured("atlas-gateway").await;
        (told.sum("atlas_publish_unconfirmed_total", &[]) > 0.0).then_some(told)
    };
    let told = fleet.api.until(lost).await;
    assert!(told.sum("atlas_publish_unconfirmed_total", &[]).total_cmp(&1.0).is_eq());
    scheduler.signal("CONT");
    let counted = async || {
        let told = fleet.measured("atlas-scheduler").await;
        let queued = told.sum("atlas_jobs", &[("status", "queued")]);
        let ready = [("stage", "fetching_messages"), ("status", "ready")];
        (queued.total_cmp(&1.0).is_eq() && told.sum("atlas_tasks", &ready).total_cmp(&1.0).is_eq())
            .then_some(told)
    };
    let told = fleet.api.until(counted).await;
    assert!(told.sum("atlas_oldest_queued_job_seconds", &[]) > 0.0);
    fleet.add("atlas-fetch-worker");
    assert_eq!(fleet.api.finished(channel, &job).await["status"], "completed");
    let told = fleet.measured("atlas-scheduler").await;
    assert!(told.sum("atlas_repairs_total", &[("kind", "called_again")]) > 0.0);
    assert!(told.sum("atlas_repairs_total", &[("kind", "expired_lease")]) < 1.0);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_query_of_dashboard_and_alerts_finds_what_running_processes_tell() {
    let mut fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    fleet.api.sync(&channel).await;
    be_slowed_down(&fleet).await;
    lose_a_call(&mut fleet, &channel).await;
    let told = fleet.all_measured().await;
    for query in queries() {
        check(&query, &told);
    }
}

/// Those of the dashboard and those of the alerts.
fn queries() -> Vec<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../deploy/grafana");
    let dashboard = std::fs::read_to_string(root.join("dashboard.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&dashboard).unwrap();
    let targets = dashboard["panels"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|panel| panel["targets"].as_array().unwrap());
    let alerts = std::fs::read_to_string(root.join("alerts.yaml")).unwrap();
    let alerts: Vec<Value> = serde_saphyr::from_multiple(&alerts).unwrap();
    let rules = alerts[0]["groups"][0]["rules"].as_array().unwrap().iter();
    targets.chain(rules).map(|query| query["expr"].as_str().unwrap().to_owned()).collect()
}

/// There has to be a series for every selector of a query, with each value that is asked for and with the
/// labels that the query groups by.
fn check(query: &str, told: &Scraped) {
    let words = |text: &str| -> Vec<String> {
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        words.filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let groups = query.split("by (").skip(1).chain(query.split("on (").skip(1));
    let grouped: BTreeSet<String> = groups
        .filter_map(|rest| rest.split_once(')'))
        .flat_map(|(labels, _)| words(labels))
        .collect();
    let mut rest = query;
    while let Some(at) = rest.find("atlas_") {
        rest = &rest[at..];
        let name = &rest
            [..rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len())];
        rest = &rest[name.len()..];
        let is_bucket = name.ends_with("_bucket");
        let mut wanted: Vec<(String, Option<String>)> = grouped
            .iter()
            .filter(|label| *label != "le" || is_bucket)
            .map(|label| (label.clone(), None))
            .collect();
        if let Some((matchers, after)) =
            rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
        {
            rest = after;
            for matcher in matchers.split(',') {
                let (label, values) = matcher.split_once(['=', '!']).unwrap();
                let excluded = matcher[label.len()..].starts_with('!');
                let values = words(values).into_iter().map(|value| (!excluded).then_some(value));
                wanted.extend(values.map(|value| (label.to_owned(), value)));
            }
        }
        for (label, value) in &wanted {
            let found = told.tells(name, &[(label, value.as_deref())]);
            assert!(found, "{query}: no {name} with {label} {value:?}");
        }
        assert!(told.tells(name, &[]), "{query}: no {name}");
    }
}
