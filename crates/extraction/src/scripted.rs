//! An extractor that does as it is told: the double of a language model.

use std::{
    collections::VecDeque,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::{conversation::Conversation, fact::Extraction};
use tokio_util::sync::CancellationToken;

use crate::{ExtractionError, Extractor};

/// What happens before an answer, in the order given.
#[derive(Debug, Clone)]
pub enum Step {
    /// The call fails.
    Fail(String),
    /// The call panics.
    Panic,
    /// The call computes for so long, off the async threads, looking at the token as it must.
    Compute(Duration),
}

/// An answer for a conversation.
type Answer = dyn Fn(&Conversation) -> Extraction + Send + Sync;

/// Answers with what a function makes of each conversation.
pub struct Scripted {
    answer: Box<Answer>,
    steps: Mutex<VecDeque<Step>>,
    calls: AtomicU64,
    computing: std::sync::Arc<AtomicU64>,
}

/// Between two looks at the token.
const LOOK: Duration = Duration::from_millis(20);

impl Scripted {
    /// An extractor with this answer.
    #[must_use]
    pub fn new(answer: impl Fn(&Conversation) -> Extraction + Send + Sync + 'static) -> Self {
        Self {
            answer: Box::new(answer),
            steps: Mutex::default(),
            calls: AtomicU64::new(0),
            computing: std::sync::Arc::default(),
        }
    }

    /// What is to happen before the next answers.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.steps.lock().unwrap_or_else(PoisonError::into_inner).extend(steps);
    }

    /// How often it was asked.
    #[must_use]
    pub fn calls(&self) -> u64 {
        self.calls.load(Ordering::SeqCst)
    }

    /// How many computations go on at the moment.
    #[must_use]
    pub fn computing(&self) -> u64 {
        self.computing.load(Ordering::SeqCst)
    }

    async fn compute(
        &self,
        time: Duration,
        stop: CancellationToken,
    ) -> Result<(), ExtractionError> {
        let computing = self.computing.clone();
        computing.fetch_add(1, Ordering::SeqCst);
        let work = move || {
            let begun = Instant::now();
            while begun.elapsed() < time && !stop.is_cancelled() {
                std::thread::park_timeout(LOOK);
            }
            computing.fetch_sub(1, Ordering::SeqCst);
            if stop.is_cancelled() { Err(ExtractionError::Stopped) } else { Ok(()) }
        };
        let done = tokio::task::spawn_blocking(work).await;
        done.map_err(|panicked| ExtractionError::Failed(panicked.to_string()))?
    }
}

#[async_trait]
impl Extractor for Scripted {
    fn version(&self) -> &str {
        "scripted"
    }

    #[expect(clippy::panic, reason = "it is told to")]
    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError> {
        self.calls.fetch_add(1, Ordering::SeqCst);
        let step = self.steps.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match step {
            Some(Step::Fail(why)) => return Err(ExtractionError::Failed(why)),
            Some(Step::Panic) => panic!("as it was told"),
            Some(Step::Compute(time)) => self.compute(time, stop).await?,
            None => {}
        }
        Ok(conversations.iter().map(|conversation| (self.answer)(conversation)).collect())
    }
}
