//! Explaining: "why is it not moving?" is answered by the API alone.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{sync::Arc, time::Duration};

use atlas_sync::server::Doubles;
use connectors::{
    ConnectorError,
    replay::{Replay, Step},
};
use queue::memory::MemoryQueue;
use serde_json::{Value, json};
use system_tests::{Api, Place, Rig, message, scenarios};

scenarios!(
    a_sync_tells_what_it_went_through_and_what_it_waits_for,
    a_sync_that_went_well_tells_its_stages,
    only_a_job_can_be_explained,
);

async fn rig(place: Place, doubles: Doubles) -> (Arc<Replay>, Rig) {
    let replay = Arc::new(Replay::new(10));
    let rig = Rig::at_with(place, Doubles { connector: Some(replay.clone()), ..doubles }).await;
    let id = rig.channel().await;
    replay.say(&id, (0..5).map(|n| message(n, "Decision: we use Redis for the cache.")));
    (replay, rig)
}

async fn why(api: &Api, job: &str) -> Value {
    api.get(&format!("/api/sync/why?job_id={job}")).await.body
}

/// Waits for a summary that has a text in it.
async fn until_told(api: &Api, job: &str, text: &str) -> Value {
    api.until(async || {
        let told = why(api, job).await;
        told["summary"].as_str().unwrap().contains(text).then_some(told)
    })
    .await
}

fn kinds(told: &Value) -> Vec<&str> {
    told["events"].as_array().unwrap().iter().map(|event| event["kind"].as_str().unwrap()).collect()
}

async fn a_sync_tells_what_it_went_through_and_what_it_waits_for(place: Place) {
    let (replay, rig) = rig(place, Doubles::default()).await;
    replay.script([
        Step::Fail(ConnectorError::Platform("it hiccups".into())),
        Step::Fail(ConnectorError::RateLimit { retry_after: Duration::from_secs(300) }),
    ]);
    let job = rig.trigger("C1", false).await;
    let told = until_told(&rig, &job, "for the platform's rate limit").await;
    assert_eq!(told["job_id"], job.as_str());
    assert_eq!(kinds(&told), ["created", "claimed", "retried", "claimed", "waited"]);
    let events = told["events"].as_array().unwrap();
    let key = events[0]["details"]["by"].as_str().unwrap();
    assert_eq!(events[0]["details"]["trigger"], "manual");
    let retried = &events[2];
    assert_eq!((&retried["stage"], &retried["seq"]), (&json!("fetching_messages"), &json!(1)));
    assert_eq!(retried["details"]["code"], "PLATFORM_ERROR");
    assert_eq!(retried["details"]["attempt"], 2);
    assert!(retried["details"]["next_attempt_at"].as_str().unwrap().ends_with('Z'));
    assert!(retried["message"].as_str().unwrap().contains("it hiccups"), "{retried}");
    let times: Vec<_> = events.iter().map(|event| event["at"].as_str().unwrap()).collect();
    assert!(times.iter().all(|at| at.ends_with('Z')));

    rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
    let told = why(&rig, &job).await;
    assert_eq!(kinds(&told).last(), Some(&"cancelled"));
    let summary = told["summary"].as_str().unwrap();
    assert!(summary.starts_with(&format!("cancelled by {key} after ")), "{summary}");
}

async fn a_sync_that_went_well_tells_its_stages(place: Place) {
    let (_, rig) = rig(place, Doubles::default()).await;
    let status = rig.sync("C1").await;
    let told = why(&rig, status["job_id"].as_str().unwrap()).await;
    assert!(told["summary"].as_str().unwrap().starts_with("completed in "), "{told}");
    let kinds = kinds(&told);
    assert_eq!(kinds.iter().filter(|kind| **kind == "claimed").count(), 4, "{told}");
    assert_eq!(kinds.iter().filter(|kind| **kind == "stage_completed").count(), 4, "{told}");
    assert_eq!((kinds[0], kinds[kinds.len() - 1]), ("created", "completed"));
}

/// A queue without room loses every call; the sweep's calls as well. Only one in memory can be so small.
#[tokio::test(flavor = "multi_thread")]
async fn work_that_no_worker_takes_is_told_with_the_worker_that_is_missing() {
    let queue = Arc::new(MemoryQueue::new(0));
    let (_, rig) = rig(Place::Embedded, Doubles { queue: Some(queue), ..Doubles::default() }).await;
    let job = rig.trigger("C1", false).await;
    let told = why(&rig, &job).await;
    assert_eq!(told["summary"], "1 part of fetching_messages is ready and about to be taken");
    until_told(&rig, &job, "is a fetch-worker running").await;
}

async fn only_a_job_can_be_explained(place: Place) {
    let rig = Rig::at(place).await;
    let reply = rig.get("/api/sync/why").await;
    assert_eq!((reply.status.as_u16(), reply.code()), (422, "INVALID_REQUEST"));
    for id in ["sync_00000000000000000000000000000000", "nonsense"] {
        let reply = rig.get(&format!("/api/sync/why?job_id={id}")).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (404, "JOB_NOT_FOUND"));
    }
}
