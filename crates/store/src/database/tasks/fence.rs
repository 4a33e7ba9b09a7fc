//! The fence: a task is written to by who holds it, while its job runs, or not at all.

use domain::{
    ChannelId, ClaimToken, Happening, JobStatus, Stage, TaskRef, TaskStatus,
    batch::Seed,
    job::Counts,
    task::{Claim, TaskInput},
};

use super::follow;
use crate::{
    Committed, Result,
    database::{
        Session,
        events::{NewEvent, record},
        jobs::{close_tasks, load, lock, save},
        json,
        query::query,
        row::Columns as _,
    },
    ledger::Ledger,
};

/// A task inside a transaction that may write for it.
pub(super) struct Fenced {
    pub(super) task: TaskRef,
    pub(super) channel: ChannelId,
    pub(super) input: TaskInput,
    token: ClaimToken,
    pub(super) ledger: Ledger,
    /// What the results add to the job's counts.
    pub(super) counts: Counts,
    /// Tasks that may be published once this is committed.
    pub(super) released: Vec<TaskRef>,
    /// Whether the same effect has more to do.
    pub(super) more: bool,
}

impl Fenced {
    /// The task of a claim; `None` when the claim is lost or the job over.
    pub(super) async fn load(write: &mut Session, claim: &Claim) -> Result<Option<Self>> {
        let now = write.now().await?;
        let row = query(
            "SELECT input FROM tasks
             WHERE job_id = $1 AND stage = $2 AND seq = $3 AND claim_token = $4
                 AND status = 'leased'",
        )
        .bind(claim.task.job_id.as_str())
        .bind(claim.task.stage.as_str())
        .bind(claim.task.seq)
        .bind(claim.token.as_str())
        .fetch_optional(&mut *write)
        .await?;
        let Some(row) = row else { return Ok(None) };
        let job = load(write, &claim.task.job_id, now).await?;
        let Some(job) = job.filter(|job| job.status == JobStatus::Running) else {
            return Ok(None);
        };
        Ok(Some(Self {
            task: claim.task.clone(),
            channel: job.channel_id.clone(),
            input: row.json("input")?,
            ledger: Ledger::new(job, now),
            token: claim.token.clone(),
            counts: Counts::default(),
            released: Vec::new(),
            more: false,
        }))
    }

    /// Begins what is done to the job and its tasks, after all results are written; `false` when the
    /// claim was lost or the job ended while they were: then nothing may be committed. Only from here on
    /// the ledger is sure to be what is stored.
    pub(super) async fn lock(&mut self, write: &mut Session) -> Result<bool> {
        if !write.is_shared() {
            return Ok(true);
        }
        lock(write, &self.task.job_id).await?;
        let claim = Claim { task: self.task.clone(), token: self.token.clone() };
        let Some(now_held) = Self::load(write, &claim).await? else { return Ok(false) };
        self.ledger = now_held.ledger;
        Ok(true)
    }

    /// The messages that the task takes on.
    pub(super) fn seeds(&self) -> &[Seed] {
        match &self.input {
            TaskInput::Extract { seeds } | TaskInput::Graph { seeds, .. } => seeds,
            TaskInput::Fetch { .. }
            | TaskInput::FetchLive { .. }
            | TaskInput::Wiki
            | TaskInput::Unknown => &[],
        }
    }

    /// Notes that something happened to the task.
    pub(super) async fn record(&self, write: &mut Session, happening: &Happening) -> Result<()> {
        record(write, self.ledger.now(), &[NewEvent::of_task(&self.task, happening)?]).await
    }

    /// Ends the task.
    pub(super) async fn end(&mut self, write: &mut Session, status: TaskStatus) -> Result<()> {
        query(
            "UPDATE tasks SET status = $4, claim_token = NULL, worker = NULL, lease_until = NULL,
                 ended_at = $5
             WHERE job_id = $1 AND stage = $2 AND seq = $3",
        )
        .bind(self.task.job_id.as_str())
        .bind(self.task.stage.as_str())
        .bind(self.task.seq)
        .bind(status.as_str())
        .bind(self.ledger.now().micros())
        .execute(&mut *write)
        .await?;
        self.ledger.ended(self.task.stage, self.input.messages());
        self.release(write, self.task.stage).await
    }

    /// Inserts the tasks that follow.
    pub(super) async fn follow(
        &mut self,
        write: &mut Session,
        stage: Stage,
        inputs: &[TaskInput],
    ) -> Result<()> {
        if inputs.is_empty() {
            return Ok(());
        }
        follow::insert(write, &self.task.job_id, stage, inputs).await?;
        let messages = inputs.iter().map(TaskInput::messages).sum();
        self.ledger.inserted(stage, inputs.len() as u64, messages);
        self.release(write, stage).await
    }

    async fn release(&mut self, write: &mut Session, stage: Stage) -> Result<()> {
        let now = self.ledger.now();
        self.released.extend(follow::release(write, &self.task.job_id, stage, now).await?);
        Ok(())
    }

    /// Puts batches of pending messages on their way.
    pub(super) async fn batch(
        &mut self,
        write: &mut Session,
        pending: Vec<domain::batch::Pending>,
    ) -> Result<()> {
        self.ledger.found(pending.len() as u64);
        let inputs: Vec<_> = domain::batch::cut(pending)
            .into_iter()
            .map(|seeds| TaskInput::Extract { seeds })
            .collect();
        self.follow(write, Stage::ExtractingFacts, &inputs).await
    }

    /// Stores the job; the last task of all but the wiki calls for the wiki.
    pub(super) async fn close(mut self, write: &mut Session) -> Result<Committed> {
        if self.ledger.job.open_tasks == 0 && !self.ledger.job.status.is_terminal() {
            if self.ledger.nothing_got_through() {
                let error = last_error(write, &self.task).await?;
                self.ledger.end(JobStatus::Failed, error);
            } else {
                self.follow(write, Stage::GeneratingWiki, &[TaskInput::Wiki]).await?;
            }
        }
        if self.ledger.job.status.is_terminal() {
            close_tasks(write, &self.task.job_id).await?;
            self.released.clear();
        }
        self.ledger.count(self.counts);
        let job = self.ledger.close();
        save(write, &job).await?;
        Ok(Committed { job, released: self.released, more: self.more })
    }
}

async fn last_error(write: &mut Session, task: &TaskRef) -> Result<Option<domain::SyncError>> {
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
