//! The fence: a task is written to by who holds it, while its job runs, or not at all.

use domain::{
    ChannelId, ClaimToken, Happening, JobId, Stage, TaskRef, TaskStatus, Timestamp,
    batch::Seed,
    job::Counts,
    task::{Claim, TaskInput},
};
use serde::Serialize;

use crate::{
    Result,
    database::{
        Session,
        events::{NewEvent, record},
        jobs::{job, lock_each},
        json,
        query::Query,
        row::{Columns as _, Row},
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
    /// How the task ends, should it.
    pub(super) ended: Option<TaskStatus>,
    /// The tasks that follow.
    pub(super) following: Vec<(Stage, TaskInput)>,
    /// Whether the same effect has more to do.
    pub(super) more: bool,
}

/// A claim on its way into a statement.
#[derive(Serialize)]
pub(super) struct Held<'c> {
    job_id: &'c JobId,
    stage: &'static str,
    seq: i64,
    token: &'c ClaimToken,
}

impl<'c> From<&'c Claim> for Held<'c> {
    fn from(Claim { task, token }: &'c Claim) -> Self {
        Self { job_id: &task.job_id, stage: task.stage.as_str(), seq: task.seq, token }
    }
}

impl Fenced {
    /// The task of a claim; `None` when the claim is lost or the job over.
    pub(super) async fn load(write: &mut Session, claim: &Claim) -> Result<Option<Self>> {
        Ok(Self::load_all(write, &[claim]).await?.pop())
    }

    /// Those of these claims' tasks whose claim is not lost and whose job is not over, in order of their
    /// jobs.
    pub(super) async fn load_all(write: &mut Session, claims: &[&Claim]) -> Result<Vec<Self>> {
        Self::load_with(write, claims, "").await
    }

    async fn load_with(write: &mut Session, claims: &[&Claim], locking: &str) -> Result<Vec<Self>> {
        let held: Vec<Held<'_>> = claims.iter().map(|claim| Held::from(*claim)).collect();
        let sql = format!(
            "SELECT task.stage, task.seq, task.claim_token, task.input, jobs.*, {}
             FROM json_each($1) AS held
             JOIN tasks AS task ON task.job_id = held.value ->> 'job_id'
                 AND task.stage = held.value ->> 'stage'
                 AND task.seq = CAST(held.value ->> 'seq' AS BIGINT)
             JOIN jobs ON jobs.job_id = task.job_id
             WHERE task.claim_token = held.value ->> 'token' AND jobs.status = 'running'{locking}",
            write.clock()
        );
        let rows = Query::built(sql).bind(json::encode(&held)?).fetch_all(&mut *write).await?;
        let Some(row) = rows.first() else { return Ok(Vec::new()) };
        let now = write.now_by(row).await?;
        let mut loaded = rows.iter().map(|row| Self::new(row, now)).collect::<Result<Vec<_>>>()?;
        loaded.sort_by(|a, b| a.task.cmp(&b.task));
        Ok(loaded)
    }

    fn new(row: &Row, now: Timestamp) -> Result<Self> {
        let job = job(row, now)?;
        Ok(Self {
            task: TaskRef {
                job_id: job.id.clone(),
                stage: row.parsed("stage")?,
                seq: row.column("seq")?,
            },
            channel: job.channel_id.clone(),
            input: row.json("input")?,
            token: row.parsed("claim_token")?,
            ledger: Ledger::new(job, now),
            counts: Counts::default(),
            ended: None,
            following: Vec::new(),
            more: false,
        })
    }

    pub(super) fn claim(&self) -> Claim {
        Claim { task: self.task.clone(), token: self.token.clone() }
    }

    /// Begins what is done to the job and its tasks, after all results are written; `false` when the
    /// claim was lost or the job ended while they were: then nothing may be committed. Only from here on
    /// the ledger is sure to be what is stored.
    pub(super) async fn lock(&mut self, write: &mut Session) -> Result<bool> {
        Ok(Self::lock_all(write, &mut [self]).await?.is_empty())
    }

    /// Likewise for several tasks, each of another job and in order of these; answers with those that must
    /// not be committed.
    pub(super) async fn lock_all(
        write: &mut Session,
        tasks: &mut [&mut Self],
    ) -> Result<Vec<Claim>> {
        if !write.is_shared() {
            return Ok(Vec::new());
        }
        let claims: Vec<Claim> = tasks.iter().map(|task| task.claim()).collect();
        let jobs: Vec<_> = claims.iter().map(|claim| &claim.task.job_id).collect();
        lock_each(write, &jobs).await?;
        // A lease that runs out now waits for the commit, and then finds the task no longer held.
        let held: Vec<&Claim> = claims.iter().collect();
        let mut now_held = Self::load_with(write, &held, " FOR UPDATE OF task").await?;
        let mut refused = Vec::new();
        for (task, claim) in tasks.iter_mut().zip(claims) {
            match now_held.iter().position(|held| held.token == claim.token) {
                Some(place) => task.ledger = now_held.swap_remove(place).ledger,
                None => refused.push(claim),
            }
        }
        Ok(refused)
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
    pub(super) fn end(&mut self, status: TaskStatus) {
        self.ended = Some(status);
        self.ledger.ended(self.task.stage, self.input.messages());
    }

    /// Lets tasks follow.
    pub(super) fn follow(&mut self, stage: Stage, inputs: Vec<TaskInput>) {
        let messages = inputs.iter().map(TaskInput::messages).sum();
        self.ledger.inserted(stage, inputs.len() as u64, messages);
        self.following.extend(inputs.into_iter().map(|input| (stage, input)));
    }

    /// Puts batches of pending messages on their way.
    pub(super) fn batch(&mut self, pending: Vec<domain::batch::Pending>) {
        self.ledger.found(pending.len() as u64);
        let batches = domain::batch::cut(pending).into_iter();
        let inputs = batches.map(|seeds| TaskInput::Extract { seeds }).collect();
        self.follow(Stage::ExtractingFacts, inputs);
    }
}
