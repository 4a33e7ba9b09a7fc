//! From messages to pages, whole and in parts.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::sync::Arc;

use atlas_sync::server::Doubles;
use connectors::replay::Replay;
use serde_json::json;
use system_tests::{
    Place, Rig, channel_archive, difference, message, real_export, reply, sample_archive, scenarios,
};

scenarios!(
    a_second_sync_touches_nothing,
    a_forced_sync_walks_everything_and_changes_nothing,
    two_fresh_services_make_the_same_of_the_same_export,
    a_channel_that_came_in_parts_is_what_it_is_whole,
    page_size_and_order_of_arrival_do_not_show,
    a_late_reply_joins_its_thread_and_an_edit_replaces_its_fact,
    a_deleted_message_takes_its_facts_with_it,
    every_citation_resolves,
    a_real_channel_comes_through_whole,
);

fn replaying(page_size: usize) -> (Arc<Replay>, Doubles) {
    let replay = Arc::new(Replay::new(page_size));
    (replay.clone(), Doubles { connector: Some(replay), ..Doubles::default() })
}

async fn a_second_sync_touches_nothing(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    let first = rig.sync(&channel).await;
    assert_eq!(first["progress"]["processed_messages"], 339);
    assert!(first["counts"]["facts"].as_u64().unwrap() > 40);
    let before = rig.dump(true).await;
    let second = rig.sync(&channel).await;
    assert_eq!(second["progress"]["total_messages"], 0);
    assert_eq!(
        second["counts"],
        json!({"facts": 0, "entities": 0, "relationships": 0, "pages": 0})
    );
    assert_eq!(difference(&rig.dump(true).await, &before), "");
}

async fn a_forced_sync_walks_everything_and_changes_nothing(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    let before = rig.dump(true).await;
    let job = rig.trigger(&channel, true).await;
    let forced = rig.finished(&channel, &job).await;
    assert_eq!(forced["progress"]["processed_messages"], 339);
    assert_eq!(difference(&rig.dump(true).await, &before), "");
}

async fn two_fresh_services_make_the_same_of_the_same_export(place: Place) {
    let (one, other) = (Rig::at(place).await, Rig::at(place).await);
    for rig in [&one, &other] {
        let channel = rig.import(sample_archive(|_| true)).await;
        rig.sync(&channel).await;
    }
    assert_eq!(difference(&one.dump(false).await, &other.dump(false).await), "");
}

async fn a_channel_that_came_in_parts_is_what_it_is_whole(place: Place) {
    let (whole, parts) = (Rig::at(place).await, Rig::at(place).await);
    let channel = whole.import(sample_archive(|_| true)).await;
    whole.sync(&channel).await;
    for until in ["2026-03-06", "2026-03-18", "2026-04-01", "2026-12-31"] {
        let archive = sample_archive(|name| {
            name.rsplit('/').next() <= Some(format!("{until}.json").as_str())
        });
        parts.import(archive).await;
        parts.sync(&channel).await;
    }
    let without_versions = |dump: String| dump.split("== wiki_pages").next().unwrap().to_owned();
    let (whole_dump, parts_dump) = (whole.dump(false).await, parts.dump(false).await);
    assert_eq!(difference(&without_versions(parts_dump), &without_versions(whole_dump)), "");
    // Pages have had other versions, but say the same now.
    for slug in
        ["overview", "decisions", "action-items", "questions", "people", "timeline", "glossary"]
    {
        let path = format!("/api/wiki/pages/{slug}?channel_id={channel}");
        let (a, b) = (whole.get(&path).await.body, parts.get(&path).await.body);
        assert_eq!(a["content"], b["content"], "{slug}");
    }
}

async fn page_size_and_order_of_arrival_do_not_show(place: Place) {
    let mut said: Vec<_> = (0..120)
        .map(|n| match n % 5 {
            0 => message(n, "Decision: we replace Redis with Kafka for the queue of jobs."),
            4 => reply(n, n - 4, "agreed, sounds good"),
            _ => message(n, "just talking about the weather and the lunch of today"),
        })
        .collect();
    let mut dumps = Vec::new();
    for page_size in [7, 1_000] {
        let (replay, doubles) = replaying(page_size);
        let rig = Rig::at_with(place, doubles).await;
        let id = rig.channel().await;
        replay.say(&id, said.clone());
        rig.sync(id.as_str()).await;
        dumps.push(rig.dump(false).await);
        said.reverse();
    }
    assert_eq!(difference(&dumps[0], &dumps[1]), "");
}

async fn a_late_reply_joins_its_thread_and_an_edit_replaces_its_fact(place: Place) {
    let rig = Rig::at(place).await;
    let said = |text: &str| json!({"type": "message", "user": "U1", "ts": "1700000000.000100", "text": text});
    let channel =
        rig.import(channel_archive(&[said("Decision: we use Redis for the session cache.")])).await;
    rig.sync(&channel).await;
    let facts = rig.get(&format!("/api/memories?channel_id={channel}")).await.body;
    assert_eq!(facts["memories"][0]["text"], "We use Redis for the session cache.");

    let mut edited = said("Decision: we use Kafka for the event log.");
    edited["edited"] = json!({"user": "U1", "ts": "1700000500.000000"});
    let late = json!({"type": "message", "user": "U2", "ts": "1700900000.000100",
        "thread_ts": "1700000000.000100", "text": "agreed, at last"});
    rig.import(channel_archive(&[edited, late])).await;
    rig.sync(&channel).await;
    let facts = rig.get(&format!("/api/memories?channel_id={channel}")).await.body;
    let texts: Vec<_> =
        facts["memories"].as_array().unwrap().iter().map(|f| f["text"].clone()).collect();
    assert_eq!(texts, ["We use Kafka for the event log."]);
    let messages = rig.get(&format!("/api/channels/{channel}/messages")).await.body;
    assert_eq!(messages["messages"].as_array().unwrap().len(), 2);
    assert_eq!(messages["messages"][1]["thread_id"], "1700000000.000100");
    let page = rig.get(&format!("/api/wiki/pages/decisions?channel_id={channel}")).await.body;
    assert_eq!(page["version"], 2);
    assert!(!page["content"].as_str().unwrap().contains("Redis"));
}

async fn a_deleted_message_takes_its_facts_with_it(place: Place) {
    let rig = Rig::at(place).await;
    let mut said = json!({"type": "message", "user": "U1", "ts": "1700000000.000100",
        "text": "Decision: we use Redis for the cache."});
    let channel = rig.import(channel_archive(&[said.clone()])).await;
    rig.sync(&channel).await;
    said["subtype"] = json!("tombstone");
    rig.import(channel_archive(&[said])).await;
    rig.sync(&channel).await;
    let facts = rig.get(&format!("/api/memories?channel_id={channel}")).await.body;
    assert_eq!(facts["memories"], json!([]));
    let entities = rig.get("/api/graph/entities").await.body;
    assert_eq!(entities["entities"], json!([]));
    let gone = rig.get(&format!("/api/wiki/pages/decisions?channel_id={channel}")).await;
    assert_eq!(gone.code(), "PAGE_NOT_FOUND");
}

async fn every_citation_resolves(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    let structure = rig.get(&format!("/api/wiki/structure?channel_id={channel}")).await.body;
    assert_eq!(structure["is_stale"], false);
    let mut cited = 0;
    for page in structure["pages"].as_array().unwrap() {
        let slug = page["slug"].as_str().unwrap();
        let page = rig.get(&format!("/api/wiki/pages/{slug}?channel_id={channel}")).await.body;
        for citation in page["citations"].as_array().unwrap() {
            let message = citation["message_id"].as_str().unwrap();
            let found = rig.get(&format!("/api/channels/{channel}/messages/{message}")).await;
            assert_eq!(found.status, 200);
            let fact = citation["fact_id"].as_str().unwrap();
            assert_eq!(rig.get(&format!("/api/memories/{fact}")).await.status, 200);
            cited += 1;
        }
    }
    assert!(cited > 50);
}

async fn a_real_channel_comes_through_whole(place: Place) {
    let Some(archive) = real_export() else { return };
    let rig = Rig::at(place).await;
    let channel = rig.import(archive).await;
    let status = rig.sync(&channel).await;
    assert_eq!(status["progress"]["processed_messages"], 22_172);
    assert_eq!(status["progress"]["failing_messages"], 0);
    let summary = rig.get(&format!("/api/channels/{channel}")).await.body;
    assert_eq!(summary["message_count"], 22_172);
    assert!(summary["fact_count"].as_u64().unwrap() > 300);
    let before = rig.dump(true).await;
    rig.sync(&channel).await;
    assert_eq!(difference(&rig.dump(true).await, &before), "");
}
