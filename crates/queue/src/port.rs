//! The traits of the port.

use std::fmt;

use async_trait::async_trait;
use domain::{Classify, ErrorCode, Retry, Stage, SyncError, TaskRef, TraceContext};

/// The result of every method of the port.
pub type Result<T, E = QueueError> = std::result::Result<T, E>;

/// What can go wrong with a queue.
#[derive(Debug, thiserror::Error)]
pub enum QueueError {
    /// Not reachable; it may be again.
    #[error("the queue cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Its bounded buffer is full: the sweep calls again when there is room.
    #[error("the queue is full")]
    Full,
    /// It is being shut down.
    #[error("the queue is closed")]
    Closed,
}

impl Classify for QueueError {
    fn sync_error(&self) -> SyncError {
        SyncError::new(ErrorCode::InternalError, self.to_string())
    }

    fn retry(&self) -> Retry {
        Retry::Backoff
    }
}

/// A call for a task, and the trace that it belongs to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Call {
    /// The task.
    pub task: TaskRef,
    /// What caused it; for whoever watches, never for the work itself.
    pub trace: Option<TraceContext>,
}

impl Call {
    /// Calls for tasks that have the same cause.
    #[must_use]
    pub fn all(tasks: &[TaskRef], trace: Option<&TraceContext>) -> Vec<Self> {
        let call = |task: &TaskRef| Self { task: task.clone(), trace: trace.cloned() };
        tasks.iter().map(call).collect()
    }
}

impl From<TaskRef> for Call {
    fn from(task: TaskRef) -> Self {
        Self { task, trace: None }
    }
}

/// Where tasks are called for.
#[async_trait]
pub trait Queue: Send + Sync + 'static {
    /// Calls for tasks. Some may have been published when it fails.
    async fn publish(&self, calls: &[Call]) -> Result<()>;
    /// Begins to consume the calls of a stage, at most `window` unacknowledged at a time.
    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>>;
    /// How many calls of a stage wait to be consumed.
    async fn depth(&self, stage: Stage) -> Result<u64>;
    /// The next message that nobody could decode, where one was set aside.
    async fn dead_letter(&self) -> Result<Option<DeadLetter>>;
    /// Whether the queue answers.
    async fn ping(&self) -> Result<()>;
}

/// A consumer of one stage.
#[async_trait]
pub trait Subscription: Send {
    /// The next call. Dropping the future loses nothing.
    async fn next(&mut self) -> Result<Delivery>;
}

/// A call that a consumer holds; dropped without [`Delivery::ack`] it is given back.
pub struct Delivery {
    /// The task.
    pub task: TaskRef,
    /// The trace that the call came with.
    pub trace: Option<TraceContext>,
    /// Whether it was delivered before.
    pub redelivered: bool,
    handle: Option<Box<dyn Acknowledge>>,
}

/// An adapter's side of a [`Delivery`]; exactly one of its methods is called.
#[async_trait]
pub trait Acknowledge: Send + Sync {
    /// The call has been answered for good.
    async fn ack(self: Box<Self>) -> Result<()>;
    /// The call is to be delivered again.
    fn give_back(self: Box<Self>);
}

impl Delivery {
    /// A delivery of an adapter.
    #[must_use]
    pub fn new(call: Call, redelivered: bool, handle: Box<dyn Acknowledge>) -> Self {
        let Call { task, trace } = call;
        Self { task, trace, redelivered, handle: Some(handle) }
    }

    /// Acknowledges: what follows from the call is durable.
    pub async fn ack(mut self) -> Result<()> {
        match self.handle.take() {
            Some(handle) => handle.ack().await,
            None => Ok(()),
        }
    }
}

impl Drop for Delivery {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.give_back();
        }
    }
}

/// A message that nobody could decode; dropped without [`DeadLetter::ack`] it is set aside again.
pub struct DeadLetter {
    /// The stage that it was sent to, where that is known.
    pub stage: Option<Stage>,
    /// What it says.
    pub body: Vec<u8>,
    handle: Option<Box<dyn Acknowledge>>,
}

impl DeadLetter {
    /// A message of an adapter.
    #[must_use]
    pub fn new(stage: Option<Stage>, body: Vec<u8>, handle: Box<dyn Acknowledge>) -> Self {
        Self { stage, body, handle: Some(handle) }
    }

    /// Takes it off the queue: it is known elsewhere.
    pub async fn ack(mut self) -> Result<()> {
        match self.handle.take() {
            Some(handle) => handle.ack().await,
            None => Ok(()),
        }
    }
}

impl Drop for DeadLetter {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.give_back();
        }
    }
}

impl fmt::Debug for Delivery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Delivery")
            .field("task", &self.task)
            .field("redelivered", &self.redelivered)
            .finish_non_exhaustive()
    }
}
