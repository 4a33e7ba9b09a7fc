//! One process a role, on PostgreSQL, RabbitMQ and Redis: the same rows as in one process, whatever dies.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::json;
use system_tests::{Fleet, Rig, difference, dump, dump_server, sample_archive};

/// What a calm run in one process makes of the sample channel.
async fn calm() -> String {
    let mut rig = Rig::start().await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    rig.stop().await;
    dump(&rig.database(), false).await
}

async fn assert_as_calm(fleet: &Fleet) {
    let calm = calm().await;
    let rows = dump_server(fleet.database_url(), false).await;
    assert_eq!(difference(&calm, &rows), "");
}

/// Every job ended once and left nothing open.
async fn assert_all_ended(fleet: &Fleet, jobs: usize) {
    use sqlx::{Connection as _, Row as _};

    let mut connection = sqlx::PgConnection::connect(fleet.database_url()).await.unwrap();
    let row = sqlx::query(
        "SELECT (SELECT COUNT(*) FROM jobs WHERE status = 'completed') AS completed,
             (SELECT COUNT(*) FROM jobs WHERE status <> 'completed') AS others,
             (SELECT COUNT(*) FROM tasks WHERE status NOT IN ('done', 'cancelled')) AS open",
    )
    .fetch_one(&mut connection)
    .await
    .unwrap();
    assert_eq!(row.get::<i64, _>("completed"), i64::try_from(jobs).unwrap());
    assert_eq!((row.get::<i64, _>("others"), row.get::<i64, _>("open")), (0, 0));
    connection.close().await.unwrap();
}

/// A sequence that a seed decides.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_make_the_same_rows_as_one() {
    let more =
        ["atlas-extract-worker", "atlas-graph-worker", "atlas-scheduler", "atlas-fetch-worker"];
    let fleet = Fleet::start(&more).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    fleet.api.sync(&channel).await;
    assert_as_calm(&fleet).await;
    let before = dump_server(fleet.database_url(), true).await;
    fleet.api.sync(&channel).await;
    let after = dump_server(fleet.database_url(), true).await;
    assert_eq!(difference(&before, &after), "", "the same sync again touches no row");
    assert_all_ended(&fleet, 2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_at_random_lose_and_double_nothing() {
    const KILLS: u32 = 60;
    let workers =
        ["atlas-fetch-worker", "atlas-extract-worker", "atlas-graph-worker", "atlas-wiki-worker"];
    let mut fleet = Fleet::start(&workers).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut dice = Dice(7);
    let (mut kills, mut jobs) = (0, 0);
    while kills < KILLS {
        let job = fleet.api.trigger(&channel, jobs > 0).await;
        jobs += 1;
        let mut seen = 0;
        loop {
            let status = fleet.api.status(&channel, &job).await;
            let percentage = status["progress"]["percentage"].as_u64().unwrap_or(0);
            assert!(percentage >= seen, "progress went down: {seen} to {percentage}");
            seen = percentage;
            if status["completed_at"].is_string() {
                assert_eq!(status["status"], "completed", "{status}");
                break;
            }
            // Two crashes over one task and the third makes it poison: not more than that a job.
            if kills < KILLS && dice.roll(3) == 0 {
                let victim = workers[usize::try_from(dice.roll(4)).unwrap()];
                fleet.take(victim).kill();
                fleet.add(victim);
                kills += 1;
            }
            tokio::time::sleep(Duration::from_millis(20 + dice.roll(150))).await;
        }
    }
    assert_as_calm(&fleet).await;
    assert_all_ended(&fleet, jobs).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_sleeps_through_its_lease_writes_nothing_when_it_wakes() {
    let mut fleet = Fleet::start(&["atlas-extract-worker", "atlas-graph-worker"]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let job = fleet.api.trigger(&channel, false).await;
    let (one, other) = (fleet.take("atlas-extract-worker"), fleet.take("atlas-graph-worker"));
    one.signal("STOP");
    other.signal("STOP");
    let status = fleet.api.finished(&channel, &job).await;
    assert_eq!(status["status"], "completed", "{status}");
    one.signal("CONT");
    other.signal("CONT");
    fleet.members.extend([one, other]);
    assert_as_calm(&fleet).await;
    assert_all_ended(&fleet, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_go_away_and_come_back_are_survived_without_a_restart() {
    let mut fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    fleet.api.sync(&channel).await;
    for (n, away) in ["queue", "progress", "database"].into_iter().enumerate() {
        let job = fleet.api.trigger(&channel, true).await;
        let way = match away {
            "queue" => &fleet.queue,
            "progress" => &fleet.progress,
            _ => &fleet.database,
        };
        way.cut();
        let reply = fleet.api.get(&format!("/api/sync/status?channel_id={channel}")).await;
        match away {
            "database" => {
                // The live view may still answer; what needs the truth cannot be had.
                let reply = fleet.api.get("/api/channels").await;
                assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{}", reply.text);
                assert!(reply.headers.contains_key("retry-after"));
            }
            _ => assert_eq!(reply.status, StatusCode::OK, "{away}: {}", reply.text),
        }
        tokio::time::sleep(Duration::from_secs(4)).await;
        way.mend();
        let status = fleet.api.finished(&channel, &job).await;
        assert_eq!(status["status"], "completed", "{away}: {status}");
        for member in &mut fleet.members {
            assert!(member.runs(), "{} ended while the {away} was away", member.program);
        }
        assert_all_ended(&fleet, n + 2).await;
    }
    assert_as_calm(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn emptied_queues_are_called_for_again_within_fifteen_seconds() {
    let mut fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    fleet.take("atlas-fetch-worker").kill();
    let job = fleet.api.trigger(&channel, false).await;
    let link = lapin::Connection::connect(
        &std::env::var("ATLAS_TEST_QUEUE_URL").unwrap(),
        lapin::ConnectionProperties::default(),
    )
    .await
    .unwrap();
    let broker = link.create_channel().await.unwrap();
    let queue = format!("{}.fetching_messages", fleet.prefix());
    let begun = Instant::now();
    while broker.queue_purge(queue.as_str().into(), Default::default()).await.unwrap() == 0 {
        assert!(begun.elapsed() < Duration::from_secs(20), "the call comes");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let client = redis::Client::open(std::env::var("ATLAS_TEST_PROGRESS_URL").unwrap()).unwrap();
    let mut commands = client.get_multiplexed_async_connection().await.unwrap();
    let _: () = redis::cmd("FLUSHDB").query_async(&mut commands).await.unwrap();
    fleet.add("atlas-fetch-worker");
    let begun = Instant::now();
    let status = fleet.api.finished(&channel, &job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(begun.elapsed() < Duration::from_secs(17), "{:?}", begun.elapsed());
    assert_as_calm(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_loses_and_repeats_nothing() {
    let workers = ["atlas-extract-worker", "atlas-graph-worker"];
    let mut fleet = Fleet::start(&workers).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let job = fleet.api.trigger(&channel, false).await;
    let programs: Vec<_> = fleet.members.iter().map(|member| member.program).collect();
    for program in programs {
        let old = fleet.take(program);
        assert!(old.end(), "{program} ends in order");
        fleet.add(program);
        if program == "atlas-gateway" {
            fleet.until_answers().await;
        }
    }
    let status = fleet.api.finished(&channel, &job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_as_calm(&fleet).await;
    assert_all_ended(&fleet, 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_written_after_a_cancel_by_any_process() {
    let fleet = Fleet::start(&["atlas-extract-worker", "atlas-graph-worker"]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    for wait in [0, 30, 80, 160] {
        let job = fleet.api.trigger(&channel, true).await;
        tokio::time::sleep(Duration::from_millis(wait)).await;
        let path = "/api/sync/cancel";
        let request = fleet.api.request(Method::POST, path).json(&json!({"job_id": job}));
        let reply = fleet.api.send(request).await;
        if reply.status != StatusCode::OK {
            assert_eq!(reply.code(), "SYNC_NOT_RUNNING", "{}", reply.text);
            continue;
        }
        let before = dump_server(fleet.database_url(), true).await;
        tokio::time::sleep(Duration::from_secs(1)).await;
        let after = dump_server(fleet.database_url(), true).await;
        assert_eq!(difference(&before, &after), "", "after {wait} ms");
    }
    fleet.api.sync(&channel).await;
    assert_as_calm(&fleet).await;
}
