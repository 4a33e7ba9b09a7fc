//! One process a role, on PostgreSQL, RabbitMQ and Redis: the same rows as in one process, whatever dies.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    sync::atomic::{AtomicBool, AtomicUsize, Ordering},
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};
use serde_json::json;
use system_tests::{Api, Dice, Fleet, Ledger, calm, difference, dump_server, sample_archive};

#[tokio::test(flavor = "multi_thread")]
async fn many_processes_make_the_same_rows_as_one() {
    let more =
        ["atlas-extract-worker", "atlas-graph-worker", "atlas-scheduler", "atlas-fetch-worker"];
    let fleet = Fleet::start(&more).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    ledger.sync(&fleet, &channel, false).await;
    ledger.check(&fleet).await;
    let before = dump_server(fleet.database_url(), true).await;
    ledger.sync(&fleet, &channel, false).await;
    let after = dump_server(fleet.database_url(), true).await;
    assert_eq!(difference(&before, &after), "", "the same sync again touches no row");
    ledger.check(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_are_killed_at_random_lose_and_double_nothing() {
    const KILLS: u32 = 60;
    let workers =
        ["atlas-fetch-worker", "atlas-extract-worker", "atlas-graph-worker", "atlas-wiki-worker"];
    let mut fleet = Fleet::start(&workers).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut dice = Dice(7);
    let mut ledger = Ledger::default();
    let mut kills = 0;
    while kills < KILLS {
        let job = fleet.api.trigger(&channel, kills > 0).await;
        let mut of_job = [0; 4];
        while ledger.open(&fleet, &channel, &job).await {
            if kills < KILLS && dice.roll(3) == 0 {
                let victim = usize::try_from(dice.roll(4)).unwrap();
                // Two crashes over one task, and the third makes it poison.
                if of_job[victim] < 2 {
                    fleet.take(workers[victim]).kill();
                    fleet.add(workers[victim]);
                    of_job[victim] += 1;
                    kills += 1;
                }
            }
            tokio::time::sleep(Duration::from_millis(20 + dice.roll(150))).await;
        }
    }
    ledger.check(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_worker_that_sleeps_through_its_lease_writes_nothing_when_it_wakes() {
    let mut fleet = Fleet::start(&["atlas-extract-worker", "atlas-graph-worker"]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let job = fleet.api.trigger(&channel, false).await;
    let (one, other) = (fleet.take("atlas-extract-worker"), fleet.take("atlas-graph-worker"));
    one.signal("STOP");
    other.signal("STOP");
    let mut ledger = Ledger::default();
    ledger.completed(&fleet, &channel, &job).await;
    one.signal("CONT");
    other.signal("CONT");
    fleet.members.extend([one, other]);
    ledger.check(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn services_that_go_away_and_come_back_are_survived_without_a_restart() {
    let mut fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    ledger.sync(&fleet, &channel, false).await;
    for away in ["queue", "progress", "database"] {
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
        ledger.completed(&fleet, &channel, &job).await;
        for member in &mut fleet.members {
            assert!(member.runs(), "{} ended while the {away} was away", member.program);
        }
    }
    ledger.check(&fleet).await;
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
    let mut ledger = Ledger::default();
    ledger.completed(&fleet, &channel, &job).await;
    assert!(begun.elapsed() < Duration::from_secs(17), "{:?}", begun.elapsed());
    ledger.check(&fleet).await;
}

/// One sync after the other until a rolling restart is over, whatever becomes of the gateway meanwhile;
/// answers with their jobs, of which there are so many as yet.
async fn load(api: &Api, channel: &str, over: &AtomicBool, begun: &AtomicUsize) -> Vec<String> {
    let (mut jobs, mut lost) = (Vec::new(), false);
    while lost || !over.load(Ordering::Relaxed) {
        let body = json!({"channel_id": channel, "force": true});
        let request = api.request(Method::POST, "/api/sync").json(&body);
        // One key a sync: a reply that was lost with its gateway is asked for again.
        let request = request.header("Idempotency-Key", format!("{channel}-{}", jobs.len()));
        let reply = api.try_send(request).await;
        lost = reply.is_none();
        match reply {
            Some(reply) if reply.status == StatusCode::ACCEPTED => {
                let job = reply.body["job_id"].as_str().unwrap().to_owned();
                if jobs.last() != Some(&job) {
                    jobs.push(job);
                    begun.store(jobs.len(), Ordering::Relaxed);
                }
            }
            Some(reply) => assert_eq!(reply.code(), "SYNC_IN_PROGRESS", "{}", reply.text),
            None => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    jobs
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rolling_restart_under_load_loses_and_repeats_nothing() {
    let workers = ["atlas-extract-worker", "atlas-graph-worker"];
    let mut fleet = Fleet::start(&workers).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let (over, begun) = (AtomicBool::new(false), AtomicUsize::new(0));
    let client = fleet.client();
    let restart = async {
        let programs: Vec<_> = fleet.members.iter().map(|member| member.program).collect();
        while begun.load(Ordering::Relaxed) < 4 {
            for program in &programs {
                let old = fleet.take(program);
                // Waiting must not stop the load.
                let ended = tokio::task::spawn_blocking(|| old.end()).await.unwrap();
                assert!(ended, "{program} ends in order");
                fleet.add(program);
                if *program == "atlas-gateway" {
                    fleet.until_answers().await;
                }
            }
        }
        over.store(true, Ordering::Relaxed);
    };
    let (jobs, ()) = tokio::join!(load(&client, &channel, &over, &begun), restart);
    let mut ledger = Ledger::default();
    for job in &jobs {
        ledger.completed(&fleet, &channel, job).await;
    }
    ledger.check(&fleet).await;
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
    let rows = dump_server(fleet.database_url(), false).await;
    assert_eq!(difference(calm().await, &rows), "");
}
