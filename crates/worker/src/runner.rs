//! The loop of a stage: as many attempts at once as it has slots.

use std::{sync::Arc, time::Duration};

use domain::backoff::Budget;
use queue::Subscription;
use tokio::{
    sync::{RwLock, Semaphore},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::{Claims, Hearing, Ports, Stage, attempt, measure};

/// How a runner works.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Tasks in work at the same time.
    pub slots: usize,
    /// Calls that the queue hands out before earlier ones are answered; at least as many as slots.
    pub prefetch: usize,
    /// Longest time for one attempt.
    pub time_limit: Duration,
    /// How often a task is tried again, and after which waits.
    pub retries: Budget,
    /// How long running work may go on after the shutdown has begun; then it is given back.
    pub grace: Duration,
    /// How long to wait before another try when database or queue do not answer.
    pub pause: Duration,
    /// Names this process in the rows of its tasks.
    pub worker: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            slots: 2,
            prefetch: 2,
            time_limit: Duration::from_secs(10 * 60),
            retries: Budget::default(),
            grace: Duration::from_secs(20),
            pause: Duration::from_secs(1),
            worker: format!("worker-{}", std::process::id()),
        }
    }
}

/// Runs one stage.
pub struct Runner {
    shared: Arc<Shared>,
    hearing: Hearing,
}

/// What all attempts of a runner share.
pub(crate) struct Shared {
    pub(crate) stage: Arc<dyn Stage>,
    pub(crate) ports: Ports,
    pub(crate) claims: Claims,
    pub(crate) settings: Settings,
    /// Held for writing by work that is to be alone in its process.
    pub(crate) alone: Arc<RwLock<()>>,
    /// The shutdown has begun.
    pub(crate) closing: CancellationToken,
    /// The grace period is over.
    pub(crate) out_of_time: CancellationToken,
}

impl Runner {
    /// A runner of a stage. All runners of a process share `claims` and `alone`.
    #[must_use]
    pub fn new(
        stage: Arc<dyn Stage>,
        ports: Ports,
        claims: Claims,
        alone: Arc<RwLock<()>>,
        settings: Settings,
    ) -> Self {
        claims.offer(&settings.worker, stage.stage(), settings.slots);
        let closing = CancellationToken::new();
        let out_of_time = CancellationToken::new();
        let shared = Shared { stage, ports, claims, settings, alone, closing, out_of_time };
        Self { shared: Arc::new(shared), hearing: Hearing::default() }
    }

    /// Whether it hears its calls, from outside.
    #[must_use]
    pub fn hearing(&self) -> Hearing {
        self.hearing.clone()
    }

    /// Works until `shutdown`, then finishes or gives back what is in work.
    pub async fn run(self, shutdown: CancellationToken) {
        let stage = self.shared.stage.stage();
        measure::begins(stage);
        let mut attempts = JoinSet::new();
        while !shutdown.is_cancelled() {
            let subscribed =
                self.shared.ports.queue.subscribe(stage, self.shared.settings.prefetch);
            match subscribed.await {
                Ok(calls) => {
                    self.hearing.found();
                    self.take(calls, &mut attempts, &shutdown).await;
                }
                Err(error) => {
                    self.hearing.lost();
                    warn!(%stage, %error, "the queue does not answer");
                }
            }
            tokio::select! {
                () = shutdown.cancelled() => {}
                () = tokio::time::sleep(self.shared.settings.pause) => {}
            }
        }
        self.drain(attempts).await;
        info!(%stage, "stopped");
    }

    /// Takes calls until the queue fails or the shutdown begins.
    async fn take(
        &self,
        mut calls: Box<dyn Subscription>,
        attempts: &mut JoinSet<()>,
        shutdown: &CancellationToken,
    ) {
        let slots = Arc::new(Semaphore::new(self.shared.settings.slots));
        loop {
            let slot = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                slot = slots.clone().acquire_owned() => slot,
            };
            let delivery = tokio::select! {
                biased;
                () = shutdown.cancelled() => return,
                delivery = calls.next() => delivery,
            };
            while attempts.try_join_next().is_some() {}
            match delivery {
                Ok(delivery) => {
                    let attempt = attempt::answer(self.shared.clone(), delivery);
                    attempts.spawn(async move {
                        attempt.await;
                        drop(slot);
                    });
                }
                Err(error) => {
                    warn!(%error, "the queue does not answer");
                    return;
                }
            }
        }
    }

    async fn drain(&self, mut attempts: JoinSet<()>) {
        self.shared.closing.cancel();
        let all = async { while attempts.join_next().await.is_some() {} };
        if tokio::time::timeout(self.shared.settings.grace, all).await.is_err() {
            self.shared.out_of_time.cancel();
            while attempts.join_next().await.is_some() {}
        }
    }
}
