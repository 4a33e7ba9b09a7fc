//! Connections whose credentials are taken away, and what ends by it.

use domain::{ConnectionId, Job, JobStatus, SyncError};

use crate::{
    Result,
    database::{
        Session,
        jobs::{close_tasks, load, lock, save},
        query::query,
        row::Columns as _,
    },
    ledger::Ledger,
};

/// Takes the credentials away, and the connection with them if that is wanted; `false` when there is none.
pub(super) async fn end(write: &mut Session, id: &ConnectionId, remove: bool) -> Result<bool> {
    let now = write.now().await?;
    let outcome = query(
        "UPDATE connections SET disconnected = TRUE, error = NULL,
             deleted_at = CASE WHEN $2 THEN $3 ELSE deleted_at END,
             credentials_version = credentials_version + 1
         WHERE connection_id = $1 AND deleted_at IS NULL",
    )
    .bind(id.as_str())
    .bind(remove)
    .bind(now.micros())
    .execute(&mut *write)
    .await?;
    if outcome.rows_affected() == 0 {
        return Ok(false);
    }
    query("DELETE FROM connection_credentials WHERE connection_id = $1")
        .bind(id.as_str())
        .execute(&mut *write)
        .await?;
    if remove {
        query(
            "DELETE FROM schedules WHERE channel_id IN
                 (SELECT channel_id FROM channels WHERE connection_id = $1 AND sync_enabled = TRUE)",
        )
        .bind(id.as_str())
        .execute(write)
        .await?;
    }
    Ok(true)
}

/// Fails the jobs that walk the platform through this connection; what they have brought stays.
pub(super) async fn end_jobs(
    write: &mut Session,
    id: &ConnectionId,
    error: &SyncError,
) -> Result<Vec<Job>> {
    let rows = query(
        "SELECT job_id FROM jobs JOIN channels USING (channel_id)
         WHERE connection_id = $1 AND sync_enabled = TRUE AND status IN ('queued', 'running')
         ORDER BY job_id",
    )
    .bind(id.as_str())
    .fetch_all(&mut *write)
    .await?;
    let mut ended = Vec::new();
    for row in &rows {
        let job = row.parsed("job_id")?;
        lock(write, &job).await?;
        let now = write.now().await?;
        let Some(job) = load(write, &job, now).await? else { continue };
        if job.status.is_terminal() {
            continue;
        }
        close_tasks(write, &[&job.id]).await?;
        let mut ledger = Ledger::new(job, now);
        ledger.end(JobStatus::Failed, Some(error.clone()));
        let job = ledger.close();
        save(write, &job).await?;
        ended.push(job);
    }
    Ok(ended)
}
