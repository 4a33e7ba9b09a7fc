//! The rows of new jobs, and of their first tasks.

use domain::{ChannelId, Job, JobId, KeyId, TraceContext, task::TaskInput};
use serde::Serialize;

use super::first_task;
use crate::{
    NewJob, Result,
    database::{Session, json, query::query},
};

#[derive(Serialize)]
struct JobRow<'j> {
    job_id: &'j JobId,
    channel_id: &'j ChannelId,
    status: &'static str,
    force: u8,
    triggered_by: &'static str,
    started_at: i64,
    revision: i64,
    estimated_messages: Option<u64>,
    open_tasks: u64,
    counts: String,
    stages: String,
    asked_by: Option<&'j str>,
    trace: Option<&'j str>,
}

impl<'j> JobRow<'j> {
    fn new(new: &'j NewJob, job: &'j Job) -> Result<Self> {
        Ok(Self {
            job_id: &job.id,
            channel_id: &job.channel_id,
            status: job.status.as_str(),
            force: u8::from(job.force),
            triggered_by: job.trigger.as_str(),
            started_at: job.started_at.micros(),
            revision: job.revision,
            estimated_messages: job.estimated_messages,
            open_tasks: job.open_tasks,
            counts: json::encode(&job.counts)?,
            stages: json::encode(&job.stages)?,
            asked_by: new.asked_by.as_ref().map(KeyId::as_str),
            trace: new.trace.as_ref().map(TraceContext::as_str),
        })
    }
}

#[derive(Serialize)]
struct TaskRow<'j> {
    job_id: &'j JobId,
    stage: &'static str,
    seq: i64,
    input: String,
    released_at: i64,
}

impl<'j> TaskRow<'j> {
    fn new(job: &'j Job) -> Result<Self> {
        let task = first_task(job);
        Ok(Self {
            job_id: &job.id,
            stage: task.stage.as_str(),
            seq: task.seq,
            input: json::encode(&TaskInput::Fetch { cursor: None })?,
            released_at: job.started_at.micros(),
        })
    }
}

pub(super) async fn insert(write: &mut Session, accepted: &[(&NewJob, Job)]) -> Result<()> {
    if accepted.is_empty() {
        return Ok(());
    }
    let jobs = accepted.iter().map(|(new, job)| JobRow::new(new, job));
    query(
        "INSERT INTO jobs (job_id, channel_id, status, force, triggered_by, started_at, progressed_at,
             revision, estimated_messages, open_tasks, counts, stages, asked_by, trace)
         SELECT value ->> 'job_id', value ->> 'channel_id', value ->> 'status',
             CAST(value ->> 'force' AS BOOLEAN), value ->> 'triggered_by',
             CAST(value ->> 'started_at' AS BIGINT), CAST(value ->> 'started_at' AS BIGINT),
             CAST(value ->> 'revision' AS BIGINT), CAST(value ->> 'estimated_messages' AS BIGINT),
             CAST(value ->> 'open_tasks' AS BIGINT), value ->> 'counts', value ->> 'stages',
             value ->> 'asked_by', value ->> 'trace'
         FROM json_each($1)",
    )
    .bind(json::encode(&jobs.collect::<Result<Vec<_>>>()?)?)
    .execute(&mut *write)
    .await?;
    let tasks = accepted.iter().map(|(_, job)| TaskRow::new(job));
    query(
        "INSERT INTO tasks (job_id, stage, seq, status, input, messages, released_at)
         SELECT value ->> 'job_id', value ->> 'stage', CAST(value ->> 'seq' AS BIGINT), 'ready',
             value ->> 'input', 0, CAST(value ->> 'released_at' AS BIGINT)
         FROM json_each($1)",
    )
    .bind(json::encode(&tasks.collect::<Result<Vec<_>>>()?)?)
    .execute(write)
    .await?;
    Ok(())
}
