//! Holding a task.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    time::Duration,
};

use domain::{
    ClaimToken, Happening, Job, JobId, TaskRef, Timestamp, TraceContext,
    task::{Claim, ClaimedTask, TaskInput},
};
use serde::Serialize;

use super::fence::Held;
use crate::{
    Result,
    database::{
        Session,
        events::{NewEvent, record},
        gathering::Together,
        jobs::{load_all, lock_each, save_all},
        json,
        query::query,
        row::{self, Columns as _},
    },
    ledger::Ledger,
};

/// A task that a worker wants.
#[derive(Clone)]
pub(in crate::database) struct Wanted {
    pub(super) task: TaskRef,
    pub(super) worker: String,
    pub(super) lease: Duration,
}

impl Together for Wanted {}

/// A task on its way into a statement.
#[derive(Serialize)]
struct Row<'w> {
    job_id: &'w JobId,
    stage: &'static str,
    seq: i64,
    token: ClaimToken,
    worker: &'w str,
    lease_until: i64,
}

/// Takes tasks, of however many jobs; answers in order.
pub(super) async fn claim(
    write: &mut Session,
    wanted: &[Wanted],
) -> Result<Vec<Option<(ClaimedTask, Job)>>> {
    let mut jobs = begin(write, wanted).await?;
    let now = write.now().await?;
    let rows: Vec<_> = wanted.iter().map(|wanted| Row::new(wanted, now)).collect();
    let open: Vec<_> = rows.iter().filter(|row| jobs.contains_key(row.job_id)).collect();
    let mut taken = take(write, &open, now).await?;
    let mut claimed = Vec::with_capacity(wanted.len());
    let mut events = Vec::new();
    let mut changed = BTreeSet::new();
    for (wanted, row) in wanted.iter().zip(rows) {
        let (Some(taken), Some(ledger)) =
            (taken.remove(&row.token), jobs.get_mut(&wanted.task.job_id))
        else {
            claimed.push(None);
            continue;
        };
        if ledger.taken(wanted.task.stage, &wanted.worker) {
            changed.insert(&wanted.task.job_id);
        }
        if taken.attempt > 1 || taken.crashes > 0 {
            // What had failed is in work again; that others are is routine.
            let worker = Some(wanted.worker.clone());
            let again = Happening::Claimed { worker, attempt: taken.attempt };
            events.push(NewEvent::of_task(&wanted.task, &again)?);
        }
        claimed.push(Some(ClaimedTask {
            claim: Claim { task: wanted.task.clone(), token: row.token },
            channel_id: ledger.job.channel_id.clone(),
            input: taken.input,
            attempt: taken.attempt,
            crashes: taken.crashes,
            force: ledger.job.force,
            waited: taken.waited,
            trace: taken.trace,
        }));
    }
    let jobs: BTreeMap<JobId, Job> = jobs
        .into_iter()
        .map(|(id, ledger)| {
            let job = if changed.contains(&id) { ledger.close() } else { ledger.job };
            (id, job)
        })
        .collect();
    let saved: Vec<Job> = changed.iter().filter_map(|id| jobs.get(id)).cloned().collect();
    save_all(write, &saved).await?;
    record(write, now, &events).await?;
    let with_job = |claimed: ClaimedTask| {
        let job = jobs.get(&claimed.claim.task.job_id)?.clone();
        Some((claimed, job))
    };
    Ok(claimed.into_iter().map(|claimed| claimed.and_then(with_job)).collect())
}

/// The jobs of these tasks that are not over. Those whose row is about to change are as they are now that
/// nobody else changes them.
async fn begin(write: &mut Session, wanted: &[Wanted]) -> Result<BTreeMap<JobId, Ledger>> {
    // The first task of a stage is what begins it, as a rule.
    let first: BTreeSet<&JobId> =
        wanted.iter().filter(|wanted| wanted.task.seq == 1).map(|w| &w.task.job_id).collect();
    let held: Vec<&JobId> = first.iter().copied().collect();
    lock_each(write, &held).await?;
    let now = write.now().await?;
    let ids: BTreeSet<&JobId> = wanted.iter().map(|wanted| &wanted.task.job_id).collect();
    let mut jobs = load_open(write, &ids.into_iter().collect::<Vec<_>>(), now).await?;
    let begins = |job: &Job| {
        let mut ledger = Ledger::new(job.clone(), now);
        let mut of_job = wanted.iter().filter(|wanted| wanted.task.job_id == job.id);
        of_job.any(|wanted| ledger.taken(wanted.task.stage, &wanted.worker))
    };
    if write.is_shared() {
        let others = jobs.values().filter(|job| !first.contains(&job.id) && begins(job));
        let others: Vec<JobId> = others.map(|job| job.id.clone()).collect();
        if !others.is_empty() {
            let others: Vec<&JobId> = others.iter().collect();
            lock_each(write, &others).await?;
            jobs.retain(|id, _| !others.contains(&id));
            jobs.extend(load_open(write, &others, now).await?);
        }
    }
    Ok(jobs.into_iter().map(|(id, job)| (id, Ledger::new(job, now))).collect())
}

async fn load_open(
    write: &mut Session,
    ids: &[&JobId],
    now: Timestamp,
) -> Result<BTreeMap<JobId, Job>> {
    let jobs = load_all(write, ids, now).await?.into_iter();
    Ok(jobs.filter(|job| !job.status.is_terminal()).map(|job| (job.id.clone(), job)).collect())
}

/// What a task's row says to the worker that has taken it.
struct Taken {
    input: TaskInput,
    attempt: u32,
    crashes: u32,
    waited: Duration,
    trace: Option<TraceContext>,
}

impl Taken {
    fn read(row: &row::Row, now: Timestamp) -> Result<Self> {
        // It could be taken once it had been called for and its time had come.
        let due = row.time("not_before")?.max(row.optional_time("called_at")?.unwrap_or_default());
        let waited = match due == Timestamp::default() {
            true => Duration::ZERO,
            false => Duration::from_secs_f64(now.seconds_since(due)),
        };
        Ok(Self {
            input: row.json("input")?,
            attempt: row.number::<u32>("attempt")? + 1,
            crashes: row.number("crashes")?,
            waited,
            trace: row.column::<Option<&str>>("trace")?.and_then(|text| text.parse().ok()),
        })
    }
}

async fn take(
    write: &mut Session,
    rows: &[&Row<'_>],
    now: Timestamp,
) -> Result<HashMap<ClaimToken, Taken>> {
    if rows.is_empty() {
        return Ok(HashMap::new());
    }
    // By their keys: an index of all that is ready is not looked through for these.
    let taken = query(
        "UPDATE tasks SET status = 'leased', claim_token = wanted.value ->> 'token',
             worker = wanted.value ->> 'worker',
             lease_until = CAST(wanted.value ->> 'lease_until' AS BIGINT)
         FROM json_each($1) AS wanted
         WHERE job_id = wanted.value ->> 'job_id' AND stage = wanted.value ->> 'stage'
             AND seq = CAST(wanted.value ->> 'seq' AS BIGINT)
             AND COALESCE(status, '') = 'ready' AND not_before <= $2
         RETURNING claim_token, input, attempt, crashes, not_before,
             COALESCE(released_at, published_at) AS called_at,
             (SELECT trace FROM jobs WHERE jobs.job_id = tasks.job_id) AS trace",
    )
    .bind(json::encode(rows)?)
    .bind(now.micros())
    .fetch_all(write)
    .await?;
    taken.iter().map(|row| Ok((row.parsed("claim_token")?, Taken::read(row, now)?))).collect()
}

impl<'w> Row<'w> {
    fn new(Wanted { task, worker, lease }: &'w Wanted, now: Timestamp) -> Self {
        Self {
            job_id: &task.job_id,
            stage: task.stage.as_str(),
            seq: task.seq,
            token: ClaimToken::random(),
            worker,
            lease_until: now.plus(*lease).micros(),
        }
    }
}

pub(super) async fn give_back(write: &mut Session, claim: &Claim) -> Result<bool> {
    let outcome = query(
        "UPDATE tasks SET status = 'ready', claim_token = NULL, worker = NULL, lease_until = NULL,
             released_at = NULL
         WHERE job_id = $1 AND stage = $2 AND seq = $3 AND claim_token = $4",
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
    // In the order in which commits lock them.
    let mut ordered: Vec<&Claim> = claims.iter().collect();
    ordered.sort_by(|a, b| a.task.cmp(&b.task));
    let held: Vec<Held<'_>> = ordered.into_iter().map(Held::from).collect();
    let rows = query(
        "UPDATE tasks SET lease_until = $2 FROM json_each($1) AS held
         WHERE job_id = held.value ->> 'job_id' AND stage = held.value ->> 'stage'
             AND seq = CAST(held.value ->> 'seq' AS BIGINT) AND claim_token = held.value ->> 'token'
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
