//! Accepting and ending jobs.

use std::time::Duration;

use domain::{ErrorCode, JobId, JobStatus, KeyId, Stage, SyncError, TaskStatus};

use super::scene::{channel, claimed, committed, started, wanted};
use crate::{Cancellation, Effect, Idempotency, JobQuery, NewJob, Store, Triggered};

/// Whoever asks, and however often at once.
pub async fn a_channel_has_one_active_job(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, task) = started(store, &channel).await;
    assert_eq!((job.status, job.estimated_messages, task.seq), (JobStatus::Queued, Some(7), 1));
    let again = store.trigger(wanted(&channel)).await.unwrap();
    assert!(matches!(again, Triggered::InProgress(active) if active == job.id));
    let unknown = NewJob { channel_id: "C9".into(), ..wanted(&channel) };
    assert!(matches!(store.trigger(unknown).await.unwrap(), Triggered::ChannelNotFound));
}

/// A client that did not hear the answer asks again.
pub async fn the_same_request_under_the_same_key_is_the_same_job(store: &dyn Store) {
    let channel = channel(store).await;
    let asked = |hash: &str, key_id: &KeyId| NewJob {
        idempotency: Some(Idempotency {
            key_id: key_id.clone(),
            route: "POST /api/sync",
            key: "k".into(),
            request_hash: hash.into(),
        }),
        ..wanted(&channel)
    };
    let (mine, other) = (KeyId::random(), KeyId::random());
    let Triggered::Started(job, _) = store.trigger(asked("a", &mine)).await.unwrap() else {
        panic!()
    };
    let again = store.trigger(asked("a", &mine)).await.unwrap();
    assert!(matches!(again, Triggered::Replayed(same, Some(7)) if same.id == job.id));
    assert!(matches!(store.trigger(asked("b", &mine)).await.unwrap(), Triggered::KeyReused));
    assert!(matches!(store.trigger(asked("a", &other)).await.unwrap(), Triggered::InProgress(_)));
}

/// Once is for ever.
pub async fn a_cancelled_job_stays_cancelled(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, _) = started(store, &channel).await;
    let Cancellation::Cancelled(ended, at) = store.cancel(&job.id, None).await.unwrap() else {
        panic!()
    };
    assert_eq!((ended.status, ended.completed_at), (JobStatus::Cancelled, Some(at)));
    assert!(ended.revision > job.revision);
    let Cancellation::Cancelled(_, again) = store.cancel(&job.id, None).await.unwrap() else {
        panic!()
    };
    assert_eq!(again, at);
    assert!(matches!(store.cancel(&JobId::random(), None).await.unwrap(), Cancellation::NotFound));
    started(store, &channel).await;
}

/// With a place to go on from, and of one state only.
pub async fn jobs_are_listed_newest_first(store: &dyn Store) {
    let channel = channel(store).await;
    let mut ids = Vec::new();
    for _ in 0..3 {
        let (job, _) = started(store, &channel).await;
        store.cancel(&job.id, None).await.unwrap();
        ids.insert(0, job.id);
    }
    let query = JobQuery { channel_id: Some(channel.clone()), limit: 2, ..JobQuery::default() };
    let listed = |jobs: Vec<domain::Job>| jobs.into_iter().map(|job| job.id).collect::<Vec<_>>();
    assert_eq!(listed(store.jobs(&query).await.unwrap()), ids[..2]);
    let rest = JobQuery { before: Some(ids[1].clone()), ..query.clone() };
    assert_eq!(listed(store.jobs(&rest).await.unwrap()), ids[2..]);
    let none = JobQuery { status: Some(JobStatus::Failed), ..query };
    assert!(store.jobs(&none).await.unwrap().is_empty());
    assert_eq!(store.newest_job(&channel).await.unwrap().unwrap().id, ids[0]);
}

/// Whichever of the two comes first.
pub async fn of_two_requests_at_the_same_instant_one_starts(store: &dyn Store) {
    let channel = channel(store).await;
    for _ in 0..10 {
        let both = tokio::join!(store.trigger(wanted(&channel)), store.trigger(wanted(&channel)));
        let both = [both.0.unwrap(), both.1.unwrap()];
        let started: Vec<_> = both
            .iter()
            .filter_map(|triggered| match triggered {
                Triggered::Started(job, _) => Some(job.id.clone()),
                _ => None,
            })
            .collect();
        assert_eq!(started.len(), 1, "{both:?}");
        let told = |t: &Triggered| matches!(t, Triggered::InProgress(id) if *id == started[0]);
        assert!(both.iter().any(told));
        store.cancel(&started[0], None).await.unwrap();
    }
}

/// What is old goes, a few at a time; what runs and the newest of a channel stay.
pub async fn old_jobs_are_forgotten_but_the_newest_of_a_channel(store: &dyn Store) {
    let channel = channel(store).await;
    let mut ids = Vec::new();
    for _ in 0..5 {
        let (job, _) = started(store, &channel).await;
        store.cancel(&job.id, None).await.unwrap();
        ids.push(job.id);
    }
    let (running, _) = started(store, &channel).await;
    assert_eq!(store.forget_jobs(Duration::from_secs(3_600), 0, 100).await.unwrap(), 0);
    assert_eq!(store.forget_jobs(Duration::ZERO, 3, 2).await.unwrap(), 2);
    assert_eq!(store.forget_jobs(Duration::ZERO, 3, 2).await.unwrap(), 1);
    assert_eq!(store.forget_jobs(Duration::ZERO, 3, 2).await.unwrap(), 0);
    let query = JobQuery { limit: 10, ..JobQuery::default() };
    let left: Vec<_> = store.jobs(&query).await.unwrap().into_iter().map(|job| job.id).collect();
    assert_eq!(left, [running.id, ids[4].clone(), ids[3].clone()]);
}

/// What operators watch.
pub async fn a_census_tells_how_many_jobs_and_tasks_stand_where(store: &dyn Store) {
    let channel = channel(store).await;
    let (first, _) = started(store, &channel).await;
    store.cancel(&first.id, None).await.unwrap();
    let (_, task) = started(store, &channel).await;
    let census = store.census().await.unwrap();
    assert_eq!(census.jobs, [(JobStatus::Cancelled, 1), (JobStatus::Queued, 1)]);
    assert_eq!(census.tasks, [(Stage::FetchingMessages, TaskStatus::Ready, 1)]);
    let fetch = claimed(store, &task).await;
    let census = store.census().await.unwrap();
    assert_eq!(census.jobs, [(JobStatus::Cancelled, 1), (JobStatus::Running, 1)]);
    assert_eq!(census.tasks, [(Stage::FetchingMessages, TaskStatus::Leased, 1)]);
    assert!(census.oldest_running > Duration::ZERO && census.oldest_queued.is_zero());
    let error = SyncError::new(ErrorCode::PlatformError, "it hiccups");
    let retry = Effect::Retry { error, delay: Duration::from_secs(60), uses_attempt: true };
    committed(store, &fetch.claim, retry).await;
    let census = store.census().await.unwrap();
    assert_eq!((census.tasks, census.postponed), (vec![], vec![(Stage::FetchingMessages, 1)]));
}
