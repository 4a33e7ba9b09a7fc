//! Work of workers that die, and calls that a broker loses: separate processes on PostgreSQL, RabbitMQ and
//! Redis.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    net::TcpListener,
    time::{Duration, Instant},
};

use sqlx::{Connection as _, PgConnection};
use system_tests::{ASK_EXTRACTOR, Crew, Fleet, channels_archive};

const EXTRACT_WORKER: &str = "atlas-extract-worker";

/// The lease of the fleet, and two seconds.
const TAKEN_UP: Duration = Duration::from_secs(3 + 2);

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
    until(&mut database, held, |held| held == 1, Duration::from_secs(60)).await;
    let worker = fleet.take(EXTRACT_WORKER);
    fleet.add_with(EXTRACT_WORKER, &[(ASK_EXTRACTOR, "")]);
    fleet.until_ready(EXTRACT_WORKER).await;
    worker.kill();
    let done = "SELECT COUNT(*) FROM tasks WHERE stage = 'extracting_facts' AND status = 'done'";
    until(&mut database, done, |done| done == 1, TAKEN_UP).await;
}
