//! Explaining jobs.

use std::time::Duration;

use domain::{ErrorCode, Happening, JobId, KeyId, Stage, SyncError, TaskRef, fact::Extraction};

use super::scene::{channel, claimed, committed, message, started, through, walked, wanted};
use crate::{Effect, Explanation, MAX_EVENTS, NewJob, Standing, Store, Triggered};

async fn why(store: &dyn Store, id: &JobId) -> Explanation {
    store.why(id).await.unwrap().expect("the job is there")
}

/// What happened, by the names that the API has for it, with its stage.
fn kinds(told: &Explanation) -> Vec<String> {
    let kind = |event: &domain::JobEvent| {
        let value = serde_json::to_value(&event.happening).unwrap();
        let kind = value["kind"].as_str().unwrap().to_owned();
        event.stage.map_or(kind.clone(), |stage| format!("{stage}: {kind}"))
    };
    told.events.iter().map(kind).collect()
}

async fn failed(store: &dyn Store, task: &TaskRef, code: ErrorCode, delay: Duration) {
    let held = claimed(store, task).await;
    let error = SyncError::new(code, "the platform says no");
    let uses_attempt = code != ErrorCode::RateLimit;
    committed(store, &held.claim, Effect::Retry { error, delay, uses_attempt }).await;
}

/// From the row alone: what goes well costs nothing more.
pub async fn a_job_that_went_well_tells_who_asked_for_it_and_who_did_it(store: &dyn Store) {
    let channel = channel(store).await;
    assert!(store.why(&JobId::random()).await.unwrap().is_none());
    through(store, &channel, vec![message(1, "hello")], |_| Extraction::default()).await;
    let job = store.newest_job(&channel).await.unwrap().unwrap();
    let told = why(store, &job.id).await;
    assert_eq!(
        kinds(&told),
        [
            "created",
            "fetching_messages: claimed",
            "fetching_messages: stage_completed",
            "extracting_facts: claimed",
            "extracting_facts: stage_completed",
            "building_graph: claimed",
            "building_graph: stage_completed",
            "generating_wiki: claimed",
            "generating_wiki: stage_completed",
            "completed",
        ]
    );
    let taken = Happening::Claimed { worker: Some("worker".into()), attempt: 1 };
    assert_eq!(told.events[1].happening, taken);
    assert_eq!((told.standing, told.left_out), (vec![], false));
}

/// Each with its time, and where the task stands now.
pub async fn failures_and_waits_are_told(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, task) = started(store, &channel).await;
    failed(store, &task, ErrorCode::PlatformError, Duration::ZERO).await;
    failed(store, &task, ErrorCode::RateLimit, Duration::from_secs(60)).await;
    let told = why(store, &job.id).await;
    let fetching = |kind| format!("fetching_messages: {kind}");
    assert_eq!(
        kinds(&told),
        ["created".to_owned()]
            .into_iter()
            .chain(["claimed", "retried", "claimed", "waited"].map(fetching))
            .collect::<Vec<_>>()
    );
    let again = Happening::Claimed { worker: Some("worker".into()), attempt: 2 };
    assert_eq!(told.events[3].happening, again);
    let Happening::Waited { until, .. } = told.events[4].happening else { panic!() };
    let [Standing { postponed: 1, ready: 0, leased: 0, next_attempt_at, code, .. }] =
        told.standing[..]
    else {
        panic!("{:?}", told.standing)
    };
    assert_eq!((next_attempt_at, code), (Some(until), Some(ErrorCode::RateLimit)));
}

/// A task that nobody takes, one whose worker vanished, and one that is set aside.
pub async fn repairs_are_told(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, after) = walked(store, &channel, vec![message(1, "deadly")]).await;
    let batch = &after.released[0];
    let told = why(store, &job.id).await;
    let [Standing { stage: Stage::ExtractingFacts, ready: 1, ready_since: Some(_), .. }] =
        told.standing[..]
    else {
        panic!("{:?}", told.standing)
    };
    tokio::time::sleep(Duration::from_millis(2)).await;
    let due = store.due(Stage::ExtractingFacts, 0, Duration::from_millis(1), 10).await.unwrap();
    assert_eq!(due.tasks, std::slice::from_ref(batch));
    for _ in 0..3 {
        store.claim(batch, "gone", Duration::ZERO).await.unwrap().unwrap();
        store.expire_leases().await.unwrap();
    }
    let told = why(store, &job.id).await;
    let mut found: Vec<_> =
        kinds(&told).into_iter().filter(|kind| kind.starts_with("extr")).collect();
    let expected = [
        "claimed",
        "republished",
        "lease_expired",
        "claimed",
        "lease_expired",
        "claimed",
        "set_aside",
        "lease_expired",
        "stage_completed",
    ];
    let mut expected: Vec<_> = expected.map(|kind| format!("extracting_facts: {kind}")).into();
    // The first claim is told by the row, with the time at which the stage began.
    expected.sort();
    found.sort();
    assert_eq!(found, expected);
    assert_eq!(kinds(&told).last().unwrap(), "failed");
    let lost = told.events.iter().find_map(|event| match &event.happening {
        Happening::LeaseExpired { worker, crashes: 1 } => worker.clone(),
        _ => None,
    });
    assert_eq!(lost.as_deref(), Some("gone"));
}

/// By the name of the key, not by what is secret about it; gone with the job.
pub async fn who_asked_and_who_cancelled_is_told_until_the_job_is_forgotten(store: &dyn Store) {
    let channel = channel(store).await;
    let (ann, ben) = (KeyId::random(), KeyId::random());
    store.add_key(&ann, "ann", "hash-a").await.unwrap();
    store.add_key(&ben, "ben", "hash-b").await.unwrap();
    let asked = NewJob { asked_by: Some(ann), ..wanted(&channel) };
    let Triggered::Started(job, _) = store.trigger(asked).await.unwrap() else { panic!() };
    store.cancel(&job.id, Some(&ben)).await.unwrap();
    store.cancel(&job.id, None).await.unwrap();
    let told = why(store, &job.id).await;
    assert_eq!(kinds(&told), ["created", "cancelled"]);
    let Happening::Created { by, .. } = &told.events[0].happening else { panic!() };
    assert_eq!(by.as_deref(), Some("ann"));
    assert_eq!(told.events[1].happening, Happening::Cancelled { by: Some("ben".into()) });
    assert_eq!(store.forget_jobs(Duration::ZERO, 0, 10).await.unwrap(), 1);
    assert!(store.why(&job.id).await.unwrap().is_none());
}

/// However long a job fails: its first troubles and its newest ones stay.
pub async fn events_are_kept_with_a_cap(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, task) = started(store, &channel).await;
    for attempt in 0..MAX_EVENTS + 20 {
        let held = claimed(store, &task).await;
        let error = SyncError::new(ErrorCode::RateLimit, format!("number {attempt}"));
        let wait = Effect::Retry { error, delay: Duration::ZERO, uses_attempt: false };
        committed(store, &held.claim, wait).await;
    }
    let told = why(store, &job.id).await;
    assert!(told.left_out);
    let waits: Vec<_> = told
        .events
        .iter()
        .filter_map(|event| match &event.happening {
            Happening::Waited { message, .. } => Some(message.as_str()),
            _ => None,
        })
        .collect();
    assert_eq!(waits.len(), MAX_EVENTS as usize);
    assert_eq!((waits[0], waits[99], waits[100]), ("number 0", "number 99", "number 120"));
    assert_eq!(waits[199], format!("number {}", MAX_EVENTS + 19));
}
