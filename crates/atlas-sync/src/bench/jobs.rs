//! Many jobs of one message, on a server that runs already.
//!
//! The server's work a job is what is measured: the load comes from few connections, and the end is read
//! from the times that the server itself stored.

use std::{
    io::{Cursor, Write as _},
    time::{Duration, Instant},
};

use domain::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};
use tokio::task::JoinSet;
use zip::{ZipWriter, write::SimpleFileOptions};

use super::{median, per, rounded};
use crate::{client::Client, commands::CliError};

/// Jobs that run alone, for the latency.
const ALONE: usize = 60;

/// Of these the first are warm-up.
const WARM_UP: usize = 10;

/// Connections that trigger at the same time.
const CLIENTS: usize = 16;

/// Imports channels of one message each, then syncs some one by one and the rest all at once.
pub(crate) async fn measure(client: &Client, jobs: usize) -> Result<Value, CliError> {
    let channels = import(client, &vec![1; jobs + ALONE]).await?;
    let (alone, together) = channels.split_at(ALONE.min(channels.len()));
    let mut latencies = Vec::new();
    for channel in alone {
        let begun = Instant::now();
        let job = trigger(client, channel).await?;
        client.follow(channel, &job, |_| {}).await?;
        latencies.push(begun.elapsed().as_secs_f64() * 1_000.0);
    }
    latencies.drain(..WARM_UP.min(latencies.len()));
    let seconds = burst(client, together).await?;
    Ok(json!({
        "jobs": together.len(),
        "jobs_per_second": rounded(1.0 / per(seconds, together.len() as u64)),
        "idle_p50_milliseconds": rounded(median(latencies)),
    }))
}

/// Brings in channels of so many messages each; answers with their ids, in order.
pub(super) async fn import(client: &Client, sizes: &[usize]) -> Result<Vec<String>, CliError> {
    let bytes = archive(sizes)
        .map_err(|error| CliError::failed(format!("the load cannot be packed: {error}")))?;
    let accepted = client.upload_bytes(bytes).await?;
    client.wait_for_import(accepted["id"].as_str().unwrap_or_default()).await?;
    Ok((0..sizes.len()).map(|n| format!("C{n}")).collect())
}

/// An export of channels with so many messages each, half an hour apart: teams of a company, so that some
/// name the same people and things and most do not.
fn archive(sizes: &[usize]) -> zip::result::ZipResult<Vec<u8>> {
    let user =
        |n: usize| json!({"id": format!("U{n}"), "team_id": "T1", "name": format!("person{n}")});
    let channel = |n: usize| json!({"id": format!("C{n}"), "name": format!("team-{n}")});
    let users: Vec<_> = (0..50).map(user).collect();
    let named: Vec<_> = (0..sizes.len()).map(channel).collect();
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let mut add = |name: String, content: Value| {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(content.to_string().as_bytes()).map_err(zip::result::ZipError::from)
    };
    add("channels.json".into(), json!(named))?;
    add("users.json".into(), json!(users))?;
    for (n, size) in sizes.iter().enumerate() {
        let said = |m: usize| {
            let seconds = 1_500_000_000 + n + 1_800 * m;
            json!({
                "type": "message", "user": format!("U{}", n % 50), "ts": format!("{seconds}.000100"),
                "text": format!(
                    "We decided to run service-{n} on PostgreSQL, see the plan-{m}.md for why."
                ),
            })
        };
        let said: Vec<_> = (0..*size).map(said).collect();
        add(format!("team-{n}/2023-11-14.json"), json!(said))?;
    }
    Ok(zip.finish()?.into_inner())
}

pub(super) async fn trigger(client: &Client, channel: &str) -> Result<String, CliError> {
    let started =
        client.send_json(Method::POST, "/api/sync", &json!({"channel_id": channel})).await?;
    Ok(started["job_id"].as_str().unwrap_or_default().to_owned())
}

/// Seconds from the acceptance of the first job to the end of the last.
async fn burst(client: &Client, channels: &[String]) -> Result<f64, CliError> {
    let mut clients = JoinSet::new();
    for share in channels.chunks(channels.len().div_ceil(CLIENTS).max(1)) {
        let (client, share) = (client.clone(), share.to_vec());
        clients.spawn(async move {
            for channel in &share {
                trigger(&client, channel).await?;
            }
            Ok::<_, CliError>(())
        });
    }
    for triggered in clients.join_all().await {
        triggered?;
    }
    for status in ["queued", "running"] {
        while is_any(client, status).await? {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
    }
    let burst = newest(client, channels.len()).await?;
    if let Some(other) = burst.iter().find(|job| job["status"] != "completed") {
        return Err(CliError::failed(format!("a sync did not complete: {other}")));
    }
    let time =
        |job: &Value, field: &str| serde_json::from_value::<Timestamp>(job[field].clone()).ok();
    let first = burst.iter().filter_map(|job| time(job, "started_at")).min();
    let last = burst.iter().filter_map(|job| time(job, "completed_at")).max();
    Ok(first.zip(last).map_or(f64::NAN, |(first, last)| last.seconds_since(first)))
}

/// The jobs that were accepted last.
async fn newest(client: &Client, count: usize) -> Result<Vec<Value>, CliError> {
    let mut jobs: Vec<Value> = Vec::new();
    while jobs.len() < count {
        let mut query = vec![("limit", "100")];
        let last = jobs.last().and_then(|job| job["job_id"].as_str()).map(str::to_owned);
        query.extend(last.as_deref().map(|last| ("before", last)));
        let mut page = client.get("/api/sync/jobs", &query).await?;
        match page["jobs"].as_array_mut() {
            Some(page) if !page.is_empty() => jobs.append(page),
            _ => return Err(CliError::failed("the server does not list the syncs that it ran")),
        }
    }
    jobs.truncate(count);
    Ok(jobs)
}

async fn is_any(client: &Client, status: &str) -> Result<bool, CliError> {
    let page = client.get("/api/sync/jobs", &[("status", status), ("limit", "1")]).await?;
    Ok(page["jobs"].as_array().is_some_and(|jobs| !jobs.is_empty()))
}
