//! Tasks: claiming them, writing their results, and repairing what stands still.

mod claim;
mod extraction;
mod fence;
mod follow;
mod graph;
mod leftovers;
mod outcome;
mod page;
mod repair;
mod wiki;

use std::time::Duration;

use async_trait::async_trait;
use domain::{
    Job, Stage, TaskRef,
    task::{Claim, ClaimedTask},
};

use super::{Database, retried, session::Lane};
use crate::{Committed, Due, Effect, Result, Swept, Tasks};

use self::fence::Fenced;
pub(super) use self::graph::recompute_entities;

#[async_trait]
impl Tasks for Database {
    async fn claim(
        &self,
        task: &TaskRef,
        worker: &str,
        lease: Duration,
    ) -> Result<Option<(ClaimedTask, Job)>> {
        retried!(self.try_claim(task, worker, lease))
    }

    async fn commit(&self, claim: &Claim, effect: Effect) -> Result<Option<Committed>> {
        retried!(self.try_commit(claim, &effect))
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

    async fn take_back_all(&self) -> Result<Swept> {
        let mut write = self.begin(Lane::Work).await?;
        let mut swept = repair::take_back(&mut write, None).await?;
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
    async fn try_claim(
        &self,
        task: &TaskRef,
        worker: &str,
        lease: Duration,
    ) -> Result<Option<(ClaimedTask, Job)>> {
        let mut write = self.begin(Lane::Claim).await?;
        let now = write.now().await?;
        let claimed = claim::claim(&mut write, task, worker, now, lease).await?;
        match &claimed {
            Some(_) => write.commit().await?,
            None => write.roll_back().await?,
        }
        Ok(claimed)
    }

    async fn try_commit(&self, claim: &Claim, effect: &Effect) -> Result<Option<Committed>> {
        let mut write = self.begin(Lane::Work).await?;
        let Some(mut fenced) = Fenced::load(&mut write, claim).await? else {
            write.roll_back().await?;
            return Ok(None);
        };
        let held = match effect {
            Effect::Leftovers => leftovers::write(&mut write, &mut fenced).await?,
            Effect::Page(page) => page::write(&mut write, &mut fenced, page).await?,
            Effect::Extraction(found) => extraction::write(&mut write, &mut fenced, found).await?,
            Effect::Graph(graph) => graph::write(&mut write, &mut fenced, graph).await?,
            Effect::Wiki(wiki) => wiki::write(&mut write, &mut fenced, wiki).await?,
            Effect::Retry { error, delay, uses_attempt } => {
                outcome::retry(&mut write, &mut fenced, error, *delay, *uses_attempt).await?
            }
            Effect::GiveUp { error } => outcome::give_up(&mut write, &mut fenced, error).await?,
        };
        if !held {
            write.roll_back().await?;
            return Ok(None);
        }
        let committed = fenced.close(&mut write).await?;
        write.commit().await?;
        Ok(Some(committed))
    }

    async fn try_heartbeat(&self, claims: &[Claim], lease: Duration) -> Result<Vec<Claim>> {
        let mut write = self.begin(Lane::Beat).await?;
        let now = write.now().await?;
        let lost = claim::heartbeat(&mut write, claims, now, lease).await?;
        write.commit().await?;
        Ok(lost)
    }

    async fn try_expire_leases(&self) -> Result<Swept> {
        let mut write = self.begin(Lane::Work).await?;
        let now = write.now().await?;
        let mut swept = repair::take_back(&mut write, Some(now)).await?;
        swept.jobs.extend(repair::fail_standing_still(&mut write, now).await?);
        write.commit().await?;
        Ok(swept)
    }
}
