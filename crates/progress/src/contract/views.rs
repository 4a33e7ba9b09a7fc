//! What is shown of jobs, to whom, and that they are cancelled.

use std::time::Duration;

use bytes::Bytes;
use domain::{Job, JobId};

use super::job;
use crate::Progress;

const SOON: Duration = Duration::from_secs(20);

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
