//! What must be true after anything that can happen.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use reqwest::Method;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection, Row as _};
use tokio::sync::OnceCell;

use crate::{Fleet, Rig, difference, dump_server, sample_archive};

/// Longest wait for a job after something has happened to it.
const AT_LAST: Duration = Duration::from_secs(120);

/// The jobs of a run, how far each was last seen, and how it ended.
#[derive(Debug, Default)]
pub struct Ledger {
    seen: BTreeMap<String, (u64, u64)>,
    endings: Vec<(String, Value)>,
}

impl Ledger {
    /// Triggers a sync and waits until it is completed.
    pub async fn sync(&mut self, fleet: &Fleet, channel: &str, force: bool) {
        let job = fleet.api.trigger(channel, force).await;
        self.completed(fleet, channel, &job).await;
    }

    /// Waits until a job is completed.
    pub async fn completed(&mut self, fleet: &Fleet, channel: &str, job: &str) {
        let begun = Instant::now();
        while self.open(fleet, channel, job).await {
            assert!(begun.elapsed() < AT_LAST, "it did not end: {}", why(fleet, job).await);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Whether a job has still to end; it must be completed then. What it tells of its progress never goes
    /// down. A gateway that does not answer is asked again.
    pub async fn open(&mut self, fleet: &Fleet, channel: &str, job: &str) -> bool {
        let path = format!("/api/sync/status?channel_id={channel}&job_id={job}");
        let Some(status) = status(fleet, &path).await else { return true };
        let number = |name: &str| status["progress"][name].as_u64().unwrap();
        let now = (number("processed_messages"), number("percentage"));
        let before = self.seen.insert(job.to_owned(), now).unwrap_or_default();
        assert!(now.0 >= before.0 && now.1 >= before.1, "it went down: {before:?} to {now:?}");
        if status["completed_at"].is_null() {
            return true;
        }
        assert_eq!(status["status"], "completed", "{status} {}", why(fleet, job).await);
        self.endings.push((path, status));
        false
    }

    /// Every job is as it was when it ended, there is no other, nothing is left open, and the rows of the
    /// sample channel are those of a calm run.
    pub async fn check(&self, fleet: &Fleet) {
        for (path, ended) in &self.endings {
            assert_eq!(status(fleet, path).await.as_ref(), Some(ended), "ended once");
        }
        assert_all_ended(fleet, self.endings.len()).await;
        let rows = dump_server(fleet.database_url(), false).await;
        assert_eq!(difference(calm().await, &rows), "");
    }
}

async fn status(fleet: &Fleet, path: &str) -> Option<Value> {
    let reply = fleet.api.try_send(fleet.api.request(Method::GET, path)).await?;
    Some(reply.body).filter(|_| reply.status == 200)
}

async fn why(fleet: &Fleet, job: &str) -> String {
    let request = fleet.api.request(Method::GET, &format!("/api/sync/why?job_id={job}"));
    fleet.api.try_send(request).await.map_or_else(String::new, |reply| reply.text)
}

/// So many jobs were completed, and no other was begun; no task is left open.
async fn assert_all_ended(fleet: &Fleet, jobs: usize) {
    let mut connection = PgConnection::connect(fleet.database_url()).await.unwrap();
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM jobs WHERE status = 'completed') AS completed,
             (SELECT COUNT(*) FROM jobs WHERE status <> 'completed') AS others,
             (SELECT COUNT(*) FROM tasks WHERE status NOT IN ('done', 'cancelled')) AS open",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    connection.close().await.unwrap();
    let count = |name: &str| row.get::<i64, _>(name);
    assert_eq!(count("completed"), i64::try_from(jobs).unwrap());
    assert_eq!((count("others"), count("open")), (0, 0));
}

/// What a calm run in one process makes of the sample channel.
pub async fn calm() -> &'static str {
    static CALM: OnceCell<String> = OnceCell::const_new();
    let make = || async {
        let mut rig = Rig::start().await;
        let channel = rig.import(sample_archive(|_| true)).await;
        rig.sync(&channel).await;
        rig.stop().await;
        rig.dump(false).await
    };
    CALM.get_or_init(make).await
}

/// A sequence that a seed decides.
pub struct Dice(pub u64);

impl Dice {
    /// A number below `sides`.
    pub fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}
