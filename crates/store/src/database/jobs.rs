//! Jobs: accepting, watching and ending them.

mod census;
mod row;
mod trigger;

use std::time::Duration;

use async_trait::async_trait;
use domain::{ChannelId, Happening, Job, JobId, JobStatus, KeyId};
use futures_util::FutureExt as _;

use super::{
    Database, Session,
    access::key_name,
    events::{NewEvent, record},
    json,
    query::{Statement, query},
    retried,
    row::Columns as _,
    session::Lane,
};
use crate::{Cancellation, Census, JobQuery, Jobs, NewJob, Result, Triggered, ledger::Ledger};

pub(super) use self::{
    row::{job, load, load_all, save, save_all},
    trigger::trigger_in,
};

#[async_trait]
impl Jobs for Database {
    async fn trigger(&self, new: NewJob) -> Result<Triggered> {
        self.together(&self.shared.gatherings.triggers, new, |database, new| {
            async { retried!(database.try_trigger(new)) }.boxed()
        })
        .await
    }

    async fn cancel(&self, id: &JobId, by: Option<&KeyId>) -> Result<Cancellation> {
        retried!(self.try_cancel(id, by))
    }

    async fn job(&self, id: &JobId) -> Result<Option<Job>> {
        let mut reader = self.read().await?;
        let now = reader.now().await?;
        load(&mut reader, id, now).await
    }

    async fn newest_job(&self, channel: &ChannelId) -> Result<Option<Job>> {
        let query = JobQuery { channel_id: Some(channel.clone()), limit: 1, ..JobQuery::default() };
        Ok(self.jobs(&query).await?.pop())
    }

    async fn census(&self) -> Result<Census> {
        census::take(&mut self.snapshot().await?).await
    }

    async fn forget_jobs(&self, age: Duration, kept: u32, limit: u32) -> Result<u64> {
        retried!(self.try_forget_jobs(age, kept, limit))
    }

    async fn jobs(&self, query: &JobQuery) -> Result<Vec<Job>> {
        let mut sql = Statement::new("SELECT * FROM jobs WHERE TRUE");
        if let Some(channel) = &query.channel_id {
            sql.push(" AND channel_id = ").push_bind(channel.as_str());
        }
        if let Some(status) = query.status {
            sql.push(" AND status = ").push_bind(status.as_str());
        }
        if let Some(before) = &query.before {
            sql.push(
                " AND (started_at, job_id) < (SELECT started_at, job_id FROM jobs WHERE job_id = ",
            )
            .push_bind(before.as_str())
            .push(")");
        }
        sql.push(" ORDER BY started_at DESC, job_id DESC LIMIT ").push_bind(query.limit);
        let mut reader = self.read().await?;
        let rows = sql.build().fetch_all(&mut reader).await?;
        let as_of = reader.now().await?;
        rows.iter().map(|row| row::job(row, as_of)).collect()
    }
}

impl Database {
    async fn try_trigger(&self, new: &[NewJob]) -> Result<Vec<Triggered>> {
        let mut write = self.begin(Lane::Durable).await?;
        let triggered = trigger_in(&mut write, new).await?;
        write.commit().await?;
        Ok(triggered)
    }

    async fn try_forget_jobs(&self, age: Duration, kept: u32, limit: u32) -> Result<u64> {
        let mut write = self.begin(Lane::Work).await?;
        let now = write.now().await?.micros();
        let old = query(
            "SELECT job_id FROM jobs AS job
             WHERE status NOT IN ('queued', 'running') AND completed_at <= $1
                 AND (SELECT COUNT(*) FROM jobs AS newer WHERE newer.channel_id = job.channel_id
                     AND (newer.started_at, newer.job_id) > (job.started_at, job.job_id)) >= $2
             ORDER BY completed_at, job_id LIMIT $3",
        )
        .bind(now - i64::try_from(age.as_micros()).unwrap_or(i64::MAX))
        .bind(kept)
        .bind(limit)
        .fetch_all(&mut write)
        .await?;
        let old = old.iter().map(|row| row.column("job_id")).collect::<Result<Vec<String>>>()?;
        if old.is_empty() {
            write.roll_back().await?;
            return Ok(0);
        }
        let ids = json::encode(&old)?;
        for statement in [
            "DELETE FROM tasks WHERE job_id IN (SELECT atom FROM json_each($1))",
            "DELETE FROM idempotency_keys WHERE job_id IN (SELECT atom FROM json_each($1))",
            "DELETE FROM jobs WHERE job_id IN (SELECT atom FROM json_each($1))",
        ] {
            query(statement).bind(ids.as_str()).execute(&mut write).await?;
        }
        write.commit().await?;
        Ok(old.len() as u64)
    }

    async fn try_cancel(&self, id: &JobId, by: Option<&KeyId>) -> Result<Cancellation> {
        let mut write = self.begin(Lane::Durable).await?;
        lock(&mut write, id).await?;
        let now = write.now().await?;
        let Some(job) = load(&mut write, id, now).await? else {
            return Ok(Cancellation::NotFound);
        };
        match (job.status, job.completed_at) {
            (JobStatus::Cancelled, Some(at)) => return Ok(Cancellation::Cancelled(job.into(), at)),
            (status, _) if status.is_terminal() => return Ok(Cancellation::NotRunning(status)),
            _ => {}
        }
        let at = job.as_of;
        let mut ledger = Ledger::new(job, at);
        ledger.end(JobStatus::Cancelled, None);
        close_tasks(&mut write, &[id]).await?;
        let job = ledger.close();
        save(&mut write, &job).await?;
        let by = match by {
            Some(key) => key_name(&mut write, key).await?,
            None => None,
        };
        let cancelled = Happening::Cancelled { by };
        record(&mut write, at, &[NewEvent::of_job(id, &cancelled)?]).await?;
        write.commit().await?;
        Ok(Cancellation::Cancelled(job.into(), at))
    }
}

/// Whoever changes a job's row or ends its tasks holds this; results are written before, tasks after.
pub(super) async fn lock(write: &mut Session, id: &JobId) -> Result<()> {
    write.lock("job", id.as_str()).await
}

/// Likewise of several, in this order, which is that of their ids.
pub(super) async fn lock_each(write: &mut Session, ids: &[&JobId]) -> Result<()> {
    write.lock_each("job", ids.iter().map(|id| id.as_str())).await
}

/// Ends every task of these jobs that has not ended: they are over.
pub(super) async fn close_tasks(write: &mut Session, ids: &[&JobId]) -> Result<()> {
    if ids.is_empty() {
        return Ok(());
    }
    let now = write.now().await?;
    query(
        "UPDATE tasks SET status = 'cancelled', claim_token = NULL, worker = NULL, lease_until = NULL,
             ended_at = $2
         WHERE job_id IN (SELECT atom FROM json_each($1))
             AND status IN ('waiting', 'ready', 'leased')",
    )
    .bind(json::encode(ids)?)
    .bind(now.micros())
    .execute(write)
    .await?;
    Ok(())
}
