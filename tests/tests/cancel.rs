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
use system_tests::{Place, Rig, difference, message, sample_archive, scenarios};

scenarios!(
    a_walk_that_hangs_is_cancelled_and_the_next_sync_goes_on,
    a_batch_that_computes_stops_within_a_quarter_of_a_second,
    nothing_is_written_after_a_cancel_in_any_stage,
    what_has_ended_otherwise_or_never_was_cannot_be_cancelled,
    a_batch_that_fails_is_kept_and_tried_again_by_the_next_sync,
);

async fn scripted(place: Place) -> (Arc<Replay>, Arc<Scripted>, Rig) {
    let replay = Arc::new(Replay::new(100));
    let extractor = Arc::new(Scripted::new(|_| Extraction::default()));
    let doubles = Doubles {
        connector: Some(replay.clone()),
        extractor: Some(extractor.clone()),
        ..Doubles::default()
    };
    let rig = Rig::at_with(place, doubles).await;
    let id = rig.channel().await;
    replay.say(&id, (0..50).map(|n| message(n, "something was said")));
    (replay, extractor, rig)
}

/// Cancels, and makes sure that nothing is written from then on.
async fn cancel(rig: &Rig, job: &str) {
    let reply = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
    let at_reply = rig.dump(true).await;
    assert_eq!(reply.body["status"], "cancelled", "{}", reply.text);
    assert_eq!(reply.body["job_id"], job);
    assert!(reply.body["cancelled_at"].as_str().unwrap().ends_with('Z'));
    assert_eq!(rig.post("/api/sync/cancel", &json!({"job_id": job})).await.body, reply.body);
    tokio::time::sleep(Duration::from_secs(5)).await;
    assert_eq!(rig.dump(true).await, at_reply);
}

async fn a_walk_that_hangs_is_cancelled_and_the_next_sync_goes_on(place: Place) {
    let (replay, _, rig) = scripted(place).await;
    replay.script([Page::Hang]);
    let job = rig.trigger("C1", false).await;
    // A walk that is cancelled before it asks for a page would leave the script to the next sync.
    rig.until(async || (replay.steps_left() == 0).then_some(())).await;
    rig.until(async || (rig.status("C1", &job).await["status"] == "running").then_some(())).await;
    cancel(&rig, &job).await;
    let status = rig.status("C1", &job).await;
    assert_eq!((&status["status"], &status["current_stage"]), (&json!("cancelled"), &json!(null)));
    assert_eq!(rig.sync("C1").await["progress"]["processed_messages"], 50);
}

async fn a_batch_that_computes_stops_within_a_quarter_of_a_second(place: Place) {
    let (_, extractor, rig) = scripted(place).await;
    let mut fastest = Duration::MAX;
    // A machine that is busy with something else may delay one of them.
    for _ in 0..5 {
        extractor.script([Step::Compute(Duration::from_secs(5))]);
        let job = rig.trigger("C1", false).await;
        rig.until(async || (extractor.computing() == 1).then_some(())).await;
        let begun = Instant::now();
        let reply = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
        assert_eq!(reply.body["status"], "cancelled");
        rig.until(async || (extractor.computing() == 0).then_some(())).await;
        fastest = fastest.min(begun.elapsed());
    }
    assert!(fastest < Duration::from_millis(250), "{fastest:?}");
    // What was fetched stays, and is taken up by the next sync.
    let next = rig.sync("C1").await;
    assert_eq!(next["progress"]["processed_messages"], 50);
}

async fn nothing_is_written_after_a_cancel_in_any_stage(place: Place) {
    for stage in ["fetching_messages", "extracting_facts", "building_graph", "generating_wiki"] {
        let rig = Rig::at(place).await;
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
        let at_reply = rig.dump(true).await;
        if !caught || reply.status == 409 {
            // It was faster than we are; that is told as it is.
            assert_eq!(reply.code(), "SYNC_NOT_RUNNING");
            continue;
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        assert_eq!(difference(&rig.dump(true).await, &at_reply), "", "{stage}");
        let calm = Rig::at(place).await;
        let same = calm.import(sample_archive(|_| true)).await;
        calm.sync(&same).await;
        rig.sync(&channel).await;
        let pages = |dump: String| dump.split("== wiki_pages").next().unwrap().to_owned();
        let (after, expected) = (rig.dump(false).await, calm.dump(false).await);
        assert_eq!(difference(&pages(after), &pages(expected)), "", "{stage}");
    }
}

async fn what_has_ended_otherwise_or_never_was_cannot_be_cancelled(place: Place) {
    let (_, _, rig) = scripted(place).await;
    let job = rig.sync("C1").await["job_id"].as_str().unwrap().to_owned();
    let over = rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
    assert_eq!((over.status.as_u16(), over.code()), (409, "SYNC_NOT_RUNNING"));
    let unknown = rig
        .post("/api/sync/cancel", &json!({"job_id": "sync_00000000000000000000000000000000"}))
        .await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "JOB_NOT_FOUND"));
}

async fn a_batch_that_fails_is_kept_and_tried_again_by_the_next_sync(place: Place) {
    let (_, extractor, rig) = scripted(place).await;
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
