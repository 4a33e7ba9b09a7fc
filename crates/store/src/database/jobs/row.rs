//! The row of a job.

use domain::{Job, JobId, Timestamp};

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

pub(super) fn job(row: &Row, as_of: Timestamp) -> Result<Job> {
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

/// Stores all of a job that changes. Progress since the last save moves its mark of standstill.
pub(in crate::database) async fn save(connection: &mut Session, job: &Job) -> Result<()> {
    query(
        "UPDATE jobs SET status = $2, completed_at = $3, revision = $4, estimated_messages = $5,
             progressed_at = CASE WHEN total_messages + processed_messages < $6 + $7 THEN $8
                             ELSE progressed_at END,
             total_messages = $6, processed_messages = $7, failing_messages = $9, percentage = $10,
             open_tasks = $11, counts = $12, stages = $13, error = $14
         WHERE job_id = $1",
    )
    .bind(job.id.as_str())
    .bind(job.status.as_str())
    .bind(job.completed_at.map(Timestamp::micros))
    .bind(job.revision)
    .bind(job.estimated_messages.map(u64::cast_signed))
    .bind(job.total_messages.cast_signed())
    .bind(job.processed_messages.cast_signed())
    .bind(job.as_of.micros())
    .bind(job.failing_messages.cast_signed())
    .bind(i64::from(job.percentage))
    .bind(job.open_tasks.cast_signed())
    .bind(json::encode(&job.counts)?)
    .bind(json::encode(&job.stages)?)
    .bind(job.error.as_ref().map(json::encode).transpose()?)
    .execute(connection)
    .await?;
    Ok(())
}
