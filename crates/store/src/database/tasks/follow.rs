//! Tasks that follow, and the window of them that a job has on the queue.

use domain::{JobId, Stage, TaskRef, Timestamp, task::TaskInput};
use serde::Serialize;

use crate::{
    Result,
    database::{Session, json, query::query, row::Columns as _},
};

#[derive(Serialize)]
struct NewTask {
    seq: i64,
    input: String,
    messages: u64,
}

/// Inserts tasks outside the window, in order.
pub(super) async fn insert(
    write: &mut Session,
    job: &JobId,
    stage: Stage,
    inputs: &[TaskInput],
) -> Result<()> {
    let row =
        query("SELECT COALESCE(MAX(seq), 0) AS last FROM tasks WHERE job_id = $1 AND stage = $2")
            .bind(job.as_str())
            .bind(stage.as_str())
            .fetch_one(&mut *write)
            .await?;
    let last: i64 = row.column("last")?;
    let new_task = |(seq, input): (i64, &TaskInput)| {
        Ok(NewTask { seq, input: json::encode(input)?, messages: input.messages() })
    };
    let rows = (last + 1..).zip(inputs).map(new_task).collect::<Result<Vec<_>>>()?;
    query(
        "INSERT INTO tasks (job_id, stage, seq, status, input, messages)
         SELECT $1, $2, CAST(value ->> 'seq' AS BIGINT), 'waiting', value ->> 'input', CAST(value ->> 'messages' AS BIGINT)
         FROM json_each($3)",
    )
    .bind(job.as_str())
    .bind(stage.as_str())
    .bind(json::encode(&rows)?)
    .execute(write)
    .await?;
    Ok(())
}

/// Fills the window ([`crate::Limits::window`]); answers with what has entered it.
pub(super) async fn release(
    write: &mut Session,
    job: &JobId,
    stage: Stage,
    now: Timestamp,
) -> Result<Vec<TaskRef>> {
    let rows = query(
        "UPDATE tasks SET status = 'ready', released_at = $3
         WHERE job_id = $1 AND stage = $2 AND status = 'waiting' AND seq IN (
             SELECT seq FROM tasks WHERE job_id = $1 AND stage = $2 AND status = 'waiting'
             ORDER BY seq
             LIMIT (SELECT CASE WHEN COUNT(*) < $4 THEN $4 - COUNT(*) ELSE 0 END FROM tasks
                 WHERE job_id = $1 AND stage = $2 AND status IN ('ready', 'leased')))
         RETURNING seq",
    )
    .bind(job.as_str())
    .bind(stage.as_str())
    .bind(now.micros())
    .bind(write.window())
    .fetch_all(write)
    .await?;
    let mut released = rows
        .iter()
        .map(|row| Ok(TaskRef { job_id: job.clone(), stage, seq: row.column("seq")? }))
        .collect::<Result<Vec<_>>>()?;
    released.sort();
    Ok(released)
}
