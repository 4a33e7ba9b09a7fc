//! The traits of the port.

use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use bytes::Bytes;
use domain::{ChannelId, Classify, ErrorCode, Job, JobId, Retry, SyncError};

use crate::Limits;

/// The result of every method of the port.
pub type Result<T, E = ProgressError> = std::result::Result<T, E>;

/// What can go wrong with the live view.
#[derive(Debug, thiserror::Error)]
pub enum ProgressError {
    /// Not reachable; it may be again.
    #[error("the live view cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Classify for ProgressError {
    fn sync_error(&self) -> SyncError {
        SyncError::new(ErrorCode::InternalError, self.to_string())
    }

    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

/// How a job stands. Cheap to clone.
#[derive(Debug, Clone)]
pub struct View {
    /// The job.
    pub job: Arc<Job>,
    body: Arc<OnceLock<Bytes>>,
}

impl View {
    /// A view of a job.
    #[must_use]
    pub fn new(job: Job) -> Self {
        Self { job: Arc::new(job), body: Arc::default() }
    }

    /// The job as the API tells it: made by the first who asks, shared by all who ask for the same
    /// view after. A poll then costs a copy of a pointer.
    #[must_use]
    pub fn body(&self, make: impl FnOnce(&Job) -> Bytes) -> Bytes {
        self.body.get_or_init(|| make(&self.job)).clone()
    }
}

/// The live view of jobs, the signal that ends them, and shared rate limits.
#[async_trait]
pub trait Progress: Limits {
    /// Shows how a job stands; ignored when a newer revision of it is shown already.
    async fn show(&self, job: &Job) -> Result<()>;
    /// The view of a job, while there is a recent one.
    async fn job(&self, id: &JobId) -> Result<Option<View>>;
    /// The view of a channel's newest job, while there is a recent one.
    async fn newest(&self, channel: &ChannelId) -> Result<Option<View>>;
    /// Every view of a job from here on, beginning with the given one or a newer one.
    async fn watch(&self, job: &Job) -> Result<Box<dyn Watch>>;
    /// Tells every worker that a job has been cancelled.
    async fn cancel(&self, id: &JobId) -> Result<()>;
    /// Every cancel from here on.
    async fn cancels(&self) -> Result<Box<dyn Cancels>>;
    /// Whether it answers.
    async fn ping(&self) -> Result<()>;
}

/// The views of one job as they come.
#[async_trait]
pub trait Watch: Send {
    /// The next view with a newer revision; slow readers miss the ones in between, never the last.
    async fn next(&mut self) -> Result<View>;
}

/// Cancelled jobs as they come.
#[async_trait]
pub trait Cancels: Send {
    /// The next job that was cancelled. A reader that falls behind misses none it could still act on:
    /// heartbeats bring those back.
    async fn next(&mut self) -> Result<JobId>;
}
