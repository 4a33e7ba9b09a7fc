use domain::{
    ChannelId, ErrorCode, Job, JobStatus, Platform, Stage, SyncError, TaskRef, Timestamp, Trigger,
    schedule::{Schedule, offset},
};
use metrics_exporter_prometheus::PrometheusBuilder;
use progress::memory::MemoryProgress;
use queue::memory::MemoryQueue;
use store::{
    Channels as _, Database, Effect, JobQuery, Jobs as _, NewChannel, NewJob, Schedules as _,
    Tasks as _, Triggered,
};

use super::*;

const MINUTE: i64 = 60_000_000;
const LEASE: Duration = Duration::from_secs(60);

/// A scheduler beside what it works on.
struct Scene {
    store: Arc<Database>,
    queue: Arc<MemoryQueue>,
    progress: Arc<MemoryProgress>,
    scheduler: Scheduler,
    _folder: tempfile::TempDir,
}

/// Calls are made again without any quiet time.
async fn scene() -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let url = format!("sqlite:{}", folder.path().join("test.db").display());
    let store = Arc::new(Database::open(&url).await.unwrap());
    let queue = Arc::new(MemoryQueue::new(100));
    let progress = Arc::new(MemoryProgress::default());
    let scheduler = Scheduler::new(
        store.clone(),
        queue.clone(),
        progress.clone(),
        Settings { quiet: Duration::ZERO, ..Settings::default() },
    );
    Scene { store, queue, progress, scheduler, _folder: folder }
}

impl Scene {
    async fn channel(&self, id: &str) -> ChannelId {
        let connection = self
            .store
            .ensure_connection(None, Platform::Slack, "T1", "test")
            .await
            .unwrap()
            .unwrap();
        let new =
            NewChannel { external_id: id.into(), name: id.to_lowercase(), topic: String::new() };
        self.store.register_channels(&connection.id, &[new]).await.unwrap().remove(0).id
    }

    /// A schedule of every minute that was due so many minutes ago.
    async fn due(&self, channel: &ChannelId, minutes_ago: i64) -> Timestamp {
        let now = self.store.now().await.unwrap();
        let due = Timestamp::from_micros(now.micros() - minutes_ago * MINUTE);
        self.set(channel, "* * * * *", Some(due)).await;
        due
    }

    async fn set(&self, channel: &ChannelId, expression: &str, next_sync: Option<Timestamp>) {
        let schedule = Schedule {
            channel_id: channel.clone(),
            expression: expression.into(),
            timezone: "UTC".into(),
            enabled: true,
            next_sync,
            last_sync: None,
        };
        self.store.set_schedule(&schedule).await.unwrap().unwrap();
    }

    async fn schedule(&self, channel: &ChannelId) -> Schedule {
        self.store.schedules(Some(channel)).await.unwrap().remove(0)
    }

    async fn started(&self, channel: &ChannelId) -> (Job, TaskRef) {
        let wanted = NewJob {
            channel_id: channel.clone(),
            force: false,
            trigger: Trigger::Manual,
            asked_by: None,
            trace: None,
            estimated_messages: None,
            idempotency: None,
        };
        match self.store.trigger(wanted).await.unwrap() {
            Triggered::Started(job, mut tasks) => (job, tasks.remove(0)),
            other => panic!("{other:?}"),
        }
    }

    /// The calls that wait for fetch workers.
    async fn calls(&self) -> u64 {
        self.queue.depth(Stage::FetchingMessages).await.unwrap()
    }
}

#[tokio::test]
async fn a_due_schedule_starts_a_job_calls_for_it_and_shows_it() {
    let scene = scene().await;
    let channel = scene.channel("C1").await;
    scene.due(&channel, 2).await;
    scene.scheduler.fire_due().await.unwrap();
    let shown = scene.progress.newest(&channel).await.unwrap().unwrap();
    assert_eq!((shown.job.trigger, shown.job.status), (Trigger::Schedule, JobStatus::Queued));
    let mut calls = scene.queue.subscribe(Stage::FetchingMessages, 1).await.unwrap();
    assert_eq!(calls.next().await.unwrap().task.job_id, shown.job.id);
    assert!(scene.schedule(&channel).await.last_sync.is_some());
}

#[tokio::test]
async fn times_that_were_missed_are_run_once() {
    let scene = scene().await;
    let channel = scene.channel("C1").await;
    scene.due(&channel, 500).await;
    let before = scene.store.now().await.unwrap();
    scene.scheduler.fire_due().await.unwrap();
    let next = scene.schedule(&channel).await.next_sync.unwrap();
    assert!(next > before && next.micros() <= before.micros() + 2 * MINUTE);
    scene.scheduler.fire_due().await.unwrap();
    assert_eq!(scene.calls().await, 1);
}

#[tokio::test]
async fn two_schedulers_start_one_job() {
    let scene = scene().await;
    let channel = scene.channel("C1").await;
    scene.due(&channel, 2).await;
    let (one, other) = tokio::join!(scene.scheduler.fire_due(), scene.scheduler.fire_due());
    one.and(other).unwrap();
    assert_eq!(scene.calls().await, 1);
}

#[tokio::test]
async fn a_channel_that_still_syncs_skips_and_goes_on_to_its_next_time() {
    let scene = scene().await;
    let channel = scene.channel("C1").await;
    let (job, _) = scene.started(&channel).await;
    let due = scene.due(&channel, 2).await;
    scene.scheduler.fire_due().await.unwrap();
    assert_eq!(scene.calls().await, 0);
    assert_eq!(scene.store.newest_job(&channel).await.unwrap().unwrap().id, job.id);
    assert!(scene.schedule(&channel).await.next_sync.unwrap() > due);
}

#[tokio::test]
async fn a_channel_starts_at_its_own_place_after_the_time() {
    let scene = scene().await;
    let mut names = (0..).map(|n| ChannelId::from(format!("C{n}")));
    let late = names.find(|name| offset(name) > Duration::from_secs(20)).unwrap();
    let channel = scene.channel(late.as_str()).await;
    scene.due(&channel, 0).await;
    scene.scheduler.fire_due().await.unwrap();
    assert_eq!(scene.calls().await, 0);
    scene.due(&channel, 1).await;
    scene.scheduler.fire_due().await.unwrap();
    assert_eq!(scene.calls().await, 1);
}

#[tokio::test]
async fn an_expression_that_is_understood_no_more_stops_and_does_not_hold_up_the_others() {
    let scene = scene().await;
    let (broken, good) = (scene.channel("C1").await, scene.channel("C2").await);
    let long_ago = Timestamp::from_micros(MINUTE);
    scene.set(&broken, "no cron at all", Some(long_ago)).await;
    scene.due(&good, 2).await;
    scene.scheduler.fire_due().await.unwrap();
    assert_eq!(scene.schedule(&broken).await.next_sync, None);
    assert!(scene.store.newest_job(&good).await.unwrap().is_some());
}

#[tokio::test]
async fn a_lost_call_is_made_again() {
    let scene = scene().await;
    let (_, task) = scene.started(&scene.channel("C1").await).await;
    scene.scheduler.sweep().await.unwrap();
    let mut calls = scene.queue.subscribe(Stage::FetchingMessages, 1).await.unwrap();
    assert_eq!(calls.next().await.unwrap().task, task);
}

#[tokio::test]
async fn a_call_that_waits_in_the_queue_is_not_made_again() {
    let scene = scene().await;
    let (_, task) = scene.started(&scene.channel("C1").await).await;
    scene.queue.publish(&[task.into()]).await.unwrap();
    scene.scheduler.sweep().await.unwrap();
    assert_eq!(scene.calls().await, 1);
}

#[tokio::test]
async fn what_a_vanished_worker_held_is_called_for_again() {
    let scene = scene().await;
    let (_, task) = scene.started(&scene.channel("C1").await).await;
    let (held, _) = scene.store.claim(&task, "gone", Duration::ZERO).await.unwrap().unwrap();
    scene.scheduler.take_turn().await.unwrap();
    assert_eq!(scene.calls().await, 1);
    let (again, _) = scene.store.claim(&task, "next", LEASE).await.unwrap().unwrap();
    assert_eq!(again.crashes, held.crashes + 1);
}

#[tokio::test]
async fn every_repair_is_counted_and_what_was_to_come_is_none() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    crate::measure::begins();
    let scene = scene().await;
    let (_, task) = scene.started(&scene.channel("C1").await).await;
    let repaired = |called_again: u8, expired_leases: u8| {
        let text = told.render();
        for (kind, count) in [("called_again", called_again), ("expired_lease", expired_leases)] {
            let line = format!("atlas_repairs_total{{kind=\"{kind}\"}} {count}\n");
            assert!(text.contains(&line), "{line}{text}");
        }
    };
    let mut calls = scene.queue.subscribe(Stage::FetchingMessages, 1).await.unwrap();
    let (held, _) = scene.store.claim(&task, "worker", LEASE).await.unwrap().unwrap();
    let error = SyncError::new(ErrorCode::PlatformError, "it hiccups");
    let retry = Effect::Retry { error, delay: Duration::ZERO, uses_attempt: true };
    scene.store.commit(&held.claim, retry).await.unwrap().unwrap();
    scene.scheduler.sweep().await.unwrap();
    repaired(0, 0);
    calls.next().await.unwrap().ack().await.unwrap();
    scene.scheduler.sweep().await.unwrap();
    repaired(1, 0);
    calls.next().await.unwrap().ack().await.unwrap();
    scene.store.claim(&task, "gone", Duration::ZERO).await.unwrap().unwrap();
    scene.scheduler.sweep().await.unwrap();
    repaired(1, 1);
}

#[tokio::test]
async fn old_jobs_are_deleted_and_counted_but_the_newest_hundred_of_a_channel_stay() {
    let recorder = PrometheusBuilder::new().build_recorder();
    let told = recorder.handle();
    let _counting = metrics::set_default_local_recorder(&recorder);
    let mut scene = scene().await;
    scene.scheduler.settings.keep = Duration::ZERO;
    let channel = scene.channel("C1").await;
    for _ in 0..103 {
        let (job, _) = scene.started(&channel).await;
        scene.store.cancel(&job.id, None).await.unwrap();
    }
    retention::Retention::default().take_turn(&scene.scheduler).await.unwrap();
    let text = told.render();
    assert!(text.contains("atlas_jobs_forgotten_total 3\n"), "{text}");
    let left = scene.store.jobs(&JobQuery { limit: 200, ..JobQuery::default() }).await.unwrap();
    assert_eq!(left.len(), 100);
}

#[tokio::test]
async fn a_full_queue_gets_the_rest_of_its_calls_later() {
    let mut scene = scene().await;
    scene.queue = Arc::new(MemoryQueue::new(1));
    scene.scheduler.queue = scene.queue.clone();
    for name in ["C1", "C2"] {
        let channel = scene.channel(name).await;
        scene.started(&channel).await;
    }
    scene.scheduler.sweep().await.unwrap();
    assert_eq!(scene.calls().await, 1);
    let mut calls = scene.queue.subscribe(Stage::FetchingMessages, 2).await.unwrap();
    let first = calls.next().await.unwrap();
    let claimed = scene.store.claim(&first.task, "worker", LEASE).await.unwrap();
    assert!(claimed.is_some());
    scene.scheduler.sweep().await.unwrap();
    assert_ne!(calls.next().await.unwrap().task, first.task);
}

#[tokio::test]
async fn it_works_until_it_is_told_to_stop() {
    let scene = scene().await;
    let channel = scene.channel("C1").await;
    scene.due(&channel, 2).await;
    let shutdown = CancellationToken::new();
    let running = tokio::spawn(scene.scheduler.run(shutdown.clone()));
    let mut calls = scene.queue.subscribe(Stage::FetchingMessages, 1).await.unwrap();
    calls.next().await.unwrap();
    shutdown.cancel();
    running.await.unwrap();
}
