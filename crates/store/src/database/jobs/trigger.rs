//! Accepting a job.

use std::time::Duration;

use domain::{
    ChannelId, Job, JobId, JobStatus, KeyId, Stage, TaskRef, Timestamp, TraceContext, job::Counts,
    task::TaskInput,
};

use super::load;
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
    let before = jobs_so_far(write, &new.channel_id).await?;
    if let Some(active) = before.active {
        return Ok(Triggered::InProgress(active));
    }
    // Acceptance times order a channel's jobs: never two at the same microsecond, nor one before another.
    let started_at =
        before.newest.map_or(now, |newest| now.max(Timestamp::from_micros(newest.micros() + 1)));
    let job = insert(write, new, started_at).await?;
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

/// What is known of a channel's jobs before a new one.
struct SoFar {
    active: Option<JobId>,
    /// When the newest was accepted.
    newest: Option<Timestamp>,
}

async fn jobs_so_far(write: &mut Session, channel: &ChannelId) -> Result<SoFar> {
    let row = query(
        "SELECT (SELECT job_id FROM jobs
                 WHERE channel_id = $1 AND status IN ('queued', 'running')) AS active,
             (SELECT MAX(started_at) FROM jobs WHERE channel_id = $1) AS newest",
    )
    .bind(channel.as_str())
    .fetch_one(write)
    .await?;
    Ok(SoFar { active: row.optional_parsed("active")?, newest: row.optional_time("newest")? })
}

async fn insert(write: &mut Session, new: &NewJob, started_at: Timestamp) -> Result<Job> {
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
             revision, estimated_messages, open_tasks, counts, stages, asked_by, trace)
         VALUES ($1, $2, $3, $4, $5, $6, $6, 1, $7, 1, $8, $9, $10, $11)",
    )
    .bind(job.id.as_str())
    .bind(job.channel_id.as_str())
    .bind(job.status.as_str())
    .bind(job.force)
    .bind(job.trigger.as_str())
    .bind(job.started_at.micros())
    .bind(job.estimated_messages.map(u64::cast_signed))
    .bind(json::encode(&job.counts)?)
    .bind(json::encode(&job.stages)?)
    .bind(new.asked_by.as_ref().map(KeyId::as_str))
    .bind(new.trace.as_ref().map(TraceContext::as_str))
    .execute(write)
    .await?;
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
