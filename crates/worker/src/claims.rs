//! The claims that this process holds: kept alive together, and given up at once when a job is
//! cancelled or a claim is lost.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use domain::{ClaimToken, JobId, Stage, task::Claim};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tracing::{debug, warn};

use crate::Ports;

/// A claim is prolonged this often within a lease.
const BEATS_PER_LEASE: u32 = 3;

/// The claims of one process. Cheap to clone.
#[derive(Clone)]
pub struct Claims {
    inner: Arc<Inner>,
}

struct Inner {
    lease: Duration,
    held: Mutex<HashMap<ClaimToken, (Claim, CancellationToken)>>,
    slots: Mutex<Slots>,
    /// A claim was taken where there was none.
    begun: Notify,
}

/// What this process takes at the same time, by stage, and its name.
#[derive(Default)]
struct Slots {
    process: String,
    of_stages: Vec<(Stage, usize)>,
}

/// A claim that is kept alive until this is dropped.
pub(crate) struct Held {
    claims: Claims,
    token: ClaimToken,
}

impl Claims {
    /// Starts to keep claims alive, on a thread of its own: work that keeps the async threads busy must
    /// not cost a claim. Ends with `closing`, which comes after the last claim has been given up.
    pub fn start(
        ports: &Ports,
        lease: Duration,
        closing: CancellationToken,
    ) -> std::io::Result<Self> {
        let inner =
            Inner { lease, held: Mutex::default(), slots: Mutex::default(), begun: Notify::new() };
        let claims = Self { inner: Arc::new(inner) };
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (kept, ports) = (claims.clone(), ports.clone());
        std::thread::Builder::new().name("heartbeat".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    () = kept.keep_alive(&ports) => {}
                    () = kept.tell_slots_when_work_begins(&ports) => {}
                    () = kept.hear_cancels(&ports) => {}
                    () = closing.cancelled() => {}
                }
            });
        })?;
        Ok(claims)
    }

    /// How long a claim lives without a heartbeat.
    #[must_use]
    pub fn lease(&self) -> Duration {
        self.inner.lease
    }

    /// Notes how many tasks of a stage this process takes at the same time.
    pub(crate) fn offer(&self, worker: &str, stage: Stage, slots: usize) {
        let mut offered = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
        if offered.of_stages.is_empty() {
            // Two processes may bear one name: each is the first of its own container.
            offered.process = format!("{worker}-{:08x}", rand::random::<u32>());
        }
        offered.of_stages.push((stage, slots));
    }

    /// Keeps a claim alive; `stop` is cancelled when it is lost or its job has been cancelled.
    pub(crate) fn hold(&self, claim: &Claim, stop: CancellationToken) -> Held {
        let mut held = self.lock();
        if held.is_empty() {
            self.inner.begun.notify_one();
        }
        held.insert(claim.token.clone(), (claim.clone(), stop));
        drop(held);
        Held { claims: self.clone(), token: claim.token.clone() }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, HashMap<ClaimToken, (Claim, CancellationToken)>> {
        self.inner.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn keep_alive(&self, ports: &Ports) {
        let mut turn = tokio::time::interval(self.inner.lease / BEATS_PER_LEASE);
        turn.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let mut last_answer = Instant::now();
        loop {
            turn.tick().await;
            let held: Vec<Claim> = self.lock().values().map(|(claim, _)| claim.clone()).collect();
            if held.is_empty() {
                last_answer = Instant::now();
                continue;
            }
            let beat = ports.store.heartbeat(&held, self.inner.lease);
            match tokio::time::timeout(self.inner.lease / BEATS_PER_LEASE, beat).await {
                Ok(Ok(lost)) => {
                    last_answer = Instant::now();
                    for claim in lost {
                        debug!(task = %claim.task, "the claim is lost: the work on it is dropped");
                        self.stop(|(held, _)| held.token == claim.token);
                    }
                    self.tell_slots(ports).await;
                }
                Ok(Err(error)) => warn!(%error, "no heartbeat"),
                Err(_) => warn!("no heartbeat: the database does not answer"),
            }
            if last_answer.elapsed() > self.inner.lease {
                warn!("no heartbeat for a whole lease: all work is dropped");
                self.stop(|_| true);
            }
        }
    }

    /// A job has no more tasks released than few slots need, until it is known how many there are.
    async fn tell_slots_when_work_begins(&self, ports: &Ports) {
        loop {
            self.inner.begun.notified().await;
            self.tell_slots(ports).await;
            // So long it is known.
            tokio::time::sleep(self.inner.lease).await;
        }
    }

    /// A process that is at work tells how much it can do. What gets lost here the next beat repeats.
    async fn tell_slots(&self, ports: &Ports) {
        let (process, slots) = {
            let offered = self.inner.slots.lock().unwrap_or_else(PoisonError::into_inner);
            (offered.process.clone(), offered.of_stages.clone())
        };
        let lease = self.inner.lease;
        let told = ports.store.tell_slots(&process, &slots, lease);
        match tokio::time::timeout(lease / BEATS_PER_LEASE, told).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => debug!(%error, "the slots of this process are not told"),
            Err(_) => debug!("the slots of this process are not told: no answer"),
        }
    }

    /// Hears of cancelled jobs at once. Should a signal be lost, the next heartbeat is refused.
    async fn hear_cancels(&self, ports: &Ports) {
        loop {
            if let Ok(mut cancels) = ports.progress.cancels().await {
                while let Ok(job) = cancels.next().await {
                    self.cancel(&job);
                }
            }
            tokio::time::sleep(self.inner.lease / BEATS_PER_LEASE).await;
        }
    }

    fn cancel(&self, job: &JobId) {
        self.stop(|(claim, _)| claim.task.job_id == *job);
    }

    fn stop(&self, which: impl Fn(&(Claim, CancellationToken)) -> bool) {
        self.lock().values().filter(|held| which(held)).for_each(|(_, stop)| stop.cancel());
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.claims.lock().remove(&self.token);
    }
}
