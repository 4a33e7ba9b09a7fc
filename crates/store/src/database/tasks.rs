//! Tasks: claiming them, writing their results, and repairing what stands still.

mod claim;
mod commit;
mod extraction;
mod fence;
mod graph;
mod leftovers;
mod outcome;
mod page;
mod repair;
mod settle;
mod wiki;
mod window;

use std::{
    sync::{Arc, Weak},
    time::Duration,
};

use async_trait::async_trait;
use domain::{
    Job, Stage, TaskRef,
    task::{Claim, ClaimedTask},
};

use super::{Database, Shared, gathering::Gathering, retried, session::Lane};
use crate::{Committed, Due, Effect, Limits, Result, StoreError, Swept, Tasks};

use self::fence::Fenced;
pub(super) use self::graph::recompute_entities;

/// Claims and commits that wait for the transactions before them.
pub(super) struct Gatherings {
    claims: Gathering<claim::Wanted, Option<(ClaimedTask, Job)>>,
    /// By kind of effect.
    commits: [Gathering<commit::Wanted, Option<Committed>>; 4],
}

impl Gatherings {
    pub(super) fn new(at_once: usize) -> Self {
        Self {
            claims: Gathering::new(at_once),
            commits: std::array::from_fn(|_| Gathering::new(at_once)),
        }
    }
}

#[async_trait]
impl Tasks for Database {
    async fn claim(
        &self,
        task: &TaskRef,
        worker: &str,
        lease: Duration,
    ) -> Result<Option<(ClaimedTask, Job)>> {
        let (task, worker) = (task.clone(), worker.to_owned());
        let shared = Arc::downgrade(&self.shared);
        let claim = move |wanted: Vec<claim::Wanted>| {
            let database = Self::of(&shared);
            async move {
                let claimed = match database {
                    Ok(database) => retried!(database.try_claim(&wanted)),
                    Err(closed) => Err(closed),
                };
                (wanted, claimed)
            }
        };
        self.shared.gatherings.claims.ask(claim::Wanted { task, worker, lease }, claim).await
    }

    async fn commit(&self, claim: &Claim, effect: Effect) -> Result<Option<Committed>> {
        let wanted = commit::Wanted { claim: claim.clone(), effect };
        let Some(company) = wanted.company() else {
            return Ok(retried!(self.try_commit(std::slice::from_ref(&wanted)))?.pop().flatten());
        };
        let shared = Arc::downgrade(&self.shared);
        let commit = move |wanted: Vec<commit::Wanted>| {
            let database = Self::of(&shared);
            async move {
                let committed = match (database, wanted.len()) {
                    (Ok(database), 1) => retried!(database.try_commit(&wanted)),
                    (Ok(database), _) => database.try_commit(&wanted).await,
                    (Err(closed), _) => Err(closed),
                };
                (wanted, committed)
            }
        };
        self.shared.gatherings.commits[company.index()].ask(wanted, commit).await
    }

    async fn give_back(&self, claim: &Claim) -> Result<Option<TaskRef>> {
        let mut write = self.begin(Lane::Claim).await?;
        let given_back = claim::give_back(&mut write, claim).await?;
        write.commit().await?;
        Ok(given_back.then(|| claim.task.clone()))
    }

    async fn heartbeat(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>> {
        retried!(self.try_heartbeat(claims, lease))
    }

    async fn tell_slots(
        &self,
        worker: &str,
        slots: &[(Stage, usize)],
        lease: Duration,
    ) -> Result<()> {
        retried!(self.try_tell_slots(worker, slots, lease))
    }

    async fn take_back_all(&self) -> Result<Swept> {
        let mut write = self.begin(Lane::Work).await?;
        let mut swept = repair::take_back(&mut write, None, self.shared.limits.window).await?;
        // All that is ready is due at once after this: nothing needs to be named.
        swept.due.clear();
        repair::call_all_again(&mut write).await?;
        super::imports::take_back(&mut write).await?;
        write.commit().await?;
        Ok(swept)
    }

    async fn expire_leases(&self) -> Result<Swept> {
        retried!(self.try_expire_leases())
    }

    async fn due(&self, stage: Stage, queued: u64, quiet: Duration, limit: u32) -> Result<Due> {
        let mut write = self.begin(Lane::Work).await?;
        let due = repair::due(&mut write, stage, queued, quiet, limit).await?;
        write.commit().await?;
        Ok(due)
    }
}

impl Database {
    /// Who writes for others keeps no database open that everybody else has let go of.
    fn of(shared: &Weak<Shared>) -> Result<Self> {
        let shared = shared.upgrade();
        shared.map(|shared| Self { shared }).ok_or_else(|| StoreError::Unavailable("closed".into()))
    }

    async fn try_claim(&self, wanted: &[claim::Wanted]) -> Result<Vec<Option<(ClaimedTask, Job)>>> {
        let mut write = self.begin(Lane::Claim).await?;
        let claimed = claim::claim(&mut write, wanted).await?;
        match claimed.iter().any(Option::is_some) {
            true => write.commit().await?,
            false => write.roll_back().await?,
        }
        Ok(claimed)
    }

    async fn try_heartbeat(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>> {
        let mut write = self.begin(Lane::Beat).await?;
        let now = write.now().await?;
        let lost = claim::heartbeat(&mut write, claims, now, lease).await?;
        write.commit().await?;
        Ok(lost)
    }

    async fn try_tell_slots(
        &self,
        worker: &str,
        slots: &[(Stage, usize)],
        lease: Duration,
    ) -> Result<()> {
        let mut write = self.begin(Lane::Beat).await?;
        window::tell_slots(&mut write, worker, slots, lease).await?;
        write.commit().await
    }

    async fn try_expire_leases(&self) -> Result<Swept> {
        let mut write = self.begin(Lane::Work).await?;
        let now = write.now().await?;
        let Limits { window, standstill } = self.shared.limits;
        let mut swept = repair::take_back(&mut write, Some(now), window).await?;
        swept.jobs.extend(repair::fail_standing_still(&mut write, now, standstill).await?);
        write.commit().await?;
        Ok(swept)
    }
}
