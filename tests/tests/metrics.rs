//! Metrics and logs, as Prometheus and a collector of logs read them from running processes.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use atlas_sync::server::Doubles;
use connectors::{
    ConnectorError,
    replay::{Replay, Step},
};
use domain::{ChannelId, Stage, TaskStatus, conversation::Conversation, fact::Extraction};
use extraction::{ExtractionError, Extractor, rules::Rules};
use serde_json::{Value, json};
use sqlx::{Connection as _, PgConnection, Row as _, SqliteConnection, migrate::Migrate as _};
use store::Store;
use system_tests::{Crew, Fleet, Rig, Scraped, channel, given, message, sample_archive};
use tokio::{sync::watch, task::JoinHandle};
use tokio_util::sync::CancellationToken;

/// The number that a count has to be.
#[track_caller]
fn assert_told(told: &Scraped, name: &str, labels: &[(&str, &str)], expected: f64) {
    let value = told.sum(name, labels);
    assert!(
        value.total_cmp(&expected).is_eq(),
        "{name} with {labels:?} is {value}, not {expected}"
    );
}

/// Finds what the rules find, once it is let; at its first call the task is taken from under it.
struct Robbed {
    rules: Rules,
    store: OnceLock<Arc<dyn Store>>,
    done: AtomicBool,
    open: watch::Sender<bool>,
}

#[async_trait]
impl Extractor for Robbed {
    fn version(&self) -> &str {
        self.rules.version()
    }

    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError> {
        if !self.done.swap(true, Ordering::SeqCst) {
            self.store.get().unwrap().take_back_all().await.unwrap();
        }
        self.open.subscribe().wait_for(|open| *open).await.unwrap();
        self.rules.extract(conversations, stop).await
    }
}

/// A service in this process, and what it is made to go through.
struct Scene {
    rig: Rig,
    replay: Arc<Replay>,
    robbed: Arc<Robbed>,
    channel: ChannelId,
}

impl Scene {
    async fn start() -> Self {
        let replay = Arc::new(Replay::new(2_000));
        let robbed = Arc::new(Robbed {
            rules: Rules::bundled().unwrap(),
            store: OnceLock::new(),
            done: AtomicBool::new(false),
            open: watch::Sender::new(true),
        });
        let rig = Rig::start_with(Doubles {
            connector: Some(replay.clone()),
            extractor: Some(robbed.clone()),
            ..Doubles::default()
        })
        .await;
        let store = rig.server().ports.store.clone();
        let channel = channel(&store).await;
        assert!(robbed.store.set(store).is_ok());
        Self { rig, replay, robbed, channel }
    }

    /// What is measured, once it is as it has to be: jobs and tasks are counted now and then.
    async fn until(&self, is_so: impl Fn(&Scraped) -> bool) -> Scraped {
        let address = self.rig.server().health_address.to_string();
        let look = async || {
            let told = Scraped::from([address.as_str()]).await;
            is_so(&told).then_some(told)
        };
        self.rig.until(look).await
    }

    async fn until_told(&self, name: &str, labels: &[(&str, &str)], expected: f64) -> Scraped {
        self.until(|told| told.sum(name, labels).total_cmp(&expected).is_eq()).await
    }

    async fn cancel(&self, job: &str) {
        let reply = self.rig.post("/api/sync/cancel", &json!({"job_id": job})).await;
        assert_eq!(reply.status, 200, "{}", reply.text);
    }

    /// A sync that goes well, but for a refused page and a claim that is lost once.
    async fn go_well(&self) {
        let said = (0..5).map(|n| message(n, "Decision: we use Redis for the cache."));
        self.replay.say(&self.channel, said);
        self.replay.script([Step::Fail(ConnectorError::Platform("it hiccups".into()))]);
        self.rig.sync("C1").await;
        let told = self.until_told("atlas_jobs", &[("status", "completed")], 1.0).await;
        for stage in Stage::ALL {
            let of_stage = [("stage", stage.as_str())];
            for name in ["atlas_task_seconds", "atlas_task_wait_seconds", "atlas_commit_seconds"] {
                assert!(told.sum(&format!("{name}_count"), &of_stage) >= 1.0, "{name} of {stage}");
            }
            let done = [("stage", stage.as_str()), ("outcome", "done")];
            assert!(told.sum("atlas_tasks_total", &done) >= 1.0, "{stage}");
            let stolen = f64::from(u8::from(stage == Stage::ExtractingFacts));
            assert_told(&told, "atlas_fenced_writes_total", &of_stage, stolen);
        }
        let retried =
            [("stage", "fetching_messages"), ("code", "PLATFORM_ERROR"), ("outcome", "retried")];
        assert_told(&told, "atlas_task_failures_total", &retried, 1.0);
        assert_told(&told, "atlas_task_failures_total", &[], 1.0);
        assert_told(&told, "atlas_repairs_total", &[], 0.0);
        let asked = [("route", "/api/sync"), ("status", "ok")];
        assert_told(&told, "atlas_request_seconds_count", &asked, 1.0);
        assert_told(&told, "atlas_build_info", &[], 1.0);
    }

    /// More batches than are released at a time, of which as many are held as there are slots.
    async fn be_busy(&self) {
        self.robbed.open.send_replace(false);
        let said = (0..10_000).map(|n| message(100 + n * 60, "The deploy went through."));
        self.replay.say(&self.channel, said);
        let job = self.rig.trigger("C1", false).await;
        let extracting = |status| [("stage", "extracting_facts"), ("status", status)];
        let told = self
            .until(|told| {
                told.sum("atlas_tasks", &extracting("leased")) > 1.0
                    && told.sum("atlas_tasks", &[("stage", "fetching_messages")]) < 1.0
            })
            .await;
        let mut stored = 0;
        for status in [TaskStatus::Waiting, TaskStatus::Ready, TaskStatus::Leased] {
            let tasks = self.stored(status).await;
            assert!(tasks > 1, "{tasks} {}", status.as_str());
            assert_told(&told, "atlas_tasks", &extracting(status.as_str()), f64::from(tasks));
            stored += tasks;
        }
        assert_told(&told, "atlas_tasks", &[], f64::from(stored));
        assert_told(&told, "atlas_jobs", &[("status", "running")], 1.0);
        assert!(told.sum("atlas_oldest_running_job_seconds", &[]) > 0.0);
        assert_told(&told, "atlas_oldest_queued_job_seconds", &[], 0.0);
        self.cancel(&job).await;
        self.robbed.open.send_replace(true);
        let told = self.until_told("atlas_jobs", &[("status", "cancelled")], 1.0).await;
        assert_told(&told, "atlas_tasks", &[], 0.0);
        assert_told(&told, "atlas_oldest_running_job_seconds", &[], 0.0);
    }

    /// Batches that stand so in the database.
    async fn stored(&self, status: TaskStatus) -> u32 {
        let url = format!("sqlite:{}?mode=ro", self.rig.database().display());
        let mut connection = SqliteConnection::connect(&url).await.unwrap();
        let sql = "SELECT COUNT(*) FROM tasks WHERE stage = 'extracting_facts' AND status = $1";
        let counted = sqlx::query(sql).bind(status.as_str()).fetch_one(&mut connection).await;
        counted.unwrap().get(0)
    }

    /// A platform that wants to be left alone, and one that lets nobody in.
    async fn be_refused(&self) {
        let fetching = |key, value| [("stage", "fetching_messages"), (key, value)];
        let retry_after = Duration::from_secs(60);
        self.replay.script([Step::Fail(ConnectorError::RateLimit { retry_after })]);
        let job = self.rig.trigger("C1", false).await;
        let told = self.until_told("atlas_tasks", &fetching("status", "postponed"), 1.0).await;
        assert_told(&told, "atlas_tasks", &fetching("status", "ready"), 0.0);
        assert_told(&told, "atlas_task_failures_total", &fetching("code", "RATE_LIMIT"), 1.0);
        self.cancel(&job).await;
        self.replay.script([Step::Fail(ConnectorError::Auth("renew them".into()))]);
        let job = self.rig.trigger("C1", false).await;
        assert_eq!(self.rig.finished("C1", &job).await["status"], "failed");
        let told = self.until_told("atlas_tasks", &fetching("status", "failed"), 1.0).await;
        assert_told(&told, "atlas_jobs", &[("status", "failed")], 1.0);
        let given_up = [("code", "AUTH_ERROR"), ("outcome", "given_up")];
        assert_told(&told, "atlas_task_failures_total", &given_up, 1.0);
    }
}

/// One test for all of a process: it counts once.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_well_what_stands_where_and_what_failed_is_measured() {
    let scene = Scene::start().await;
    scene.go_well().await;
    scene.be_busy().await;
    scene.be_refused().await;
}

/// Holds what one process holds while it brings the schema up to date, longer than statements may take.
async fn migrate_for(time: Duration) -> JoinHandle<()> {
    let mut connection = PgConnection::connect(&given("ATLAS_TEST_DATABASE_URL")).await.unwrap();
    connection.lock().await.unwrap();
    tokio::spawn(async move {
        tokio::time::sleep(time).await;
        connection.unlock().await.unwrap();
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn every_process_tells_its_metrics_and_logs_what_it_does_to_which_task() {
    let variables = vec![
        ("ATLAS_LOG_FORMAT", "json".to_owned()),
        ("ATLAS_LOG", "info,worker=debug,sqlx=warn".to_owned()),
    ];
    let migrating = migrate_for(Duration::from_millis(1_500)).await;
    let fleet = Fleet::start_with(Crew { variables, ..Crew::default() }).await;
    migrating.await.unwrap();
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let job = fleet.api.trigger(&channel, false).await;
    fleet.api.finished(&channel, &job).await;

    for member in &fleet.members {
        let told = fleet.measured(member.program).await;
        let (stage, publishes) = match member.program {
            "atlas-gateway" => (None, true),
            "atlas-fetch-worker" => (Some(Stage::FetchingMessages), true),
            "atlas-extract-worker" => (Some(Stage::ExtractingFacts), true),
            "atlas-graph-worker" => (Some(Stage::BuildingGraph), true),
            "atlas-wiki-worker" => (Some(Stage::GeneratingWiki), false),
            _ => (None, false),
        };
        assert_eq!(told.tells("atlas_publish_seconds_count", &[]), publishes, "{}", member.program);
        assert_told(&told, "atlas_publish_unconfirmed_total", &[], 0.0);
        if let Some(stage) = stage {
            let done = [("stage", stage.as_str()), ("outcome", "done")];
            assert!(told.sum("atlas_tasks_total", &done) >= 1.0, "{}", member.program);
        }
    }
    check_log(&fleet.log_lines(), &job);
}

fn check_log(lines: &[Value], job: &str) {
    for stage in Stage::ALL {
        let of_task = |line: &&Value| {
            line["message"] == "the task has ended" && line["stage"] == stage.as_str()
        };
        let line = lines.iter().find(of_task).unwrap();
        assert_eq!(line["job"], job, "{line}");
        assert!(line["task"].is_number() && line["claim"].is_string(), "{line}");
        let for_tracers = |name: &String| name.starts_with("otel.");
        assert!(!line.as_object().unwrap().keys().any(for_tracers), "{line}");
    }
    for (message, status) in
        [("a sync begins", Value::Null), ("the sync has ended", json!("completed"))]
    {
        let told: Vec<_> = lines.iter().filter(|line| line["message"] == message).collect();
        assert_eq!(told.len(), 1, "{message}: {told:?}");
        assert_eq!((&told[0]["status"], &told[0]["job"]), (&status, &json!(job)), "{told:?}");
    }
    let of_lock = |line: &&Value| line["db.statement"].to_string().contains("pg_advisory_lock");
    assert_eq!(lines.iter().find(of_lock), None, "to wait for who migrates is nothing to warn of");
}
