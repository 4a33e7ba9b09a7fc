//! Accepting jobs.

mod idempotency;
mod rows;

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    ChannelId, ConnectionId, Job, JobId, JobStatus, Stage, TaskRef, Timestamp, job::Counts,
};

use crate::{
    NewJob, Result, Triggered,
    database::{
        Session,
        gathering::Together,
        json,
        query::query,
        row::{Columns as _, Row},
    },
    ledger,
};

impl Together for NewJob {
    /// Each as if the others had been accepted before it.
    fn goes_with(&self, others: &[Self]) -> bool {
        let same_key = |other: &Self| match (&self.idempotency, &other.idempotency) {
            (Some(own), Some(other)) => own.is_under_the_key_of(other),
            _ => false,
        };
        others.iter().all(|other| other.channel_id != self.channel_id && !same_key(other))
    }
}

/// Accepts jobs of different channels inside a transaction; answers in order.
pub(in crate::database) async fn trigger_in(
    write: &mut Session,
    new: &[NewJob],
) -> Result<Vec<Triggered>> {
    // Two requests for one channel at the same instant: the second sees what came of the first.
    let channels: BTreeSet<&ChannelId> = new.iter().map(|new| &new.channel_id).collect();
    write.lock_each("channel", channels.iter().map(|id| id.as_str())).await?;
    let now = write.now().await?;
    let grounds = grounds(write, &channels).await?;
    let mut triggered = Vec::with_capacity(new.len());
    let mut accepted: Vec<(&NewJob, Job)> = Vec::new();
    for new in new {
        let replayed = idempotency::replayed(write, new.idempotency.as_ref(), now).await?;
        let answer = match (replayed, grounds.get(&new.channel_id)) {
            (Some(answer), _) => answer,
            (None, None) => Triggered::ChannelNotFound,
            (None, Some(ground)) => ground.refusal().unwrap_or_else(|| {
                let job = ground.begin(new, now);
                accepted.push((new, job.clone()));
                let task = first_task(&job);
                Triggered::Started(job, vec![task])
            }),
        };
        triggered.push(answer);
    }
    rows::insert(write, &accepted).await?;
    for (new, job) in &accepted {
        idempotency::remember(write, new.idempotency.as_ref(), job).await?;
    }
    Ok(triggered)
}

/// What a channel's new job rests on.
struct Ground {
    connection: ConnectionId,
    /// Whether messages could only come from the platform of its connection, which is not walked. A connection
    /// that never had credentials is one of imports.
    not_chosen: bool,
    active: Option<JobId>,
    /// When the newest job before was accepted.
    newest: Option<Timestamp>,
}

async fn grounds(
    write: &mut Session,
    channels: &BTreeSet<&ChannelId>,
) -> Result<BTreeMap<ChannelId, Ground>> {
    let rows = query(
        "SELECT channel_id, connection_id, (sync_enabled = FALSE AND credentials_version > 0
                 AND NOT EXISTS (SELECT 1 FROM imported_messages AS imported
                     WHERE imported.channel_id = channels.channel_id)) AS not_chosen,
             (SELECT job_id FROM jobs WHERE jobs.channel_id = channels.channel_id
                 AND jobs.status IN ('queued', 'running')) AS active,
             (SELECT MAX(started_at) FROM jobs WHERE jobs.channel_id = channels.channel_id)
                 AS newest
         FROM channels JOIN connections USING (connection_id)
         WHERE channel_id IN (SELECT atom FROM json_each($1))",
    )
    .bind(json::encode(channels)?)
    .fetch_all(write)
    .await?;
    let ground = |row: &Row| {
        let ground = Ground {
            connection: row.parsed("connection_id")?,
            not_chosen: row.column("not_chosen")?,
            active: row.optional_parsed("active")?,
            newest: row.optional_time("newest")?,
        };
        Ok((row.id("channel_id")?, ground))
    };
    rows.iter().map(ground).collect()
}

impl Ground {
    /// Why there is to be no new job.
    fn refusal(&self) -> Option<Triggered> {
        match &self.active {
            _ if self.not_chosen => Some(Triggered::NotChosen(self.connection.clone())),
            Some(active) => Some(Triggered::InProgress(active.clone())),
            None => None,
        }
    }

    fn begin(&self, new: &NewJob, now: Timestamp) -> Job {
        // Acceptance times order a channel's jobs: never two at the same microsecond, nor one before
        // another.
        let after = self.newest.map(|newest| Timestamp::from_micros(newest.micros() + 1));
        let started_at = after.map_or(now, |after| now.max(after));
        Job {
            id: JobId::random(),
            channel_id: new.channel_id.clone(),
            status: JobStatus::Queued,
            force: new.force,
            trigger: new.trigger,
            started_at,
            completed_at: None,
            as_of: started_at,
            revision: 1,
            estimated_messages: new.estimated_messages,
            total_messages: 0,
            processed_messages: 0,
            failing_messages: 0,
            percentage: 0,
            open_tasks: 1,
            stages: ledger::first_stages(),
            counts: Counts::default(),
            error: None,
        }
    }
}

fn first_task(job: &Job) -> TaskRef {
    TaskRef { job_id: job.id.clone(), stage: Stage::FetchingMessages, seq: 1 }
}
