//! Holding a task.

use std::time::Duration;

use domain::{
    ClaimToken, Happening, Job, JobId, TaskRef, Timestamp,
    task::{Claim, ClaimedTask},
};
use serde::Serialize;

use crate::{
    Result,
    database::{
        Session,
        events::{NewEvent, record},
        jobs::{load, lock, save},
        json,
        query::query,
        row::{Columns as _, Row},
    },
    ledger::Ledger,
};

pub(super) async fn claim(
    write: &mut Session,
    task: &TaskRef,
    worker: &str,
    now: Timestamp,
    lease: Duration,
) -> Result<Option<(ClaimedTask, Job)>> {
    let Some(mut job) = load(write, &task.job_id, now).await? else { return Ok(None) };
    if job.status.is_terminal() {
        return Ok(None);
    }
    let mut ledger = Ledger::new(job.clone(), now);
    let changes = ledger.taken(task.stage, worker);
    if changes && write.is_shared() {
        // The job's row is about to change: as it is now that nobody else changes it.
        lock(write, &task.job_id).await?;
        let Some(locked) = load(write, &task.job_id, now).await? else { return Ok(None) };
        ledger = Ledger::new(locked, now);
        ledger.taken(task.stage, worker);
    }
    let token = ClaimToken::random();
    let row = query(
        "UPDATE tasks SET status = 'leased', claim_token = $4, worker = $5, lease_until = $6
         WHERE job_id = $1 AND stage = $2 AND seq = $3 AND status = 'ready' AND not_before <= $7
         RETURNING input, attempt, crashes, not_before, COALESCE(released_at, published_at) AS called_at,
             (SELECT trace FROM jobs WHERE jobs.job_id = $1) AS trace",
    )
    .bind(task.job_id.as_str())
    .bind(task.stage.as_str())
    .bind(task.seq)
    .bind(token.as_str())
    .bind(worker)
    .bind(now.plus(lease).micros())
    .bind(now.micros())
    .fetch_optional(&mut *write)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if changes {
        job = ledger.close();
        save(write, &job).await?;
    }
    let (attempt, crashes) = (row.number::<u32>("attempt")? + 1, row.number("crashes")?);
    if attempt > 1 || crashes > 0 {
        // What had failed is in work again; that others are is routine.
        let again = Happening::Claimed { worker: Some(worker.to_owned()), attempt };
        record(write, now, &[NewEvent::of_task(task, &again)?]).await?;
    }
    let claimed = ClaimedTask {
        claim: Claim { task: task.clone(), token },
        channel_id: job.channel_id.clone(),
        input: row.json("input")?,
        attempt,
        crashes,
        force: job.force,
        waited: waited(&row, now)?,
        trace: row.column::<Option<&str>>("trace")?.and_then(|text| text.parse().ok()),
    };
    Ok(Some((claimed, job)))
}

/// How long a task could have been taken: it was called for, and its time had come.
fn waited(row: &Row, now: Timestamp) -> Result<Duration> {
    let due = row.time("not_before")?.max(row.optional_time("called_at")?.unwrap_or_default());
    match due == Timestamp::default() {
        true => Ok(Duration::ZERO),
        false => Ok(Duration::from_secs_f64(now.seconds_since(due))),
    }
}

/// A task on its way into a statement.
#[derive(Serialize)]
struct Held<'c> {
    job_id: &'c JobId,
    stage: &'static str,
    seq: i64,
    token: &'c ClaimToken,
}

impl<'c> From<&'c Claim> for Held<'c> {
    fn from(Claim { task, token }: &'c Claim) -> Self {
        Self { job_id: &task.job_id, stage: task.stage.as_str(), seq: task.seq, token }
    }
}

pub(super) async fn give_back(write: &mut Session, claim: &Claim) -> Result<bool> {
    let outcome = query(
        "UPDATE tasks SET status = 'ready', claim_token = NULL, worker = NULL, lease_until = NULL,
             released_at = NULL
         WHERE job_id = $1 AND stage = $2 AND seq = $3 AND claim_token = $4 AND status = 'leased'",
    )
    .bind(claim.task.job_id.as_str())
    .bind(claim.task.stage.as_str())
    .bind(claim.task.seq)
    .bind(claim.token.as_str())
    .execute(&mut *write)
    .await?;
    if outcome.rows_affected() == 0 {
        return Ok(false);
    }
    let now = write.now().await?;
    record(write, now, &[NewEvent::of_task(&claim.task, &Happening::GivenBack)?]).await?;
    Ok(true)
}

pub(super) async fn heartbeat(
    write: &mut Session,
    claims: &[Claim],
    now: Timestamp,
    lease: Duration,
) -> Result<Vec<Claim>> {
    let held: Vec<Held<'_>> = claims.iter().map(Held::from).collect();
    let rows = query(
        "UPDATE tasks SET lease_until = $2 FROM json_each($1) AS held
         WHERE job_id = held.value ->> 'job_id' AND stage = held.value ->> 'stage'
             AND seq = CAST(held.value ->> 'seq' AS BIGINT) AND claim_token = held.value ->> 'token'
             AND status = 'leased'
         RETURNING claim_token",
    )
    .bind(json::encode(&held)?)
    .bind(now.plus(lease).micros())
    .fetch_all(write)
    .await?;
    let kept = rows
        .iter()
        .map(|row| row.column::<String>("claim_token"))
        .collect::<Result<std::collections::BTreeSet<_>>>()?;
    Ok(claims.iter().filter(|claim| !kept.contains(claim.token.as_str())).cloned().collect())
}
