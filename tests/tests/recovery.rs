//! Work of workers that die, and calls that a broker loses: separate processes on PostgreSQL, RabbitMQ and
//! Redis.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use domain::Stage;
use lapin::{Connection as Broker, ConnectionProperties, options::QueuePurgeOptions};
use sqlx::{Connection as _, PgConnection};
use system_tests::{ASK_EXTRACTOR, Crew, Fleet, channels_archive, given};

const EXTRACT_WORKER: &str = "atlas-extract-worker";

const WORKERS: [&str; 4] =
    ["atlas-fetch-worker", EXTRACT_WORKER, "atlas-graph-worker", "atlas-wiki-worker"];

/// The lease of the fleet, and two seconds.
const TAKEN_UP: Duration = Duration::from_secs(3 + 2);

/// When all that is released is called for again, after every queue was emptied.
const CALLED_AGAIN: Duration = Duration::from_secs(15);

/// Longer than anything takes that is not measured.
const LONG: Duration = Duration::from_secs(60);

/// A number that the database tells.
async fn number(database: &mut PgConnection, question: &'static str) -> i64 {
    sqlx::query_scalar(question).fetch_one(database).await.unwrap()
}

/// Waits until a number is as wanted, for so long at most.
async fn until(
    database: &mut PgConnection,
    question: &'static str,
    wanted: impl Fn(i64) -> bool,
    limit: Duration,
) {
    let begun = Instant::now();
    loop {
        let told = number(database, question).await;
        if wanted(told) {
            return;
        }
        assert!(begun.elapsed() < limit, "{told} after {:?}: {question}", begun.elapsed());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_killed_worker_held_is_taken_up_within_the_lease_and_two_seconds() {
    // An extractor that never answers: its worker holds the task for as long as it lives.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let mut fleet = Fleet::start_with(Crew {
        doubled: vec![EXTRACT_WORKER],
        variables: vec![(ASK_EXTRACTOR, silent.local_addr().unwrap().to_string())],
        ..Crew::default()
    })
    .await;
    let import = fleet.api.upload(channels_archive(&[20])).await;
    assert_eq!(import["status"], "completed", "{import}");
    fleet.api.trigger("C0", false).await;
    let mut database = PgConnection::connect(fleet.database_url()).await.unwrap();
    let held = "SELECT COUNT(*) FROM tasks WHERE stage = 'extracting_facts' AND status = 'leased'";
    until(&mut database, held, |held| held == 1, LONG).await;
    let worker = fleet.take(EXTRACT_WORKER);
    fleet.add_with(EXTRACT_WORKER, &[(ASK_EXTRACTOR, "")]);
    fleet.until_ready(EXTRACT_WORKER).await;
    worker.kill();
    let done = "SELECT COUNT(*) FROM tasks WHERE stage = 'extracting_facts' AND status = 'done'";
    until(&mut database, done, |done| done == 1, TAKEN_UP).await;
}

/// Empties the queues of all stages; answers with how many calls were in each.
async fn purge(prefix: &str) -> Vec<u32> {
    let url = given("ATLAS_TEST_QUEUE_URL");
    let broker = Broker::connect(&url, ConnectionProperties::default()).await.unwrap();
    let channel = broker.create_channel().await.unwrap();
    let mut purged = Vec::new();
    for stage in Stage::ALL {
        let queue = format!("{prefix}.{stage}");
        let options = QueuePurgeOptions::default();
        purged.push(channel.queue_purge(queue.as_str().into(), options).await.unwrap());
    }
    broker.close(0, "done".into()).await.unwrap();
    purged
}

#[tokio::test(flavor = "multi_thread")]
async fn what_all_queues_lost_is_called_for_again_within_fifteen_seconds() {
    // More than one turn of the sweep calls for.
    const SMALL: usize = 300;
    const LARGE: usize = 30_000;
    let mut fleet = Fleet::start(&[]).await;
    let mut sizes = vec![1; SMALL + 1];
    sizes[0] = LARGE;
    let import = fleet.api.upload(channels_archive(&sizes)).await;
    assert_eq!(import["status"], "completed", "{import}");
    let mut database = PgConnection::connect(fleet.database_url()).await.unwrap();
    fleet.api.trigger("C0", false).await;
    let busy = "SELECT COUNT(DISTINCT stage) FROM tasks WHERE status = 'ready'";
    until(&mut database, busy, |stages| stages >= 2, LONG).await;
    // From now on nobody takes anything, and what was held comes back by the sweep.
    for worker in WORKERS {
        fleet.take(worker).kill();
    }
    for n in 1..=SMALL {
        fleet.api.trigger(&format!("C{n}"), false).await;
    }
    let held = "SELECT COUNT(*) FROM tasks WHERE status = 'leased'";
    until(&mut database, held, |held| held == 0, LONG).await;
    let purged = purge(fleet.prefix()).await;
    assert!(purged[0] >= 300 && purged[1] > 0, "{purged:?}");
    sqlx::raw_sql(
        "CREATE TABLE purged AS
         SELECT (EXTRACT(EPOCH FROM clock_timestamp()) * 1000000)::BIGINT AS at",
    )
    .execute(&mut database)
    .await
    .unwrap();
    let lost = "SELECT COUNT(*) FROM tasks, purged
                WHERE status = 'ready' AND COALESCE(published_at, 0) < at";
    until(&mut database, lost, |lost| lost == 0, CALLED_AGAIN).await;
}
