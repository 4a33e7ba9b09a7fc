//! Claims, fences and repairs.

use std::time::{Duration, Instant};

use domain::{ClaimToken, ErrorCode, JobStatus, Stage, SyncError, TaskRef, task::Claim};

use super::scene::{
    LEASE, channel, claimed, committed, message, named_channel, of_stage, page, started, walked,
    wanted,
};
use crate::{Due, Effect, FailureQuery, NewJob, PageEffect, PageNext, Store, Triggered};

fn error() -> SyncError {
    SyncError::new(ErrorCode::PlatformError, "no")
}

/// By one of however many workers.
pub async fn a_task_is_claimed_once(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, task) = started(store, &channel).await;
    let (one, other) = tokio::join!(store.claim(&task, "a", LEASE), store.claim(&task, "b", LEASE));
    let won = [one.unwrap(), other.unwrap()].into_iter().flatten().collect::<Vec<_>>();
    assert_eq!(won.len(), 1);
    assert_eq!((won[0].1.id.clone(), won[0].1.status), (job.id, JobStatus::Running));
}

/// Not any claim: this one.
pub async fn a_commit_needs_the_claim(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, task) = started(store, &channel).await;
    let forged = Claim { task: task.clone(), token: ClaimToken::random() };
    assert!(store.commit(&forged, page(vec![message(1, "x")])).await.unwrap().is_none());
    let fetch = claimed(store, &task).await;
    assert!(store.commit(&forged, page(vec![message(1, "x")])).await.unwrap().is_none());
    assert!(store.messages(&channel, None, 10).await.unwrap().is_empty());
    committed(store, &fetch.claim, page(vec![message(1, "x")])).await;
    assert!(store.commit(&fetch.claim, page(vec![])).await.unwrap().is_none(), "twice");
}

/// Its lease ran out, another has the task now.
pub async fn a_worker_that_stalled_writes_nothing(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, task) = started(store, &channel).await;
    let (stalled, _) = store.claim(&task, "a", Duration::ZERO).await.unwrap().unwrap();
    let swept = store.expire_leases().await.unwrap();
    assert_eq!((swept.expired, swept.due), (1, vec![task.clone()]));
    assert!(store.commit(&stalled.claim, page(vec![message(1, "old")])).await.unwrap().is_none());
    let other = claimed(store, &task).await;
    assert_eq!(other.crashes, 1);
    assert!(store.commit(&stalled.claim, page(vec![message(1, "old")])).await.unwrap().is_none());
    committed(store, &other.claim, page(vec![message(1, "new")])).await;
    assert_eq!(store.messages(&channel, None, 10).await.unwrap()[0].text, "new");
}

/// From the time in the answer on.
pub async fn nothing_is_written_for_a_cancelled_job(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    store.cancel(&job.id, None).await.unwrap();
    for effect in
        [page(vec![message(1, "x")]), Effect::Leftovers, Effect::GiveUp { error: error() }]
    {
        assert!(store.commit(&fetch.claim, effect).await.unwrap().is_none());
    }
    assert!(store.give_back(&fetch.claim).await.unwrap().is_none());
    assert!(store.claim(&task, "b", LEASE).await.unwrap().is_none());
    assert_eq!(
        store.heartbeat(std::slice::from_ref(&fetch.claim), LEASE).await.unwrap(),
        [fetch.claim]
    );
    assert!(store.messages(&channel, None, 10).await.unwrap().is_empty());
}

/// One task that the sweep calls for, and whether that repairs anything.
fn called(task: &TaskRef, repaired: u64) -> Due {
    Due { tasks: vec![task.clone()], repaired }
}

/// Not before its time, and by the sweep.
pub async fn a_failed_attempt_waits_and_comes_again(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let retry = |delay, uses_attempt| Effect::Retry { error: error(), delay, uses_attempt };
    let job = committed(store, &fetch.claim, retry(Duration::from_secs(60), true)).await.job;
    let retrying = job.stages[0].retrying.clone().unwrap();
    assert_eq!((retrying.code, retrying.attempt), (ErrorCode::PlatformError, 2));
    assert!(store.claim(&task, "b", LEASE).await.unwrap().is_none());
    let due = store.due(Stage::FetchingMessages, 0, Duration::ZERO, 10).await.unwrap();
    assert_eq!(due, Due::default());

    let (_, other) = {
        store.cancel(&job.id, None).await.unwrap();
        started(store, &channel).await
    };
    let fetch = claimed(store, &other).await;
    committed(store, &fetch.claim, retry(Duration::ZERO, false)).await;
    let due = store.due(Stage::FetchingMessages, 0, Duration::from_secs(60), 10).await.unwrap();
    assert_eq!(due, called(&other, 0), "never called for: due at once, and no repair");
    assert_eq!(claimed(store, &other).await.attempt, 1);
}

/// The rest of the job goes on; with nothing left of it, it fails with the last error.
pub async fn a_batch_that_is_given_up_counts_as_failing_and_stays_pending(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, after) = walked(store, &channel, vec![message(1, "a"), message(2, "b")]).await;
    let batch = claimed(store, &after.released[0]).await;
    let job = committed(store, &batch.claim, Effect::GiveUp { error: error() }).await.job;
    assert_eq!((job.failing_messages, job.processed_messages), (2, 2));
    assert_eq!(
        (job.status, job.error.unwrap().code),
        (JobStatus::Failed, ErrorCode::PlatformError)
    );
    let (_, next) = walked(store, &channel, vec![]).await;
    assert_eq!(next.job.total_messages, 2);
}

/// Visible until a later sync tries again, by its error and its stage.
pub async fn what_failed_is_listed_until_it_is_tried_again(store: &dyn Store) {
    let channel = channel(store).await;
    let (job, after) = walked(store, &channel, vec![message(1, "a"), message(2, "b")]).await;
    let batch = claimed(store, &after.released[0]).await;
    committed(store, &batch.claim, Effect::GiveUp { error: error() }).await;
    let all = FailureQuery { limit: 10, ..FailureQuery::default() };
    let listed = store.failures(&all).await.unwrap();
    let [failure] = &listed[..] else { panic!("{listed:?}") };
    assert_eq!((&failure.task.job_id, failure.task.stage), (&job.id, Stage::ExtractingFacts));
    assert_eq!((failure.messages, failure.attempts, failure.poison), (2, 1, false));
    assert_eq!(failure.error.as_ref().unwrap().code, ErrorCode::PlatformError);
    let other = FailureQuery { code: Some(ErrorCode::AuthError), ..all.clone() };
    assert!(store.failures(&other).await.unwrap().is_empty());
    let same = FailureQuery {
        code: Some(ErrorCode::PlatformError),
        stage: Some(Stage::ExtractingFacts),
        ..all.clone()
    };
    assert_eq!(store.failures(&same).await.unwrap().len(), 1);
    started(store, &channel).await;
    assert!(store.failures(&all).await.unwrap().is_empty(), "it is being tried again");
}

/// Whatever it says is kept as text, once, and only its beginning.
pub async fn what_could_not_be_decoded_is_counted_until_it_is_forgotten(store: &dyn Store) {
    let month = Duration::from_secs(30 * 24 * 60 * 60);
    let stage = Some(Stage::BuildingGraph);
    let rubbish = [&b"\0rub\xffbish"[..], &[b'x'; 10_000]].concat();
    for _ in 0..2 {
        store.keep_dead_letter(stage, &rubbish, month).await.unwrap();
    }
    store.keep_dead_letter(None, b"{}", month).await.unwrap();
    let listed = store.dead_letters(None, 10).await.unwrap();
    assert_eq!(listed.iter().map(|letter| letter.times).collect::<Vec<_>>(), [1, 2]);
    assert!(listed[1].body.starts_with("\\u{0}rub\u{fffd}bishxxx"), "{}", listed[1].body);
    assert_eq!(listed[1].body.chars().count(), crate::MAX_DEAD_LETTER);
    let of_stage = store.dead_letters(stage, 10).await.unwrap();
    assert_eq!(of_stage, listed[1..]);
    assert_eq!(store.dead_letters(None, 1).await.unwrap(), listed[..1]);
    assert_eq!(store.forget_dead_letters(&[listed[1].id.clone()]).await.unwrap(), 1);
    assert_eq!(store.forget_dead_letters(&[listed[1].id.clone()]).await.unwrap(), 0);
    store.keep_dead_letter(None, b"[]", Duration::ZERO).await.unwrap();
    let listed = store.dead_letters(None, 10).await.unwrap();
    assert_eq!(listed.len(), 1, "what came long ago is forgotten: {listed:?}");
}

/// Set aside, and taken up again only on request.
pub async fn a_task_that_kills_three_workers_is_set_aside(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, after) = walked(store, &channel, vec![message(1, "deadly")]).await;
    for crashes in 0..3 {
        let (batch, _) =
            store.claim(&after.released[0], "w", Duration::ZERO).await.unwrap().unwrap();
        assert_eq!(batch.crashes, crashes);
        store.expire_leases().await.unwrap();
    }
    assert!(store.claim(&after.released[0], "w", LEASE).await.unwrap().is_none());
    let job = store.newest_job(&channel).await.unwrap().unwrap();
    assert_eq!((job.status, job.failing_messages), (JobStatus::Failed, 1));
    let all = FailureQuery { limit: 10, ..FailureQuery::default() };
    let listed = store.failures(&all).await.unwrap();
    assert_eq!((listed.len(), listed[0].poison, listed[0].crashes), (1, true, 3));
    let (_, next) = walked(store, &channel, vec![]).await;
    assert_eq!(next.job.total_messages, 0);
    let wiki = claimed(store, &next.released[0]).await;
    let end = Effect::Wiki(crate::WikiEffect { end: true, ..Default::default() });
    committed(store, &wiki.claim, end).await;
    let retry = NewJob { trigger: domain::Trigger::Retry, ..wanted(&channel) };
    let Triggered::Started(_, tasks) = store.trigger(retry).await.unwrap() else { panic!() };
    let fetch = claimed(store, &tasks[0]).await;
    assert_eq!(committed(store, &fetch.claim, Effect::Leftovers).await.job.total_messages, 1);
}

/// A call that got lost costs a pause, not the task; one that is only queued is not made again.
pub async fn a_lost_call_is_made_again_with_growing_pauses(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, task) = started(store, &channel).await;
    let stage = Stage::FetchingMessages;
    let quiet = Duration::from_millis(200);
    let none = Due::default();
    assert_eq!(store.due(stage, 0, Duration::from_secs(60), 10).await.unwrap(), none);
    tokio::time::sleep(quiet).await;
    assert_eq!(store.due(stage, 1, quiet, 10).await.unwrap(), none, "it is in the queue");
    let before = Instant::now();
    assert_eq!(store.due(stage, 0, quiet, 10).await.unwrap(), called(&task, 1));
    let again = loop {
        let due = store.due(stage, 0, quiet, 10).await.unwrap();
        if due != none {
            break due;
        }
        tokio::time::sleep(quiet / 20).await;
    };
    assert_eq!(again, called(&task, 1));
    assert!(before.elapsed() >= quiet * 2, "the pause has doubled");
}

/// One channel does not fill the queue.
pub async fn a_window_of_tasks_is_released_at_a_time(store: &dyn Store) {
    let channel = channel(store).await;
    let many = (0..250 * 40).map(|n| message(n * 30, "x")).collect();
    let (_, after) = walked(store, &channel, many).await;
    let batches = of_stage(&after, Stage::ExtractingFacts);
    assert_eq!(batches.len(), 4);
    assert!(after.job.open_tasks >= 40);
    let first = claimed(store, &batches[0]).await;
    let next = committed(store, &first.claim, Effect::GiveUp { error: error() }).await;
    assert_eq!(of_stage(&next, Stage::ExtractingFacts).len(), 1);
}

/// Twice the slots that are told, until another job waits for them; then one a slot.
pub async fn a_job_that_is_alone_fills_the_slots_there_are(store: &dyn Store) {
    let many: Vec<_> = (0..250 * 60).map(|n| message(n * 30, "x")).collect();
    let batches = async |name: &str| {
        let (_, after) = walked(store, &named_channel(store, name).await, many.clone()).await;
        of_stage(&after, Stage::ExtractingFacts)
    };
    let (extracting, gone) = (Stage::ExtractingFacts, Duration::ZERO);
    store.tell_slots("gone", &[(extracting, 100)], gone).await.unwrap();
    store.tell_slots("a", &[(Stage::FetchingMessages, 50), (extracting, 12)], LEASE).await.unwrap();
    store.tell_slots("b", &[(extracting, 8)], LEASE).await.unwrap();
    let alone = batches("C1").await;
    assert_eq!(alone.len(), 40);
    assert_eq!(batches("C2").await.len(), 20);
    let first = claimed(store, &alone[0]).await;
    let next = committed(store, &first.claim, Effect::GiveUp { error: error() }).await;
    assert_eq!(of_stage(&next, extracting).len(), 0, "others wait now");
}

/// So that work on a lost one is dropped.
pub async fn a_heartbeat_tells_which_claims_are_lost(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, task) = started(store, &channel).await;
    let held = store.claim(&task, "a", Duration::ZERO).await.unwrap().unwrap().0.claim;
    let forged = Claim { task, token: ClaimToken::random() };
    let lost = store.heartbeat(&[held.clone(), forged.clone()], LEASE).await.unwrap();
    assert_eq!(lost, [forged]);
    assert_eq!(store.expire_leases().await.unwrap().expired, 0, "it was prolonged");
}

/// The former process is gone, its queue with it.
pub async fn everything_is_taken_back_at_a_start(store: &dyn Store) {
    let channel = channel(store).await;
    let (_, task) = started(store, &channel).await;
    let fetch = claimed(store, &task).await;
    let on = PageNext::SameSlice("2".into());
    let step = PageEffect::new(vec![message(1, "x")], on);
    let batch = committed(store, &fetch.claim, Effect::Page(step)).await.released.remove(0);
    assert_eq!(store.take_back_all().await.unwrap().expired, 1);
    let quiet = Duration::from_secs(60);
    let due = store.due(Stage::FetchingMessages, 0, quiet, 9).await.unwrap();
    assert_eq!(due, called(&task, 0));
    let due = store.due(Stage::ExtractingFacts, 0, quiet, 9).await.unwrap();
    assert_eq!(due, called(&batch, 0));
    let again = claimed(store, &task).await;
    assert_eq!(again.input, domain::task::TaskInput::Fetch { cursor: Some("2".into()) });
}
