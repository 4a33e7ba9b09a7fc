//! Accepting a job.

use std::time::Duration;

use domain::{
    ChannelId, Job, JobId, JobStatus, KeyId, Stage, TaskRef, Timestamp, TraceContext, job::Counts,
    task::TaskInput,
};

use super::{load, save};
use crate::{
    Idempotency, NewJob, Result, Triggered,
    database::{
        Session,
        connections::{Source, source},
        json,
        query::query,
        row::Columns as _,
    },
    ledger,
};

/// How long a client's key stands for its first request.
const KEY_LIFE: Duration = Duration::from_secs(24 * 60 * 60);

/// Accepts a job inside a transaction.
pub(in crate::database) async fn trigger_in(
    write: &mut Session,
    new: &NewJob,
) -> Result<Triggered> {
    // Two requests for one channel at the same instant: the second sees what came of the first.
    write.lock("channel", new.channel_id.as_str()).await?;
    let now = write.now().await?;
    if let Some(idempotency) = &new.idempotency
        && let Some(answer) = replayed(write, idempotency, now).await?
    {
        return Ok(answer);
    }
    match source(write, &new.channel_id).await? {
        None => return Ok(Triggered::ChannelNotFound),
        Some(Source::NotChosen(connection)) => return Ok(Triggered::NotChosen(connection)),
        Some(Source::Known) => {}
    }
    if let Some(active) = active_job(write, &new.channel_id).await? {
        return Ok(Triggered::InProgress(active));
    }
    let job = insert(write, new, now).await?;
    let task = insert_first_task(write, &job).await?;
    if let Some(idempotency) = &new.idempotency {
        remember(write, idempotency, &job).await?;
    }
    Ok(Triggered::Started(job, vec![task]))
}

async fn replayed(
    write: &mut Session,
    idempotency: &Idempotency,
    now: Timestamp,
) -> Result<Option<Triggered>> {
    let oldest = now.micros() - i64::try_from(KEY_LIFE.as_micros()).unwrap_or(i64::MAX);
    query("DELETE FROM idempotency_keys WHERE created_at < $1")
        .bind(oldest)
        .execute(&mut *write)
        .await?;
    let row = query(
        "SELECT request_hash, job_id, estimated_messages FROM idempotency_keys
         WHERE key_id = $1 AND route = $2 AND idempotency_key = $3",
    )
    .bind(idempotency.key_id.as_str())
    .bind(idempotency.route)
    .bind(&idempotency.key)
    .fetch_optional(&mut *write)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.column::<&str>("request_hash")? != idempotency.request_hash {
        return Ok(Some(Triggered::KeyReused));
    }
    let estimate = row.column::<Option<i64>>("estimated_messages")?.map(i64::cast_unsigned);
    let job = load(write, &row.parsed("job_id")?, now).await?;
    Ok(job.map(|job| Triggered::Replayed(job, estimate)))
}

async fn active_job(write: &mut Session, channel: &ChannelId) -> Result<Option<JobId>> {
    let row =
        query("SELECT job_id FROM jobs WHERE channel_id = $1 AND status IN ('queued', 'running')")
            .bind(channel.as_str())
            .fetch_optional(write)
            .await?;
    row.map(|row| row.parsed("job_id")).transpose()
}

/// Acceptance times order a channel's jobs: never two at the same microsecond, nor one before another.
async fn accepted_at(
    write: &mut Session,
    channel: &ChannelId,
    now: Timestamp,
) -> Result<Timestamp> {
    let row = query("SELECT MAX(started_at) AS newest FROM jobs WHERE channel_id = $1")
        .bind(channel.as_str())
        .fetch_one(write)
        .await?;
    let newest: Option<i64> = row.column("newest")?;
    Ok(newest.map_or(now, |newest| now.max(Timestamp::from_micros(newest + 1))))
}

async fn insert(write: &mut Session, new: &NewJob, now: Timestamp) -> Result<Job> {
    let started_at = accepted_at(write, &new.channel_id, now).await?;
    let job = Job {
        id: JobId::random(),
        channel_id: new.channel_id.clone(),
        status: JobStatus::Queued,
        force: new.force,
        trigger: new.trigger,
        started_at,
        completed_at: None,
        as_of: started_at,
        revision: 1,
        estimated_messages: new.estimated_messages,
        total_messages: 0,
        processed_messages: 0,
        failing_messages: 0,
        percentage: 0,
        open_tasks: 1,
        stages: ledger::first_stages(),
        counts: Counts::default(),
        error: None,
    };
    query(
        "INSERT INTO jobs (job_id, channel_id, status, force, triggered_by, started_at, progressed_at,
             revision, open_tasks, counts, stages, asked_by, trace)
         VALUES ($1, $2, $3, $4, $5, $6, $6, 1, 1, '{}', '[]', $7, $8)",
    )
    .bind(job.id.as_str())
    .bind(job.channel_id.as_str())
    .bind(job.status.as_str())
    .bind(job.force)
    .bind(job.trigger.as_str())
    .bind(job.started_at.micros())
    .bind(new.asked_by.as_ref().map(KeyId::as_str))
    .bind(new.trace.as_ref().map(TraceContext::as_str))
    .execute(&mut *write)
    .await?;
    save(write, &job).await?;
    Ok(job)
}

async fn insert_first_task(write: &mut Session, job: &Job) -> Result<TaskRef> {
    let task = TaskRef { job_id: job.id.clone(), stage: Stage::FetchingMessages, seq: 1 };
    query(
        "INSERT INTO tasks (job_id, stage, seq, status, input, messages, released_at)
         VALUES ($1, $2, $3, 'ready', $4, 0, $5)",
    )
    .bind(task.job_id.as_str())
    .bind(task.stage.as_str())
    .bind(task.seq)
    .bind(json::encode(&TaskInput::Fetch { cursor: None })?)
    .bind(job.started_at.micros())
    .execute(write)
    .await?;
    Ok(task)
}

async fn remember(write: &mut Session, idempotency: &Idempotency, job: &Job) -> Result<()> {
    query("INSERT INTO idempotency_keys VALUES ($1, $2, $3, $4, $5, $6, $7)")
        .bind(idempotency.key_id.as_str())
        .bind(idempotency.route)
        .bind(&idempotency.key)
        .bind(&idempotency.request_hash)
        .bind(job.id.as_str())
        .bind(job.estimated_messages.map(u64::cast_signed))
        .bind(job.started_at.micros())
        .execute(write)
        .await?;
    Ok(())
}
