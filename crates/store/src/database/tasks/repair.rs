//! Repairing what stands still.

use std::{collections::BTreeMap, time::Duration};

use domain::{
    ErrorCode, Happening, Job, JobId, JobStatus, Stage, SyncError, TaskRef, Timestamp,
    task::{Claim, POISON_AFTER},
};

use super::{Fenced, outcome, settle::settle};
use crate::{
    Due, Result, Swept,
    database::{
        Session,
        events::{NewEvent, record},
        jobs::{close_tasks, load, lock, save},
        json,
        query::query,
        row::Columns as _,
    },
    ledger::Ledger,
};

/// Repairs in one transaction; the next sweep goes on.
const SLICE: u32 = 100;

/// The longest pause between two calls for a task that nobody takes.
const LONGEST_PAUSE: Duration = Duration::from_secs(5 * 60);

/// Gives back tasks whose lease has run out, or all that are leased, and sets poison aside.
pub(super) async fn take_back(
    write: &mut Session,
    expired_at: Option<Timestamp>,
    window: u32,
) -> Result<Swept> {
    let limit = if expired_at.is_some() { SLICE } else { u32::MAX };
    let now = write.now().await?;
    let rows = query(
        "SELECT job_id, stage, seq, crashes, claim_token, worker FROM tasks
         WHERE status = 'leased' AND lease_until <= $1
         ORDER BY lease_until, job_id, stage, seq LIMIT $2",
    )
    .bind(expired_at.map_or(i64::MAX, Timestamp::micros))
    .bind(limit)
    .fetch_all(&mut *write)
    .await?;
    let mut swept = Swept::default();
    let mut happened = Vec::new();
    for row in &rows {
        let task = TaskRef {
            job_id: row.parsed("job_id")?,
            stage: row.parsed("stage")?,
            seq: row.column("seq")?,
        };
        let claim = Claim { task, token: row.parsed("claim_token")? };
        let crashes = row.number::<u32>("crashes")? + 1;
        let worker = row.column("worker")?;
        let happening = match expired_at {
            Some(_) => Happening::LeaseExpired { worker, crashes },
            None => Happening::TakenBack { worker, crashes },
        };
        if crashes >= POISON_AFTER {
            swept.jobs.extend(set_aside(write, &claim, &mut swept.due, window).await?);
        } else if !give_back(write, &claim, crashes).await? {
            continue;
        } else {
            swept.due.push(claim.task.clone());
        }
        swept.expired += 1;
        happened.push((claim.task, happening));
    }
    let events = happened.iter().map(|(task, happening)| NewEvent::of_task(task, happening));
    record(write, now, &events.collect::<Result<Vec<_>>>()?).await?;
    Ok(swept)
}

async fn set_aside(
    write: &mut Session,
    claim: &Claim,
    due: &mut Vec<TaskRef>,
    window: u32,
) -> Result<Option<Job>> {
    let Some(mut fenced) = Fenced::load(write, claim).await? else { return Ok(None) };
    if !fenced.lock(write).await? {
        return Ok(None);
    }
    outcome::poison(write, &mut fenced).await?;
    let Some(committed) = settle(write, vec![fenced], window).await?.pop() else { return Ok(None) };
    due.extend(committed.released);
    Ok(Some(committed.job))
}

async fn give_back(write: &mut Session, claim: &Claim, crashes: u32) -> Result<bool> {
    let now = write.now().await?.micros();
    let Claim { task, token } = claim;
    let outcome = query(
        "UPDATE tasks SET status = 'ready', claim_token = NULL, worker = NULL, lease_until = NULL,
             crashes = $4, released_at = $5, published_at = $5, published = 0
         WHERE job_id = $1 AND stage = $2 AND seq = $3 AND claim_token = $6
             AND status = 'leased'",
    )
    .bind(task.job_id.as_str())
    .bind(task.stage.as_str())
    .bind(task.seq)
    .bind(crashes)
    .bind(now)
    .bind(token.as_str())
    .execute(write)
    .await?;
    Ok(outcome.rows_affected() == 1)
}

/// Makes every released task due again: the queue they were on was this process's, and is gone.
pub(super) async fn call_all_again(write: &mut Session) -> Result<()> {
    query(
        "UPDATE tasks SET released_at = NULL, published_at = NULL, published = 0
         WHERE status = 'ready'",
    )
    .execute(write)
    .await?;
    Ok(())
}

/// Fails jobs that have not moved for too long, with their last error.
pub(super) async fn fail_standing_still(
    write: &mut Session,
    now: Timestamp,
    standstill: Duration,
) -> Result<Vec<Job>> {
    let oldest = now.micros() - i64::try_from(standstill.as_micros()).unwrap_or(i64::MAX);
    let rows = query(
        "SELECT job_id, (SELECT error FROM tasks WHERE tasks.job_id = jobs.job_id
             AND error IS NOT NULL ORDER BY not_before DESC LIMIT 1) AS error
         FROM jobs WHERE status IN ('queued', 'running') AND progressed_at < $1 LIMIT $2",
    )
    .bind(oldest)
    .bind(SLICE)
    .fetch_all(&mut *write)
    .await?;
    let mut failed = Vec::new();
    for row in &rows {
        let error = match row.column::<Option<&str>>("error")? {
            Some(text) => json::decode(text, "error")?,
            None => SyncError::new(
                ErrorCode::InternalError,
                format!(
                    "nothing has moved for {} hours: check that a worker of every stage is running, \
                     then sync again",
                    standstill.as_secs() / (60 * 60)
                ),
            ),
        };
        let id = row.parsed("job_id")?;
        lock(write, &id).await?;
        let Some(job) = load(write, &id, now).await? else { continue };
        if job.status.is_terminal() {
            continue;
        }
        close_tasks(write, &[&job.id]).await?;
        let mut ledger = Ledger::new(job, now);
        ledger.end(JobStatus::Failed, Some(error));
        let job = ledger.close();
        save(write, &job).await?;
        failed.push(job);
    }
    Ok(failed)
}

/// Calls again for tasks that nobody has taken. One that was never called for is due at once; another
/// after a pause that doubles with every call.
pub(super) async fn due(
    write: &mut Session,
    stage: Stage,
    queued: u64,
    quiet: Duration,
    limit: u32,
) -> Result<Due> {
    // Of several sweeps one calls, the others see that it has.
    write.lock("due", stage.as_str()).await?;
    let now = write.now().await?;
    let micros = |duration: Duration| i64::try_from(duration.as_micros()).unwrap_or(i64::MAX);
    let rows = query(
        "UPDATE tasks SET published_at = $2, published = published + 1
         WHERE (job_id, stage, seq) IN (
             SELECT job_id, stage, seq FROM tasks
             WHERE stage = $1 AND status = 'ready' AND not_before <= $2
                 AND (COALESCE(published_at, released_at) IS NULL
                     OR COALESCE(published_at, released_at)
                         + CASE WHEN published > 20
                                 OR $3 << CAST(published AS INTEGER) > $4 THEN $4
                             ELSE $3 << CAST(published AS INTEGER) END <= $2)
             ORDER BY COALESCE(published_at, released_at, 0), job_id, seq
             LIMIT (SELECT CASE WHEN COUNT(*) <= $6 THEN 0 WHEN COUNT(*) - $6 < $5
                     THEN COUNT(*) - $6 ELSE $5 END
                 FROM tasks WHERE stage = $1 AND status = 'ready' AND not_before <= $2))
         RETURNING job_id, seq, released_at, published",
    )
    .bind(stage.as_str())
    .bind(now.micros())
    .bind(micros(quiet))
    .bind(micros(LONGEST_PAUSE.max(quiet)))
    .bind(limit)
    .bind(i64::try_from(queued).unwrap_or(i64::MAX))
    .fetch_all(&mut *write)
    .await?;
    let mut tasks = Vec::new();
    let mut repaired: BTreeMap<JobId, u64> = BTreeMap::new();
    for row in &rows {
        let task = TaskRef { job_id: row.parsed("job_id")?, stage, seq: row.column("seq")? };
        let first = row.column::<Option<i64>>("released_at")?.is_none()
            && row.number::<u32>("published")? == 1;
        if !first {
            *repaired.entry(task.job_id.clone()).or_default() += 1;
        }
        tasks.push(task);
    }
    tasks.sort();
    let events = repaired.iter().map(|(job, tasks)| {
        NewEvent::of_stage(job, stage, &Happening::Republished { tasks: *tasks })
    });
    record(write, now, &events.collect::<Result<Vec<_>>>()?).await?;
    Ok(Due { tasks, repaired: repaired.into_values().sum() })
}
