//! Tasks that did not succeed.

use std::time::Duration;

use async_trait::async_trait;
use domain::{DeadLetterId, Stage, TaskRef};

use super::{
    Database, dead_letters, json,
    query::Statement,
    row::{Columns as _, Row},
    session::Lane,
};
use crate::{DeadLetter, FailureQuery, Failures, Result, TaskFailure};

/// What a later sync got through, or is about to try again, has failed no longer.
const FAILURES: &str = "SELECT task.job_id, task.stage, task.seq, task.status, task.messages,
     task.attempt, task.crashes, task.error, task.ended_at, job.channel_id
     FROM tasks AS task JOIN jobs AS job USING (job_id)
     WHERE task.status IN ('failed', 'poison')
         AND NOT EXISTS (SELECT 1 FROM jobs AS later WHERE later.channel_id = job.channel_id
             AND (later.started_at, later.job_id) > (job.started_at, job.job_id)
             AND (later.status IN ('queued', 'running')
                 OR (later.status = 'completed' AND later.failing_messages = 0)))";

#[async_trait]
impl Failures for Database {
    async fn failures(&self, query: &FailureQuery) -> Result<Vec<TaskFailure>> {
        let mut sql = Statement::new(FAILURES);
        if let Some(stage) = query.stage {
            sql.push(" AND task.stage = ").push_bind(stage.as_str());
        }
        if let Some(code) = query.code {
            // Within a text of the JSON its quotes would be escaped.
            let part = format!("%\"code\":\"{}\"%", code.as_str());
            sql.push(" AND task.error LIKE ").push_bind(part);
        }
        sql.push(" ORDER BY task.ended_at DESC, task.job_id, task.stage, task.seq LIMIT ")
            .push_bind(query.limit);
        let rows = sql.build().fetch_all(&mut self.read().await?).await?;
        rows.iter().map(failure).collect()
    }

    async fn keep_dead_letter(
        &self,
        stage: Option<Stage>,
        body: &[u8],
        keep: Duration,
    ) -> Result<()> {
        let mut write = self.begin(Lane::Work).await?;
        dead_letters::keep(&mut write, stage, body, keep).await?;
        write.commit().await
    }

    async fn dead_letters(&self, stage: Option<Stage>, limit: u32) -> Result<Vec<DeadLetter>> {
        dead_letters::list(&mut self.read().await?, stage, limit).await
    }

    async fn forget_dead_letters(&self, ids: &[DeadLetterId]) -> Result<u64> {
        let mut write = self.begin(Lane::Durable).await?;
        let forgotten = dead_letters::forget(&mut write, ids).await?;
        write.commit().await?;
        Ok(forgotten)
    }
}

fn failure(row: &Row) -> Result<TaskFailure> {
    Ok(TaskFailure {
        task: TaskRef {
            job_id: row.parsed("job_id")?,
            stage: row.parsed("stage")?,
            seq: row.column("seq")?,
        },
        channel_id: row.id("channel_id")?,
        poison: row.column::<&str>("status")? == "poison",
        messages: row.number("messages")?,
        attempts: row.number("attempt")?,
        crashes: row.number("crashes")?,
        error: row
            .column::<Option<&str>>("error")?
            .map(|text| json::decode(text, "error"))
            .transpose()?,
        ended_at: row.time("ended_at")?,
    })
}
