//! How many jobs and tasks stand where.

use std::time::Duration;

use domain::{JobStatus, Timestamp};

use crate::{
    Census, Result,
    database::{Session, query::query, row::Columns as _},
};

pub(super) async fn take(session: &mut Session) -> Result<Census> {
    let now = session.now().await?;
    let jobs = query(
        "SELECT status, COUNT(*) AS jobs, MIN(started_at) AS oldest FROM jobs
         GROUP BY status ORDER BY status",
    )
    .fetch_all(session)
    .await?;
    let tasks = query(
        "SELECT stage, status,
             CAST(CASE WHEN status = 'ready' AND not_before > $1 THEN 1 ELSE 0 END AS BIGINT) AS postponed,
             COUNT(*) AS tasks
         FROM tasks WHERE status IN ('waiting', 'ready', 'leased', 'failed', 'poison')
         GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
    )
    .bind(now.micros())
    .fetch_all(session)
    .await?;
    let mut census = Census::default();
    for row in &jobs {
        let status: JobStatus = row.parsed("status")?;
        let age = age(row.time("oldest")?, now);
        match status {
            JobStatus::Queued => census.oldest_queued = age,
            JobStatus::Running => census.oldest_running = age,
            _ => {}
        }
        census.jobs.push((status, row.number("jobs")?));
    }
    for row in &tasks {
        let (stage, tasks) = (row.parsed("stage")?, row.number("tasks")?);
        match row.number::<u8>("postponed")? {
            0 => census.tasks.push((stage, row.parsed("status")?, tasks)),
            _ => census.postponed.push((stage, tasks)),
        }
    }
    Ok(census)
}

fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(now.micros() - since.micros()).unwrap_or(0))
}
