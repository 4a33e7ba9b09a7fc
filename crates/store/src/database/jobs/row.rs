//! The row of a job.

use domain::{Job, JobId, Timestamp};
use serde::Serialize;

use crate::{
    Result,
    database::{
        Session, json,
        query::query,
        row::{Columns as _, Row},
    },
};

pub(in crate::database) async fn load(
    connection: &mut Session,
    id: &JobId,
    as_of: Timestamp,
) -> Result<Option<Job>> {
    let row = query("SELECT * FROM jobs WHERE job_id = $1")
        .bind(id.as_str())
        .fetch_optional(connection)
        .await?;
    row.map(|row| job(&row, as_of)).transpose()
}

pub(in crate::database) fn job(row: &Row, as_of: Timestamp) -> Result<Job> {
    Ok(Job {
        id: row.parsed("job_id")?,
        channel_id: row.id("channel_id")?,
        status: row.parsed("status")?,
        force: row.column("force")?,
        trigger: row.parsed("triggered_by")?,
        started_at: row.time("started_at")?,
        completed_at: row.optional_time("completed_at")?,
        as_of,
        revision: row.column("revision")?,
        estimated_messages: row
            .column::<Option<i64>>("estimated_messages")?
            .map(i64::cast_unsigned),
        total_messages: row.number("total_messages")?,
        processed_messages: row.number("processed_messages")?,
        failing_messages: row.number("failing_messages")?,
        percentage: row.number("percentage")?,
        open_tasks: row.number("open_tasks")?,
        stages: row.json("stages")?,
        counts: row.json("counts")?,
        error: row
            .column::<Option<&str>>("error")?
            .map(|text| json::decode(text, "error"))
            .transpose()?,
    })
}

/// Likewise several, in any order; what is unknown is left out.
pub(in crate::database) async fn load_all(
    connection: &mut Session,
    ids: &[&JobId],
    as_of: Timestamp,
) -> Result<Vec<Job>> {
    let rows = query("SELECT * FROM jobs WHERE job_id IN (SELECT atom FROM json_each($1))")
        .bind(json::encode(ids)?)
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| job(row, as_of)).collect()
}

/// What of a job changes, on its way into a statement.
#[derive(Serialize)]
struct Changed<'j> {
    job_id: &'j JobId,
    status: &'static str,
    completed_at: Option<i64>,
    revision: i64,
    estimated_messages: Option<u64>,
    total_messages: u64,
    processed_messages: u64,
    failing_messages: u64,
    percentage: u8,
    open_tasks: u64,
    counts: String,
    stages: String,
    error: Option<String>,
    at: i64,
}

impl<'j> Changed<'j> {
    fn new(job: &'j Job) -> Result<Self> {
        Ok(Self {
            job_id: &job.id,
            status: job.status.as_str(),
            completed_at: job.completed_at.map(Timestamp::micros),
            revision: job.revision,
            estimated_messages: job.estimated_messages,
            total_messages: job.total_messages,
            processed_messages: job.processed_messages,
            failing_messages: job.failing_messages,
            percentage: job.percentage,
            open_tasks: job.open_tasks,
            counts: json::encode(&job.counts)?,
            stages: json::encode(&job.stages)?,
            error: job.error.as_ref().map(json::encode).transpose()?,
            at: job.as_of.micros(),
        })
    }
}

/// Stores all of a job that changes.
pub(in crate::database) async fn save(connection: &mut Session, job: &Job) -> Result<()> {
    save_all(connection, std::slice::from_ref(job)).await
}

/// Likewise of several. Progress since the last save moves a job's mark of standstill.
pub(in crate::database) async fn save_all(connection: &mut Session, jobs: &[Job]) -> Result<()> {
    if jobs.is_empty() {
        return Ok(());
    }
    let changed = jobs.iter().map(Changed::new).collect::<Result<Vec<_>>>()?;
    query(
        "UPDATE jobs SET status = new.value ->> 'status',
             completed_at = CAST(new.value ->> 'completed_at' AS BIGINT),
             revision = CAST(new.value ->> 'revision' AS BIGINT),
             estimated_messages = CAST(new.value ->> 'estimated_messages' AS BIGINT),
             progressed_at = CASE WHEN total_messages + processed_messages <
                     CAST(new.value ->> 'total_messages' AS BIGINT)
                         + CAST(new.value ->> 'processed_messages' AS BIGINT)
                 THEN CAST(new.value ->> 'at' AS BIGINT) ELSE progressed_at END,
             total_messages = CAST(new.value ->> 'total_messages' AS BIGINT),
             processed_messages = CAST(new.value ->> 'processed_messages' AS BIGINT),
             failing_messages = CAST(new.value ->> 'failing_messages' AS BIGINT),
             percentage = CAST(new.value ->> 'percentage' AS BIGINT),
             open_tasks = CAST(new.value ->> 'open_tasks' AS BIGINT),
             counts = new.value ->> 'counts', stages = new.value ->> 'stages',
             error = new.value ->> 'error'
         FROM json_each($1) AS new WHERE job_id = new.value ->> 'job_id'",
    )
    .bind(json::encode(&changed)?)
    .execute(connection)
    .await?;
    Ok(())
}
