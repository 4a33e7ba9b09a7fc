//! What every live view keeps, as tests that run against an adapter.
//!
//! An adapter's tests say `progress::contract!(…)` with an expression that makes a fresh, empty view
//! which believes its entries for at least a few seconds. The expression stands in an async function
//! and may await.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use domain::{ChannelId, Job, JobId, JobStatus, Timestamp, Trigger, job::Counts};
use tokio::time::{sleep, timeout};

use crate::{Progress, ProgressError, Result, View, Watch};

/// Runs every test of the contract against an adapter.
#[macro_export]
macro_rules! contract {
    ($fresh:expr) => {
        $crate::contract! {
            $fresh =>
            the_live_view_answers,
            an_unknown_job_has_no_view,
            a_job_is_shown_as_it_stands,
            a_newer_revision_replaces_an_older_one,
            an_older_revision_never_replaces_a_newer_one,
            of_many_writers_the_newest_revision_stays,
            a_channel_shows_its_newest_job,
            an_older_job_does_not_displace_the_newest,
            a_watch_begins_with_the_current_view,
            a_watch_sees_what_comes,
            a_watch_sees_a_revision_once_and_never_an_older_one,
            a_slow_watch_misses_steps_but_never_the_last,
            all_who_watch_a_job_see_it_and_nobody_else,
            a_dropped_wait_for_a_view_loses_nothing,
            a_cancel_reaches_all_who_listen,
            a_dropped_wait_for_cancels_loses_nothing,
        }
    };
    ($fresh:expr => $($name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> $crate::Result<()> {
                $crate::contract::$name($fresh).await
            }
        )+
    };
}

/// How long something may take that must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing must come for it to count as nothing.
const QUIET: Duration = Duration::from_millis(100);

/// A channel by this name.
#[must_use]
pub fn channel(name: &str) -> ChannelId {
    ChannelId::from(name)
}

/// A running job of a channel, started after every one that was made before it.
#[must_use]
pub fn job_of(channel: &ChannelId, revision: i64) -> Job {
    let id = JobId::random();
    let now = Timestamp::from_micros(1_776_076_200_000_000);
    Job {
        id,
        channel_id: channel.clone(),
        status: JobStatus::Running,
        force: false,
        trigger: Trigger::Manual,
        started_at: now,
        completed_at: None,
        as_of: now,
        revision,
        estimated_messages: Some(500),
        total_messages: 120,
        processed_messages: 60,
        failing_messages: 0,
        percentage: 12,
        open_tasks: 3,
        stages: Vec::new(),
        counts: Counts::default(),
        error: None,
    }
}

fn with_revision(job: &Job, revision: i64) -> Job {
    Job { revision, ..job.clone() }
}

async fn within<T>(work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(PATIENCE, work)
        .await
        .unwrap_or_else(|elapsed| Err(ProgressError::Unavailable(Box::new(elapsed))))
}

async fn next_revision(watch: &mut dyn Watch) -> Result<i64> {
    Ok(within(watch.next()).await?.job.revision)
}

async fn assert_nothing_comes(watch: &mut dyn Watch) {
    let came = timeout(QUIET, watch.next()).await;
    assert!(came.is_err(), "nothing should come, but this did: {came:?}");
}

fn revision(view: Option<View>) -> Option<i64> {
    view.map(|view| view.job.revision)
}

/// It answers when asked.
pub async fn the_live_view_answers(progress: Arc<dyn Progress>) -> Result<()> {
    progress.ping().await
}

/// What was never shown is told as missing, for the database to be asked.
pub async fn an_unknown_job_has_no_view(progress: Arc<dyn Progress>) -> Result<()> {
    progress.show(&job_of(&channel("C1"), 1)).await?;
    assert!(progress.job(&JobId::random()).await?.is_none());
    assert!(progress.newest(&channel("C2")).await?.is_none());
    Ok(())
}

/// Every field of a job comes back.
pub async fn a_job_is_shown_as_it_stands(progress: Arc<dyn Progress>) -> Result<()> {
    let mut job = job_of(&channel("C1"), 7);
    job.status = JobStatus::Failed;
    job.completed_at = Some(job.started_at.plus(Duration::from_millis(1_234)));
    job.error =
        Some(domain::SyncError::new(domain::ErrorCode::RateLimit, "slow down: \u{1f40c} \"'\0"));
    progress.show(&job).await?;
    assert_eq!(progress.job(&job.id).await?.as_ref().map(|view| &*view.job), Some(&job));
    assert_eq!(progress.newest(&job.channel_id).await?.map(|view| (*view.job).clone()), Some(job));
    Ok(())
}

/// The view moves on with the row.
pub async fn a_newer_revision_replaces_an_older_one(progress: Arc<dyn Progress>) -> Result<()> {
    let job = job_of(&channel("C1"), 1);
    for revision_now in [1, 2, 9, 10, 100] {
        progress.show(&with_revision(&job, revision_now)).await?;
        assert_eq!(revision(progress.job(&job.id).await?), Some(revision_now));
        assert_eq!(revision(progress.newest(&job.channel_id).await?), Some(revision_now));
    }
    Ok(())
}

/// A writer that was overtaken changes nothing, and that is no error.
pub async fn an_older_revision_never_replaces_a_newer_one(
    progress: Arc<dyn Progress>,
) -> Result<()> {
    let job = job_of(&channel("C1"), 10);
    progress.show(&job).await?;
    progress.show(&with_revision(&job, 9)).await?;
    assert_eq!(revision(progress.job(&job.id).await?), Some(10));
    assert_eq!(revision(progress.newest(&job.channel_id).await?), Some(10));
    Ok(())
}

/// However they interleave.
pub async fn of_many_writers_the_newest_revision_stays(progress: Arc<dyn Progress>) -> Result<()> {
    let job = job_of(&channel("C1"), 0);
    let mut writers = tokio::task::JoinSet::new();
    for writer in 0..8 {
        let (progress, job) = (Arc::clone(&progress), job.clone());
        writers.spawn(async move {
            for step in 0..50 {
                progress.show(&with_revision(&job, step * 8 + writer)).await?;
            }
            Ok::<(), ProgressError>(())
        });
    }
    for written in writers.join_all().await {
        written?;
    }
    assert_eq!(revision(progress.job(&job.id).await?), Some(49 * 8 + 7));
    Ok(())
}

/// The one that was begun last, each channel for itself.
pub async fn a_channel_shows_its_newest_job(progress: Arc<dyn Progress>) -> Result<()> {
    let first = job_of(&channel("C1"), 50);
    let second = job_of(&channel("C1"), 1);
    let other = job_of(&channel("C2"), 1);
    for job in [&first, &second, &other] {
        progress.show(job).await?;
    }
    let newest = progress.newest(&channel("C1")).await?.map(|view| view.job.id.clone());
    assert_eq!(newest, Some(second.id));
    assert!(progress.job(&first.id).await?.is_some());
    Ok(())
}

/// A late word of a job that is over does not hide the one that runs.
pub async fn an_older_job_does_not_displace_the_newest(progress: Arc<dyn Progress>) -> Result<()> {
    let old = job_of(&channel("C1"), 1);
    let new = job_of(&channel("C1"), 1);
    progress.show(&new).await?;
    progress.show(&with_revision(&old, 99)).await?;
    let newest = progress.newest(&channel("C1")).await?.map(|view| view.job.id.clone());
    assert_eq!(newest, Some(new.id));
    Ok(())
}

/// Who comes late learns how it stands.
pub async fn a_watch_begins_with_the_current_view(progress: Arc<dyn Progress>) -> Result<()> {
    let job = job_of(&channel("C1"), 3);
    progress.show(&job).await?;
    let mut watch = progress.watch(&job.id).await?;
    assert_eq!(*within(watch.next()).await?.job, job);
    Ok(())
}

/// Also of a job that nothing is known about yet.
pub async fn a_watch_sees_what_comes(progress: Arc<dyn Progress>) -> Result<()> {
    let job = job_of(&channel("C1"), 0);
    let mut watch = progress.watch(&job.id).await?;
    for step in 1..=5 {
        progress.show(&with_revision(&job, step)).await?;
        assert_eq!(next_revision(&mut *watch).await?, step);
    }
    Ok(())
}

/// The same state shown again is no news.
pub async fn a_watch_sees_a_revision_once_and_never_an_older_one(
    progress: Arc<dyn Progress>,
) -> Result<()> {
    let job = job_of(&channel("C1"), 5);
    progress.show(&job).await?;
    let mut watch = progress.watch(&job.id).await?;
    assert_eq!(next_revision(&mut *watch).await?, 5);
    progress.show(&job).await?;
    progress.show(&with_revision(&job, 4)).await?;
    assert_nothing_comes(&mut *watch).await;
    Ok(())
}

/// Its reader may take its time; the end of a job still arrives.
pub async fn a_slow_watch_misses_steps_but_never_the_last(
    progress: Arc<dyn Progress>,
) -> Result<()> {
    const LAST: i64 = 3_000;
    let job = job_of(&channel("C1"), 1);
    let mut watch = progress.watch(&job.id).await?;
    for step in 1..=LAST {
        progress.show(&with_revision(&job, step)).await?;
    }
    let mut seen = 0;
    while seen < LAST {
        let next = next_revision(&mut *watch).await?;
        assert!(next > seen, "{next} came after {seen}");
        seen = next;
    }
    assert_nothing_comes(&mut *watch).await;
    Ok(())
}

/// Everyone who asked, and only they.
pub async fn all_who_watch_a_job_see_it_and_nobody_else(progress: Arc<dyn Progress>) -> Result<()> {
    let job = job_of(&channel("C1"), 1);
    let mut one = progress.watch(&job.id).await?;
    let mut two = progress.watch(&job.id).await?;
    let mut stranger = progress.watch(&JobId::random()).await?;
    progress.show(&job).await?;
    assert_eq!(next_revision(&mut *one).await?, 1);
    drop(one);
    progress.show(&with_revision(&job, 2)).await?;
    let mut seen = next_revision(&mut *two).await?;
    while seen < 2 {
        seen = next_revision(&mut *two).await?;
    }
    assert_nothing_comes(&mut *stranger).await;
    Ok(())
}

/// Readers wait beside other things and often stop waiting halfway.
pub async fn a_dropped_wait_for_a_view_loses_nothing(progress: Arc<dyn Progress>) -> Result<()> {
    let job = job_of(&channel("C1"), 1);
    let mut watch = progress.watch(&job.id).await?;
    for step in 1..=20 {
        let abandoned = timeout(Duration::from_millis(1), watch.next()).await;
        assert!(abandoned.is_err(), "nothing was shown yet: {abandoned:?}");
        progress.show(&with_revision(&job, step)).await?;
        assert_eq!(next_revision(&mut *watch).await?, step);
    }
    Ok(())
}

/// Every worker hears of it, however many come at once.
pub async fn a_cancel_reaches_all_who_listen(progress: Arc<dyn Progress>) -> Result<()> {
    let mut one = progress.cancels().await?;
    let mut two = progress.cancels().await?;
    let ids: BTreeSet<JobId> = (0..100).map(|_| JobId::random()).collect();
    for id in &ids {
        progress.cancel(id).await?;
    }
    for listener in [&mut one, &mut two] {
        let mut heard = BTreeSet::new();
        while heard.len() < ids.len() {
            heard.insert(within(listener.next()).await?);
        }
        assert_eq!(heard, ids);
    }
    Ok(())
}

/// A worker listens beside its work.
pub async fn a_dropped_wait_for_cancels_loses_nothing(progress: Arc<dyn Progress>) -> Result<()> {
    let mut cancels = progress.cancels().await?;
    for _ in 0..20 {
        let abandoned = timeout(Duration::from_millis(1), cancels.next()).await;
        assert!(abandoned.is_err(), "nothing was cancelled yet: {abandoned:?}");
        let id = JobId::random();
        progress.cancel(&id).await?;
        sleep(Duration::from_millis(1)).await;
        assert_eq!(within(cancels.next()).await?, id);
    }
    Ok(())
}
