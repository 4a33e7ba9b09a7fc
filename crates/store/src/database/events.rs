//! What happens to jobs that is not routine.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{Happening, JobEvent, JobId, Stage, TaskRef, Timestamp};
use serde::Serialize;

use super::{
    Database, Session, json,
    query::{Query, query},
    row::{Columns as _, Row},
};
use crate::{Explaining, Explanation, MAX_EVENTS, Result, Standing, history};

/// An event on its way into the database.
#[derive(Serialize)]
pub(super) struct NewEvent<'e> {
    job_id: &'e JobId,
    stage: Option<&'static str>,
    seq: Option<i64>,
    happening: String,
}

impl<'e> NewEvent<'e> {
    /// Something that happened to a task.
    pub(super) fn of_task(task: &'e TaskRef, happening: &Happening) -> Result<Self> {
        let (stage, seq) = (Some(task.stage.as_str()), Some(task.seq));
        Ok(Self { job_id: &task.job_id, stage, seq, happening: json::encode(happening)? })
    }

    /// Something that happened to a stage of a job.
    pub(super) fn of_stage(job_id: &'e JobId, stage: Stage, happening: &Happening) -> Result<Self> {
        let (stage, seq) = (Some(stage.as_str()), None);
        Ok(Self { job_id, stage, seq, happening: json::encode(happening)? })
    }

    /// Something that happened to a job as a whole.
    pub(super) fn of_job(job_id: &'e JobId, happening: &Happening) -> Result<Self> {
        Ok(Self { job_id, stage: None, seq: None, happening: json::encode(happening)? })
    }
}

/// Notes events, and forgets what is too many of them: neither the beginnings nor the newest.
pub(super) async fn record(
    write: &mut Session,
    at: Timestamp,
    events: &[NewEvent<'_>],
) -> Result<()> {
    if events.is_empty() {
        return Ok(());
    }
    query(
        "INSERT INTO job_events (job_id, at, stage, seq, happening)
         SELECT value ->> 'job_id', $2, value ->> 'stage', CAST(value ->> 'seq' AS BIGINT),
             value ->> 'happening' FROM json_each($1)",
    )
    .bind(json::encode(events)?)
    .bind(at.micros())
    .execute(&mut *write)
    .await?;
    let jobs: BTreeSet<&JobId> = events.iter().map(|event| event.job_id).collect();
    // What another transaction is about to forget needs nobody who waits for it.
    let sql = format!(
        "DELETE FROM job_events WHERE event IN (SELECT event FROM job_events WHERE event IN (
             SELECT event FROM (
                 SELECT event, ROW_NUMBER() OVER (PARTITION BY job_id ORDER BY event) AS first,
                     ROW_NUMBER() OVER (PARTITION BY job_id ORDER BY event DESC) AS last
                 FROM job_events WHERE job_id IN (SELECT atom FROM json_each($1))) AS placed
             WHERE first > $2 AND last > $2){})",
        write.for_update_if_free()
    );
    let half = i64::from(MAX_EVENTS / 2);
    Query::built(sql).bind(json::encode(&jobs)?).bind(half).execute(write).await?;
    Ok(())
}

#[async_trait]
impl Explaining for Database {
    async fn why(&self, id: &JobId) -> Result<Option<Explanation>> {
        let mut session = self.snapshot().await?;
        let now = session.now().await?;
        let Some(job) = super::jobs::load(&mut session, id, now).await? else { return Ok(None) };
        let mut events = history::of_job(&job, asked_by(&mut session, id).await?);
        let noted = noted(&mut session, id).await?;
        let left_out = noted.len() >= MAX_EVENTS as usize;
        events.extend(noted);
        events.sort_by_key(|event| (event.at, event.happening.rank()));
        let standing = standing(&mut session, id, now).await?;
        Ok(Some(Explanation { job, events, left_out, standing }))
    }
}

async fn asked_by(session: &mut Session, id: &JobId) -> Result<Option<String>> {
    let row = query(
        "SELECT name FROM jobs JOIN api_keys ON api_keys.key_id = jobs.asked_by WHERE job_id = $1",
    )
    .bind(id.as_str())
    .fetch_optional(session)
    .await?;
    row.map(|row| row.column("name")).transpose()
}

async fn noted(session: &mut Session, id: &JobId) -> Result<Vec<JobEvent>> {
    let rows =
        query("SELECT at, stage, seq, happening FROM job_events WHERE job_id = $1 ORDER BY event")
            .bind(id.as_str())
            .fetch_all(session)
            .await?;
    let event = |row: &Row| {
        Ok(JobEvent {
            at: row.time("at")?,
            stage: row.optional_parsed("stage")?,
            seq: row.column("seq")?,
            happening: row.json("happening")?,
        })
    };
    rows.iter().map(event).collect()
}

async fn standing(session: &mut Session, id: &JobId, now: Timestamp) -> Result<Vec<Standing>> {
    let rows = query(
        "SELECT stage,
             SUM(CASE WHEN status = 'waiting' THEN 1 ELSE 0 END) AS waiting,
             SUM(CASE WHEN status = 'ready' AND not_before <= $2 THEN 1 ELSE 0 END) AS ready,
             SUM(CASE WHEN status = 'leased' THEN 1 ELSE 0 END) AS leased,
             SUM(CASE WHEN status = 'ready' AND not_before > $2 THEN 1 ELSE 0 END) AS postponed,
             MIN(CASE WHEN status = 'ready' AND not_before <= $2 THEN
                 COALESCE(released_at, NULLIF(not_before, 0), published_at) END) AS ready_since,
             MIN(CASE WHEN status = 'ready' AND not_before > $2 THEN not_before END) AS next,
             (SELECT error FROM tasks AS first WHERE first.job_id = $1 AND first.stage = tasks.stage
                 AND first.status = 'ready' AND first.not_before > $2
                 ORDER BY first.not_before, first.seq LIMIT 1) AS error
         FROM tasks WHERE job_id = $1 AND status IN ('waiting', 'ready', 'leased')
         GROUP BY stage",
    )
    .bind(id.as_str())
    .bind(now.micros())
    .fetch_all(session)
    .await?;
    let mut standing = rows.iter().map(stage_of).collect::<Result<Vec<_>>>()?;
    standing.sort_by_key(|stage| stage.stage);
    Ok(standing)
}

fn stage_of(row: &Row) -> Result<Standing> {
    let error = row.column::<Option<&str>>("error")?;
    let error: Option<domain::SyncError> =
        error.map(|text| json::decode(text, "error")).transpose()?;
    Ok(Standing {
        stage: row.parsed("stage")?,
        waiting: row.number("waiting")?,
        ready: row.number("ready")?,
        ready_since: row.optional_time("ready_since")?,
        leased: row.number("leased")?,
        postponed: row.number("postponed")?,
        next_attempt_at: row.optional_time("next")?,
        code: error.map(|error| error.code),
    })
}
