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

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Job, Stage, TaskRef,
    task::{Claim, ClaimedTask},
};
use futures_util::FutureExt as _;

use super::{Database, retried, session::Lane};
use crate::{Committed, Due, Effect, Limits, Result, Swept, Tasks};

use self::fence::Fenced;
pub(super) use self::{
    claim::Wanted as Claiming, commit::Wanted as Committing, graph::recompute_entities,
};

#[async_trait]
impl Tasks for Database {
    async fn claim(
        &self,
        task: &TaskRef,
        worker: &str,
        lease: Duration,
    ) -> Result<Option<(ClaimedTask, Job)>> {
        let wanted = Claiming { task: task.clone(), worker: worker.to_owned(), lease };
        self.together(&self.shared.gatherings.claims, wanted, |database, wanted| {
            async { retried!(database.try_claim(wanted)) }.boxed()
        })
        .await
    }

    async fn commit(&self, claim: &Claim, effect: Effect) -> Result<Option<Committed>> {
        let wanted = Committing { claim: claim.clone(), effect };
        let Some(company) = wanted.company() else {
            return Ok(retried!(self.try_commit(std::slice::from_ref(&wanted)))?.pop().flatten());
        };
        let commits = &self.shared.gatherings.commits[company.index()];
        self.together(commits, wanted, |database, wanted| {
            async {
                match wanted.len() {
                    1 => retried!(database.try_commit(wanted)),
                    _ => database.try_commit(wanted).await,
                }
            }
            .boxed()
        })
        .await
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
    async fn try_claim(&self, wanted: &[Claiming]) -> Result<Vec<Option<(ClaimedTask, Job)>>> {
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
