//! Work of a worker that dies: separate processes on PostgreSQL, RabbitMQ and Redis.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::time::{Duration, Instant};

use sqlx::{Connection as _, PgConnection, Row as _};
use system_tests::{Fleet, channels_archive};

/// Enough for a worker to be found at work.
const LARGE: usize = 30_000;

/// The lease of the fleet, and two seconds.
const TAKEN_UP: Duration = Duration::from_secs(3 + 2);

/// Tasks that a process holds.
async fn held(database: &mut PgConnection, process: u32) -> Vec<i64> {
    let rows = sqlx::query(
        "SELECT seq FROM tasks WHERE stage = 'extracting_facts' AND status = 'leased'
             AND worker LIKE $1 ORDER BY seq",
    )
    .bind(format!("%-{process}"))
    .fetch_all(database)
    .await
    .unwrap();
    rows.iter().map(|row| row.get("seq")).collect()
}

/// How many of these are neither done nor held by another process.
async fn left(database: &mut PgConnection, tasks: &[i64], process: u32) -> i64 {
    let row = sqlx::query(
        "SELECT COUNT(*) FROM tasks WHERE stage = 'extracting_facts' AND seq = ANY($1)
             AND (status = 'ready' OR (status = 'leased' AND worker LIKE $2))",
    )
    .bind(tasks)
    .bind(format!("%-{process}"))
    .fetch_one(database)
    .await
    .unwrap();
    row.get(0)
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_held_is_taken_up_within_the_lease_and_two_seconds() {
    let mut fleet = Fleet::start(&["atlas-extract-worker"]).await;
    let import = fleet.api.upload(channels_archive(&[LARGE])).await;
    assert_eq!(import["status"], "completed", "{import}");
    let job = fleet.api.trigger("C0", false).await;
    let mut database = PgConnection::connect(fleet.database_url()).await.unwrap();
    loop {
        let status = fleet.api.status("C0", &job).await;
        assert_eq!(status["completed_at"].as_str(), None, "it ended before a worker held anything");
        let worker = fleet.take("atlas-extract-worker");
        let process = worker.id();
        worker.signal("STOP");
        let seen = held(&mut database, process).await;
        worker.kill();
        let killed = Instant::now();
        fleet.add("atlas-extract-worker");
        if seen.is_empty() {
            continue;
        }
        while left(&mut database, &seen, process).await > 0 {
            assert!(killed.elapsed() < TAKEN_UP, "after {:?}", killed.elapsed());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        return;
    }
}
