//! Tasks that did not succeed.

use async_trait::async_trait;
use domain::TaskRef;

use super::{
    Database, json,
    query::Statement,
    row::{Columns as _, Row},
};
use crate::{FailureQuery, Failures, Result, TaskFailure};

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
