//! What networks, machines and clocks do to many processes: the same rows as in a calm run, whatever it is.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    cmp::Ordering,
    time::{Duration, Instant},
};

use domain::{ChannelId, schedule::offset};
use reqwest::Method;
use serde_json::json;
use sqlx::{Connection as _, PgConnection, Row as _};
use system_tests::{Crew, Fleet, Ledger, PROGRAMS, Proxy, TWICE, Way, sample_archive, wrong_clock};

/// Each direction of each connection to a service swallows all that is sent, while a sync runs; what is
/// swallowed is never told, and the connections stay as they are when others can be made again.
async fn half_open(which: impl Fn(&Fleet) -> &Proxy) {
    let mut fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    for way in [Way::Mute, Way::Deaf] {
        let job = fleet.api.trigger(&channel, true).await;
        let proxy = which(&fleet);
        proxy.set(way);
        tokio::time::sleep(Duration::from_secs(4)).await;
        proxy.mend();
        ledger.completed(&fleet, &channel, &job).await;
    }
    for member in &mut fleet.members {
        assert!(member.runs(), "{} has ended", member.program);
    }
    ledger.check(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_to_the_database_are_survived() {
    half_open(|fleet| &fleet.database).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_to_the_broker_are_survived() {
    half_open(|fleet| &fleet.queue).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn half_open_connections_to_the_live_view_are_survived() {
    half_open(|fleet| &fleet.progress).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn slow_ways_cost_time_and_nothing_else() {
    let fleet = Fleet::start(&["atlas-extract-worker", "atlas-graph-worker"]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    ledger.sync(&fleet, &channel, false).await;
    for proxy in [&fleet.database, &fleet.queue, &fleet.progress] {
        proxy.set(Way::Slow(Duration::from_millis(20)));
    }
    ledger.sync(&fleet, &channel, true).await;
    ledger.check(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_delivered_twice_to_many_processes_makes_the_same_rows() {
    let fleet = Fleet::start_with(Crew {
        more: PROGRAMS[1..].to_vec(),
        doubled: PROGRAMS.to_vec(),
        variables: vec![(TWICE, "yes".to_owned())],
    })
    .await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    for force in [false, true, true] {
        ledger.sync(&fleet, &channel, force).await;
    }
    ledger.check(&fleet).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gateway_killed_between_commit_and_publish_is_made_good_by_the_sweep() {
    let mut fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    // A gateway with a way of its own to the broker, on which its call is swallowed.
    fleet.take("atlas-gateway").kill();
    let (mute, queue_url) = fleet.own_way_to_queue().await;
    fleet.add_with("atlas-gateway", &[("QUEUE_URL", &queue_url)]);
    fleet.until_answers().await;
    mute.set(Way::Mute);
    let client = fleet.client();
    let body = json!({"channel_id": channel});
    let request = client.request(Method::POST, "/api/sync").json(&body);
    let asking = tokio::spawn(async move { client.try_send(request).await.map(|_| ()) });
    let mut connection = PgConnection::connect(fleet.database_url()).await.unwrap();
    let begun = Instant::now();
    let job: String = loop {
        let row = sqlx::query("SELECT job_id FROM jobs").fetch_optional(&mut connection).await;
        if let Some(row) = row.unwrap() {
            break row.get("job_id");
        }
        assert!(begun.elapsed() < Duration::from_secs(20), "the job is stored");
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    fleet.take("atlas-gateway").kill();
    let _ = asking.await;
    fleet.add("atlas-gateway");
    fleet.until_answers().await;
    let mut ledger = Ledger::default();
    ledger.completed(&fleet, &channel, &job).await;
    ledger.check(&fleet).await;
    let why = fleet.api.get(&format!("/api/sync/why?job_id={job}")).await;
    assert!(why.text.contains("republished"), "nobody else called: {}", why.text);
}

/// Sets the next due time of a channel's schedule; answers with the instant when it is to fire.
async fn set_due(connection: &mut PgConnection, channel: &str, seconds: i64) -> i64 {
    let late = i64::try_from(offset(&ChannelId::from(channel)).as_micros()).unwrap();
    let row = sqlx::query(
        "UPDATE schedules SET next_sync =
             CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT) + $2 * 1000000 - $3
         WHERE channel_id = $1 RETURNING next_sync",
    )
    .bind(channel)
    .bind(seconds)
    .bind(late)
    .fetch_one(connection)
    .await
    .unwrap();
    row.get::<i64, _>("next_sync") + late
}

#[tokio::test(flavor = "multi_thread")]
async fn schedulers_and_workers_with_wrong_clocks_do_nothing_twice_or_early() {
    let mut fleet = Fleet::start(&[]).await;
    let folder = tempfile::tempdir().unwrap();
    fleet.take("atlas-scheduler").kill();
    for (seconds, worker) in [(3_600, "atlas-extract-worker"), (-3_600, "atlas-graph-worker")] {
        let wrong = wrong_clock(folder.path(), seconds);
        let wrong = wrong.each_ref().map(|(name, value)| (*name, value.as_str()));
        for program in ["atlas-scheduler", worker] {
            fleet.add_with(program, &wrong);
        }
    }
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let mut ledger = Ledger::default();
    ledger.sync(&fleet, &channel, false).await;
    let body = json!({"channel_id": channel, "schedule": "0 * * * *", "enabled": true});
    assert_eq!(fleet.api.put("/api/sync/schedules", &body).await.status, 200);
    let mut connection = PgConnection::connect(fleet.database_url()).await.unwrap();
    for round in 1..=3 {
        let due = set_due(&mut connection, &channel, 2).await;
        let fired = "SELECT fired_at, job_id, next_sync FROM schedule_runs
             JOIN schedules USING (channel_id) ORDER BY fired_at DESC";
        let begun = Instant::now();
        let rows = loop {
            let rows = sqlx::query(fired).fetch_all(&mut connection).await.unwrap();
            if rows.len() == round {
                break rows;
            }
            assert!(rows.len() < round && begun.elapsed() < Duration::from_secs(30), "{round}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        };
        let (at, next): (i64, i64) = (rows[0].get("fired_at"), rows[0].get("next_sync"));
        assert!(at >= due, "{} µs early", due - at);
        assert!((1..=3_600_000_000).contains(&(next - at)), "next {} µs later", next - at);
        ledger.completed(&fleet, &channel, rows[0].get("job_id")).await;
        // Both have had their turns since.
        tokio::time::sleep(Duration::from_secs(2)).await;
    }
    ledger.check(&fleet).await;
    let told = fleet.measured("atlas-scheduler").await;
    let fired = |outcome| told.sum("atlas_schedules_fired_total", &[("outcome", outcome)]);
    assert_eq!(
        (fired("started"), fired("skipped")).partial_cmp(&(3.0, 0.0)),
        Some(Ordering::Equal)
    );
    let crashes = "SELECT CAST(SUM(crashes) AS BIGINT) AS crashes FROM tasks";
    let crashes = sqlx::query(crashes).fetch_one(&mut connection).await.unwrap();
    assert_eq!(crashes.get::<i64, _>("crashes"), 0, "no lease runs out early");
}
