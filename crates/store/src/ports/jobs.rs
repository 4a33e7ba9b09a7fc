//! Jobs: accepting, watching and ending them.

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    ChannelId, ConnectionId, Job, JobId, JobStatus, KeyId, Stage, TaskRef, TaskStatus, Timestamp,
    TraceContext, Trigger,
};

use crate::Result;

/// A request for a job.
#[derive(Debug, Clone)]
pub struct NewJob {
    /// The channel to synchronise.
    pub channel_id: ChannelId,
    /// Whether to walk everything again.
    pub force: bool,
    /// What asks.
    pub trigger: Trigger,
    /// With which API key, where it is a client.
    pub asked_by: Option<KeyId>,
    /// The trace that it belongs to.
    pub trace: Option<TraceContext>,
    /// How many messages are expected, where known.
    pub estimated_messages: Option<u64>,
    /// Makes asking twice the same as asking once.
    pub idempotency: Option<Idempotency>,
}

/// A client's own key of a request.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// The API key it came with.
    pub key_id: KeyId,
    /// The route it was used on.
    pub route: &'static str,
    /// The client's key, at most 255 characters.
    pub key: String,
    /// Digest of the request, to notice another request under the same key.
    pub request_hash: String,
}

/// What became of a request for a job.
#[derive(Debug, Clone)]
pub enum Triggered {
    /// A new job; these tasks are to be published.
    Started(Job, Vec<TaskRef>),
    /// The same request was accepted before, with this estimate.
    Replayed(Job, Option<u64>),
    /// The channel's active job.
    InProgress(JobId),
    /// The client's key was used for another request.
    KeyReused,
    /// No such channel.
    ChannelNotFound,
    /// A channel of this connection whose platform is not walked, and nothing of it was imported.
    NotChosen(ConnectionId),
}

/// What became of a request to cancel.
#[derive(Debug, Clone)]
pub enum Cancellation {
    /// Cancelled now, or before: the job, and when.
    Cancelled(Box<Job>, Timestamp),
    /// It has ended otherwise.
    NotRunning(JobStatus),
    /// No such job.
    NotFound,
}

/// Which jobs to list, newest first.
#[derive(Debug, Clone, Default)]
pub struct JobQuery {
    /// Of one channel only.
    pub channel_id: Option<ChannelId>,
    /// In one state only.
    pub status: Option<JobStatus>,
    /// Only those listed after this one.
    pub before: Option<JobId>,
    /// How many at most.
    pub limit: u32,
}

/// How many jobs and tasks stand where.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Census {
    /// Jobs by state; a state that none is in is left out.
    pub jobs: Vec<(JobStatus, u64)>,
    /// How long the longest waiting job has waited.
    pub oldest_queued: Duration,
    /// How long the longest running job has run.
    pub oldest_running: Duration,
    /// Tasks that are neither done nor cancelled, by stage and state; those that are ready but for their
    /// time are left out.
    pub tasks: Vec<(Stage, TaskStatus, u64)>,
    /// Tasks that are to be tried again later, by stage.
    pub postponed: Vec<(Stage, u64)>,
}

/// Jobs.
#[async_trait]
pub trait Jobs: Send + Sync + 'static {
    /// Accepts a job and its first task, durably, or says why not.
    async fn trigger(&self, new: NewJob) -> Result<Triggered>;
    /// Ends a job, as the holder of a key asked for; nothing of it is written after the time in the answer.
    async fn cancel(&self, id: &JobId, by: Option<&KeyId>) -> Result<Cancellation>;
    /// A job.
    async fn job(&self, id: &JobId) -> Result<Option<Job>>;
    /// The channel's newest job.
    async fn newest_job(&self, channel: &ChannelId) -> Result<Option<Job>>;
    /// Forgets jobs that ended longer ago than `age`, and their tasks, but for the newest `kept` of each
    /// channel; at most `limit` of them, the oldest first. Answers with how many.
    async fn forget_jobs(&self, age: Duration, kept: u32, limit: u32) -> Result<u64>;
    /// How many jobs and tasks stand where.
    async fn census(&self) -> Result<Census>;
    /// Jobs, newest first.
    async fn jobs(&self, query: &JobQuery) -> Result<Vec<Job>>;
}
