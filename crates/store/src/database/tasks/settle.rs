//! What commits do to their jobs and tasks, for all jobs of a transaction by the same few statements.

use domain::{JobId, JobStatus, Stage, SyncError, TaskRef, task::TaskInput};
use serde::Serialize;

use super::{Fenced, window};
use crate::{
    Committed, Result,
    database::{
        Session,
        jobs::{close_tasks, save_all},
        json,
        query::query,
        row::Columns as _,
    },
};

/// Ends tasks, inserts what follows, releases what there is room for and stores the jobs; each is of
/// another job. The last task of all but the wiki calls for the wiki.
pub(super) async fn settle(
    write: &mut Session,
    mut tasks: Vec<Fenced>,
    window: u32,
) -> Result<Vec<Committed>> {
    end(write, &tasks).await?;
    for task in &mut tasks {
        close(write, task).await?;
    }
    let over = |task: &&Fenced| task.ledger.job.status.is_terminal();
    let ended: Vec<_> = tasks.iter().filter(over).map(|task| &task.task.job_id).collect();
    close_tasks(write, &ended).await?;
    let mut released = window::fill(write, &mut tasks, window).await?;
    let mut jobs = Vec::with_capacity(tasks.len());
    let mut committed = Vec::with_capacity(tasks.len());
    for task in tasks {
        let Fenced { mut ledger, counts, more, .. } = task;
        ledger.count(counts);
        let job = ledger.close();
        let released = released.remove(&job.id).unwrap_or_default();
        jobs.push(job.clone());
        committed.push(Committed { job, released, more });
    }
    save_all(write, &jobs).await?;
    Ok(committed)
}

#[derive(Serialize)]
struct Ended<'t> {
    job_id: &'t JobId,
    stage: &'static str,
    seq: i64,
    status: &'static str,
    at: i64,
}

async fn end(write: &mut Session, tasks: &[Fenced]) -> Result<()> {
    let ended: Vec<_> = tasks
        .iter()
        .filter_map(|Fenced { task, ended, ledger, .. }| {
            Some(Ended {
                job_id: &task.job_id,
                stage: task.stage.as_str(),
                seq: task.seq,
                status: (*ended)?.as_str(),
                at: ledger.now().micros(),
            })
        })
        .collect();
    if ended.is_empty() {
        return Ok(());
    }
    query(
        "UPDATE tasks SET status = ended.value ->> 'status', claim_token = NULL, worker = NULL,
             lease_until = NULL, ended_at = CAST(ended.value ->> 'at' AS BIGINT)
         FROM json_each($1) AS ended
         WHERE job_id = ended.value ->> 'job_id' AND stage = ended.value ->> 'stage'
             AND seq = CAST(ended.value ->> 'seq' AS BIGINT)",
    )
    .bind(json::encode(&ended)?)
    .execute(write)
    .await?;
    Ok(())
}

async fn close(write: &mut Session, task: &mut Fenced) -> Result<()> {
    if task.ledger.job.open_tasks > 0 || task.ledger.job.status.is_terminal() {
        return Ok(());
    }
    if task.ledger.nothing_got_through() {
        let error = last_error(write, &task.task).await?;
        task.ledger.end(JobStatus::Failed, error);
    } else {
        task.follow(Stage::GeneratingWiki, vec![TaskInput::Wiki]);
    }
    Ok(())
}

async fn last_error(write: &mut Session, task: &TaskRef) -> Result<Option<SyncError>> {
    let row = query(
        "SELECT error FROM tasks WHERE job_id = $1 AND error IS NOT NULL
             AND status IN ('failed', 'poison')
         ORDER BY ended_at DESC, stage, seq LIMIT 1",
    )
    .bind(task.job_id.as_str())
    .fetch_optional(write)
    .await?;
    row.map(|row| json::decode(row.column("error")?, "error")).transpose()
}
