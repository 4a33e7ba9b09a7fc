//! Cancelling: in every stage, at once, for good.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use atlas_sync::server::Doubles;
use connectors::replay::{Replay, Step as Page};
use domain::fact::Extraction;
use extraction::scripted::{Scripted, Step};
use serde_json::json;
use system_tests::{Rig, channel, difference, dump, message, sample_archive};

async fn scripted() -> (Arc<Replay>, Arc<Scripted>, Rig) {
    let replay = Arc::new(Replay::new(100));
    let extractor = Arc::new(Scripted::new(|_| Extraction::default()));
    let doubles = Doubles {
        connector: Some(replay.clone()),
        extractor: Some(extractor.clone()),
        ..Doubles::default()
    };
    let rig = Rig::start_with(doubles).await;
    let id = channel(&rig.server().ports.store).await;
    replay.say(&id, (0..50).map(|n| message(n, "something was said")));
    (replay, extractor, rig)
}

/// Cancels, and makes sure that nothing is written from then on.
async fn cancel(rig: &Rig, job: &str) {
    let reply = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
    let at_reply = dump(&rig.database(), true).await;
    assert_eq!(reply.body["status"], "cancelled", "{}", reply.text);
    assert_eq!(reply.body["job_id"], job);
    assert!(reply.body["cancelled_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(rig.post("/api/sync/cancel", &json!({"job_id": job})).await.body, reply.body);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(dump(&rig.database(), true).await, at_reply);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_walk_that_hangs_is_cancelled_and_the_next_sync_goes_on() {
    let (replay, _, rig) = scripted().await;
    replay.script([Page::Hang]);
    let job = rig.trigger("C1", false).await;
    rig.until(async || (rig.status("C1", &job).await["status"] == "running").then_some(())).await;
    cancel(&rig, &job).await;
    let status = rig.status("C1", &job).await;
    assert_eq!((&status["status"], &status["current_stage"]), (&json!("cancelled"), &json!(null)));
    assert_eq!(rig.sync("C1").await["progress"]["processed_messages"], 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_computes_stops_within_a_quarter_of_a_second() {
    let (_, extractor, rig) = scripted().await;
    extractor.script([Step::Compute(Duration::from_secs(5))]);
    let job = rig.trigger("C1", false).await;
    rig.until(async || (extractor.computing() == 1).then_some(())).await;
    let begun = Instant::now();
    let reply = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
    assert_eq!(reply.body["status"], "cancelled");
    rig.until(async || (extractor.computing() == 0).then_some(())).await;
    assert!(begun.elapsed() < Duration::from_millis(250), "{:?}", begun.elapsed());
    // What was fetched stays, and is taken up by the next sync.
    let next = rig.sync("C1").await;
    assert_eq!(next["progress"]["processed_messages"], 50);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_after_a_cancel_in_any_stage() {
    for stage in ["fetching_messages", "extracting_facts", "building_graph", "generating_wiki"] {
        let rig = Rig::start().await;
        let channel = rig.import(sample_archive(|_| true)).await;
        let job = rig.trigger(&channel, false).await;
        let caught = rig
            .until(async || {
                let status = rig.status(&channel, &job).await;
                let there = status["current_stage"] == stage || status["completed_at"].is_string();
                there.then_some(status["completed_at"].is_null())
            })
            .await;
        let reply = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
        let at_reply = dump(&rig.database(), true).await;
        if !caught || reply.status == 409 {
            // It was faster than we are; that is told as it is.
            assert_eq!(reply.code(), "SYNC_NOT_RUNNING");
            continue;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(difference(&dump(&rig.database(), true).await, &at_reply), "", "{stage}");
        let calm = Rig::start().await;
        let same = calm.import(sample_archive(|_| true)).await;
        calm.sync(&same).await;
        rig.sync(&channel).await;
        let pages = |dump: String| dump.split("== wiki_pages").next().unwrap().to_owned();
        let (after, expected) =
            (dump(&rig.database(), false).await, dump(&calm.database(), false).await);
        assert_eq!(difference(&pages(after), &pages(expected)), "", "{stage}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_has_ended_otherwise_or_never_was_cannot_be_cancelled() {
    let (_, _, rig) = scripted().await;
    let job = rig.sync("C1").await["job_id"].as_str().unwrap().to_owned();
    let over = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
    assert_eq!((over.status.as_u16(), over.code()), (409, "SYNC_NOT_RUNNING"));
    let unknown = rig
        .post("/api/sync/cancel", &json!({"job_id": "sync_00000000000000000000000000000000"}))
        .await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "JOB_NOT_FOUND"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_batch_that_fails_is_kept_and_tried_again_by_the_next_sync() {
    let (_, extractor, rig) = scripted().await;
    extractor.script((0..5).map(|n| match n {
        1 => Step::Panic,
        _ => Step::Fail("as it was told".into()),
    }));
    let job = rig.trigger("C1", false).await;
    let status = rig.finished("C1", &job).await;
    assert_eq!(
        (&status["status"], &status["error"]["code"]),
        (&json!("failed"), &json!("INTERNAL_ERROR"))
    );
    assert_eq!(status["progress"]["failing_messages"], 50);
    let next = rig.sync("C1").await;
    assert_eq!(next["progress"]["processed_messages"], 50);
    assert_eq!(next["progress"]["failing_messages"], 0);
}
