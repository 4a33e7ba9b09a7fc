//! What a commit does to its job's own row: counters, stages, end. The same for every adapter.

use domain::{
    Job, JobStatus, Stage, StageProgress, SyncError, Timestamp, job,
    job::{Counts, Retrying},
};

/// A job in the middle of a transaction.
#[derive(Debug)]
pub(crate) struct Ledger {
    pub(crate) job: Job,
    now: Timestamp,
}

impl Ledger {
    pub(crate) fn new(job: Job, now: Timestamp) -> Self {
        Self { job, now }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    fn stage(&mut self, stage: Stage) -> &mut StageProgress {
        // A job is made with one entry a stage.
        &mut self.job.stages[stage.index()]
    }

    /// A worker took a task; `true` when that changes anything.
    pub(crate) fn taken(&mut self, stage: Stage, worker: &str) -> bool {
        let now = self.now;
        let begins = self.job.status == JobStatus::Queued;
        if begins {
            self.job.status = JobStatus::Running;
        }
        let entry = self.stage(stage);
        let first = entry.started_at.is_none() || entry.retrying.is_some();
        if entry.started_at.is_none() {
            entry.started_at = Some(now);
            entry.worker = Some(worker.to_owned());
        }
        entry.retrying = None;
        begins || first
    }

    /// Tasks that carry `messages` were inserted.
    pub(crate) fn inserted(&mut self, stage: Stage, tasks: u64, messages: u64) {
        self.job.open_tasks += tasks;
        let entry = self.stage(stage);
        entry.open_tasks += tasks;
        entry.total += messages;
        if tasks > 0 {
            entry.ended_at = None;
        }
    }

    /// A task ended that carried `messages`.
    pub(crate) fn ended(&mut self, stage: Stage, messages: u64) {
        self.job.open_tasks = self.job.open_tasks.saturating_sub(1);
        let now = self.now;
        let entry = self.stage(stage);
        entry.open_tasks = entry.open_tasks.saturating_sub(1);
        entry.processed += messages;
        if entry.open_tasks == 0 {
            entry.ended_at = Some(now);
        }
    }

    /// The walk brought messages; so many are expected of the whole of it.
    pub(crate) fn fetched(&mut self, seen: u64, estimate: Option<u64>) {
        let entry = self.stage(Stage::FetchingMessages);
        entry.processed += seen;
        entry.total = entry.total.max(entry.processed).max(estimate.unwrap_or(0));
        self.job.estimated_messages = estimate.or(self.job.estimated_messages);
    }

    /// Messages were put into batches.
    pub(crate) fn found(&mut self, messages: u64) {
        self.job.total_messages += messages;
    }

    /// Messages are through the graph.
    pub(crate) fn through(&mut self, messages: u64) {
        self.job.processed_messages += messages;
    }

    /// Pages are through the wiki.
    pub(crate) fn rendered(&mut self, pages: u64) {
        let entry = self.stage(Stage::GeneratingWiki);
        entry.processed += pages;
        entry.total = entry.total.max(entry.processed);
    }

    /// Messages were given up on.
    pub(crate) fn given_up(&mut self, messages: u64) {
        self.job.processed_messages += messages;
        self.job.failing_messages += messages;
    }

    /// Results were written.
    pub(crate) fn count(&mut self, counts: Counts) {
        let sum = &mut self.job.counts;
        sum.facts += counts.facts;
        sum.entities += counts.entities;
        sum.relationships += counts.relationships;
        sum.pages += counts.pages;
    }

    /// A task waits for another attempt.
    pub(crate) fn retrying(&mut self, stage: Stage, retrying: Retrying) {
        self.stage(stage).retrying = Some(retrying);
    }

    /// Whether all that was batched was given up on.
    pub(crate) fn nothing_got_through(&self) -> bool {
        self.job.failing_messages > 0 && self.job.failing_messages == self.job.total_messages
    }

    /// Ends the job.
    pub(crate) fn end(&mut self, status: JobStatus, error: Option<SyncError>) {
        self.job.status = status;
        self.job.error = error;
        self.job.completed_at = Some(self.now);
        self.job.open_tasks = 0;
        for entry in &mut self.job.stages {
            entry.open_tasks = 0;
            entry.retrying = None;
            if status == JobStatus::Completed {
                entry.started_at.get_or_insert(self.now);
                entry.ended_at.get_or_insert(self.now);
            }
        }
    }

    /// The job as it is to be stored.
    pub(crate) fn close(mut self) -> Job {
        let job = &mut self.job;
        let fetching = job.stages[Stage::FetchingMessages.index()].open_tasks > 0;
        let share = job::percentage(
            job.processed_messages,
            job.total_messages,
            job.estimated_messages,
            fetching,
        );
        job.percentage = match job.status {
            JobStatus::Completed => 100,
            _ => job.percentage.max(share),
        };
        job.revision += 1;
        job.as_of = self.now;
        self.job
    }
}

/// The stages of a job that was just accepted, its first task inserted.
pub(crate) fn first_stages() -> Vec<StageProgress> {
    let entry = |stage| StageProgress {
        stage,
        processed: 0,
        total: 0,
        open_tasks: u64::from(stage == Stage::FetchingMessages),
        started_at: None,
        worker: None,
        ended_at: None,
        retrying: None,
    };
    Stage::ALL.map(entry).to_vec()
}

#[cfg(test)]
mod tests {
    use domain::{ChannelId, JobId, Trigger};

    use super::*;

    fn ledger() -> Ledger {
        let now = Timestamp::from_micros(1_000_000);
        let job = Job {
            id: JobId::random(),
            channel_id: ChannelId::from("C1"),
            status: JobStatus::Queued,
            force: false,
            trigger: Trigger::Manual,
            started_at: now,
            completed_at: None,
            as_of: now,
            revision: 1,
            estimated_messages: None,
            total_messages: 0,
            processed_messages: 0,
            failing_messages: 0,
            percentage: 0,
            open_tasks: 1,
            stages: first_stages(),
            counts: Counts::default(),
            error: None,
        };
        Ledger::new(job, now)
    }

    #[test]
    fn a_job_runs_from_its_first_claim_on() {
        let mut ledger = ledger();
        assert!(ledger.taken(Stage::FetchingMessages, "first"));
        assert_eq!(ledger.job.status, JobStatus::Running);
        assert!(!ledger.taken(Stage::FetchingMessages, "second"));
        let entry = &ledger.job.stages[Stage::FetchingMessages.index()];
        assert_eq!(entry.worker.as_deref(), Some("first"));
    }

    #[test]
    fn the_percentage_never_goes_down_although_more_is_found() {
        let mut ledger = ledger();
        ledger.fetched(10, Some(10));
        ledger.found(10);
        ledger.through(5);
        let job = ledger.close();
        assert_eq!(job.percentage, 50);
        let mut ledger = Ledger::new(job, Timestamp::from_micros(2_000_000));
        ledger.fetched(90, Some(100));
        ledger.found(90);
        assert_eq!(ledger.close().percentage, 50);
    }

    #[test]
    fn only_a_completed_job_is_at_a_hundred() {
        let mut ledger = ledger();
        ledger.fetched(10, Some(10));
        ledger.found(10);
        ledger.through(10);
        let job = ledger.close();
        assert_eq!(job.percentage, 99);
        let mut ledger = Ledger::new(job, Timestamp::from_micros(2_000_000));
        ledger.end(JobStatus::Completed, None);
        assert_eq!(ledger.close().percentage, 100);
    }
}
