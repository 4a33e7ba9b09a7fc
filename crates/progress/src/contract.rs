//! What every live view must do.
//!
//! Plain functions, each on a fresh view; [`contract!`](crate::contract!) makes tests of them.

#![expect(clippy::unwrap_used, reason = "these are tests")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use domain::{Job, JobId, JobStatus, Stage, StageProgress, Timestamp, Trigger, job::Counts};

use crate::{Progress, Rate};

const SOON: Duration = Duration::from_secs(20);

/// Makes a test of every rule. The expression makes a fresh view and may await.
#[macro_export]
macro_rules! contract {
    ($fresh:expr) => {
        $crate::contract!(@each $fresh;
            what_is_shown_is_seen,
            an_older_revision_never_replaces_a_newer_one,
            the_newest_job_of_a_channel_is_found,
            a_body_is_made_once_a_revision,
            a_watcher_sees_the_state_it_came_to_and_the_last_one,
            a_cancel_reaches_everybody_who_listens,
            a_burst_is_given_and_then_the_rate,
            turns_under_different_names_are_counted_apart,
            of_many_at_once_no_more_than_the_burst_get_a_turn,
            pauses_are_not_added_up,
            no_burst_follows_a_pause,
        );
    };
    (@each $fresh:expr; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::contract::$name(&$fresh).await;
            }
        )*
    };
}

/// A job of a channel at a revision.
#[must_use]
pub fn job(channel: &str, revision: i64) -> Job {
    let at = Timestamp::from_micros(1_000_000 + revision);
    let stage = |stage| StageProgress {
        stage,
        processed: 0,
        total: 0,
        open_tasks: 0,
        started_at: None,
        worker: None,
        ended_at: None,
        retrying: None,
    };
    Job {
        id: JobId::random(),
        channel_id: channel.into(),
        status: JobStatus::Running,
        force: false,
        trigger: Trigger::Manual,
        started_at: at,
        completed_at: None,
        as_of: at,
        revision,
        estimated_messages: None,
        total_messages: 0,
        processed_messages: 0,
        failing_messages: 0,
        percentage: 0,
        open_tasks: 1,
        stages: Stage::ALL.map(stage).to_vec(),
        counts: Counts::default(),
        error: None,
    }
}

/// By job and by channel.
pub async fn what_is_shown_is_seen(progress: &dyn Progress) {
    let job = job("C1", 3);
    assert!(progress.job(&job.id).await.unwrap().is_none());
    progress.show(&job).await.unwrap();
    assert_eq!(*progress.job(&job.id).await.unwrap().unwrap().job, job);
    assert_eq!(*progress.newest(&job.channel_id).await.unwrap().unwrap().job, job);
    assert!(progress.newest(&"C2".into()).await.unwrap().is_none());
    progress.ping().await.unwrap();
}

/// Two workers tell of their commits in any order.
pub async fn an_older_revision_never_replaces_a_newer_one(progress: &dyn Progress) {
    let newer = job("C1", 5);
    let older = Job { revision: 4, percentage: 1, ..newer.clone() };
    progress.show(&newer).await.unwrap();
    progress.show(&older).await.unwrap();
    assert_eq!(progress.job(&newer.id).await.unwrap().unwrap().job.revision, 5);
}

/// Whatever is shown last.
pub async fn the_newest_job_of_a_channel_is_found(progress: &dyn Progress) {
    let (first, second) = (job("C1", 1), job("C1", 2));
    progress.show(&second).await.unwrap();
    progress.show(&first).await.unwrap();
    let newest = progress.newest(&"C1".into()).await.unwrap().unwrap();
    assert_eq!(newest.job.id, second.id);
}

/// A poll costs a copy of a pointer.
pub async fn a_body_is_made_once_a_revision(progress: &dyn Progress) {
    let mut job = job("C1", 1);
    progress.show(&job).await.unwrap();
    let make = |text: &'static str| move |_: &Job| Bytes::from_static(text.as_bytes());
    let view = progress.job(&job.id).await.unwrap().unwrap();
    assert_eq!(view.body(make("one")), "one");
    assert_eq!(progress.job(&job.id).await.unwrap().unwrap().body(make("other")), "one");
    job.revision = 2;
    progress.show(&job).await.unwrap();
    assert_eq!(progress.job(&job.id).await.unwrap().unwrap().body(make("two")), "two");
}

/// States in between may be missed.
pub async fn a_watcher_sees_the_state_it_came_to_and_the_last_one(progress: &dyn Progress) {
    let mut job = job("C1", 1);
    let mut watch = progress.watch(&job).await.unwrap();
    let first = tokio::time::timeout(SOON, watch.next()).await.unwrap().unwrap();
    assert_eq!(first.job.revision, 1);
    for revision in 2..=9 {
        job.revision = revision;
        progress.show(&job).await.unwrap();
    }
    let mut last = first;
    while last.job.revision < 9 {
        let next = tokio::time::timeout(SOON, watch.next()).await.unwrap().unwrap();
        assert!(next.job.revision > last.job.revision);
        last = next;
    }
}

/// Each process has its own work to stop.
pub async fn a_cancel_reaches_everybody_who_listens(progress: &dyn Progress) {
    let mut one = progress.cancels().await.unwrap();
    let mut other = progress.cancels().await.unwrap();
    let id = JobId::random();
    progress.cancel(&id).await.unwrap();
    assert_eq!(tokio::time::timeout(SOON, one.next()).await.unwrap().unwrap(), id);
    assert_eq!(tokio::time::timeout(SOON, other.next()).await.unwrap().unwrap(), id);
}

const HOUR: Duration = Duration::from_secs(60 * 60);

/// Then the wait is what is left of the time between two turns.
pub async fn a_burst_is_given_and_then_the_rate(progress: &dyn Progress) {
    let rate = Rate { every: HOUR, burst: 3 };
    for _ in 0..3 {
        assert_eq!(progress.acquire("calls", rate).await.unwrap(), Duration::ZERO);
    }
    for _ in 0..2 {
        let wait = progress.acquire("calls", rate).await.unwrap();
        assert!(wait > HOUR - Duration::from_secs(60) && wait <= HOUR, "{wait:?}");
    }
    let quick = Rate { every: Duration::from_millis(20), burst: 1 };
    let begun = Instant::now();
    for _ in 0..5 {
        loop {
            let wait = progress.acquire("quick", quick).await.unwrap();
            if wait.is_zero() {
                break;
            }
            tokio::time::sleep(wait).await;
        }
    }
    assert!(begun.elapsed() >= quick.every * 4, "{:?}", begun.elapsed());
}

/// One platform's limit is not another's.
pub async fn turns_under_different_names_are_counted_apart(progress: &dyn Progress) {
    let rate = Rate { every: HOUR, burst: 1 };
    progress.pause("a", HOUR, rate).await.unwrap();
    assert!(!progress.acquire("a", rate).await.unwrap().is_zero());
    assert!(progress.acquire("b", rate).await.unwrap().is_zero());
}

/// Whoever asks at the same time is counted together.
pub async fn of_many_at_once_no_more_than_the_burst_get_a_turn(progress: &dyn Progress) {
    let rate = Rate { every: HOUR, burst: 5 };
    let asks = (0..40).map(|_| progress.acquire("calls", rate));
    let waits = futures_util::future::join_all(asks).await;
    assert_eq!(waits.into_iter().filter(|wait| wait.as_ref().unwrap().is_zero()).count(), 5);
}

/// Of thirty-two workers that hear "wait a minute" nobody waits for half an hour.
pub async fn pauses_are_not_added_up(progress: &dyn Progress) {
    let rate = Rate { every: Duration::from_millis(1), burst: 1 };
    for _ in 0..32 {
        progress.pause("calls", Duration::from_secs(60), rate).await.unwrap();
    }
    progress.pause("calls", Duration::from_millis(1), rate).await.unwrap();
    let wait = progress.acquire("calls", rate).await.unwrap();
    assert!(wait > Duration::from_secs(30) && wait <= Duration::from_secs(60), "{wait:?}");
}

/// What was saved up before is not given out the moment a pause ends.
pub async fn no_burst_follows_a_pause(progress: &dyn Progress) {
    let rate = Rate { every: HOUR, burst: 10 };
    progress.pause("calls", Duration::from_millis(50), rate).await.unwrap();
    let begun = Instant::now();
    loop {
        let wait = progress.acquire("calls", rate).await.unwrap();
        if wait.is_zero() {
            break;
        }
        assert!(wait <= Duration::from_millis(50), "{wait:?}");
        tokio::time::sleep(wait).await;
    }
    assert!(begun.elapsed() >= Duration::from_millis(40));
    assert!(!progress.acquire("calls", rate).await.unwrap().is_zero());
}
