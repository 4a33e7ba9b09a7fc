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
        "SELECT stage, status, COUNT(*) AS tasks FROM tasks
         WHERE status IN ('waiting', 'ready', 'leased', 'failed', 'poison')
         GROUP BY stage, status ORDER BY stage, status",
    )
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
        let place = (row.parsed("stage")?, row.parsed("status")?, row.number("tasks")?);
        census.tasks.push(place);
    }
    Ok(census)
}

fn age(since: Timestamp, now: Timestamp) -> Duration {
    Duration::from_micros(u64::try_from(now.micros() - since.micros()).unwrap_or(0))
}
