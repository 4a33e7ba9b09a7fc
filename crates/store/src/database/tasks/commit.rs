//! Writing effects: one transaction for those that have arrived together.

use domain::{Stage, batch::Pending, task::Claim};

use super::{Fenced, extraction, graph, leftovers, outcome, page, settle::settle, wiki};
use crate::{
    Committed, Effect, Result,
    database::{Database, Session, gathering::Together, session::Lane},
};

/// An effect that moves more rows than this has a transaction of its own.
const LIGHT: usize = 50;

/// An effect that is to be written for a claim.
pub(in crate::database) struct Wanted {
    pub(super) claim: Claim,
    pub(super) effect: Effect,
}

impl Together for Wanted {
    /// Tasks of one job move the same row.
    fn goes_with(&self, others: &[Self]) -> bool {
        others.iter().all(|other| other.claim.task.job_id != self.claim.task.job_id)
    }
}

impl Wanted {
    /// With which others it may share a transaction, if any: all of these touch the same tables in the
    /// same order.
    pub(super) fn company(&self) -> Option<Stage> {
        let (company, rows) = match &self.effect {
            Effect::Page(page) => (
                Stage::FetchingMessages,
                page.messages.len() + page.sightings.len() + page.walked.len() * LIGHT,
            ),
            Effect::Extraction(found) => (
                Stage::ExtractingFacts,
                found.retired.len()
                    + found
                        .extracted
                        .iter()
                        .map(|unit| 1 + unit.extraction.facts.len())
                        .sum::<usize>(),
            ),
            Effect::Graph(graph) => (
                Stage::BuildingGraph,
                graph.units.iter().map(|unit| unit.mentions.len() + unit.facts.len()).sum(),
            ),
            Effect::Wiki(wiki) => (Stage::GeneratingWiki, wiki.pages.len() + wiki.removed.len()),
            Effect::Leftovers | Effect::Retry { .. } | Effect::GiveUp { .. } => return None,
        };
        (rows <= LIGHT).then_some(company)
    }
}

/// What a transaction came to.
enum Written {
    Committed(Vec<(Claim, Committed)>),
    /// Nothing was written, because these must not be.
    Refused(Vec<Claim>),
}

impl Database {
    /// Writes effects of different jobs, all of one kind, in one transaction. Those whose claim is lost or
    /// whose job is over are left out, also when that happens meanwhile: then it is made again without them.
    pub(super) async fn try_commit(&self, wanted: &[Wanted]) -> Result<Vec<Option<Committed>>> {
        let mut left: Vec<&Wanted> = wanted.iter().collect();
        while !left.is_empty() {
            let mut write = self.begin(Lane::Work).await?;
            match commit(&mut write, &left, self.shared.limits.window).await? {
                Written::Committed(mut done) => {
                    write.commit().await?;
                    let committed = |wanted: &Wanted| {
                        let place = done.iter().position(|(claim, _)| *claim == wanted.claim)?;
                        Some(done.swap_remove(place).1)
                    };
                    return Ok(wanted.iter().map(committed).collect());
                }
                Written::Refused(refused) => {
                    write.roll_back().await?;
                    left.retain(|wanted| !refused.contains(&wanted.claim));
                }
            }
        }
        Ok(wanted.iter().map(|_| None).collect())
    }
}

async fn commit(write: &mut Session, wanted: &[&Wanted], window: u32) -> Result<Written> {
    let claims: Vec<&Claim> = wanted.iter().map(|wanted| &wanted.claim).collect();
    let held = Fenced::load_all(write, &claims).await?;
    if held.is_empty() {
        return Ok(Written::Refused(claims.into_iter().cloned().collect()));
    }
    let mut tasks: Vec<(Fenced, &Effect)> = Vec::with_capacity(held.len());
    for fenced in held {
        let claim = fenced.claim();
        let of = wanted.iter().find(|wanted| wanted.claim == claim);
        tasks.extend(of.map(|wanted| (fenced, &wanted.effect)));
    }
    let pending = results(write, &mut tasks).await?;
    let mut fenced: Vec<&mut Fenced> = tasks.iter_mut().map(|(fenced, _)| fenced).collect();
    let refused = Fenced::lock_all(write, &mut fenced).await?;
    if !refused.is_empty() {
        return Ok(Written::Refused(refused));
    }
    finish(write, &mut tasks, pending).await?;
    let claims: Vec<Claim> = tasks.iter().map(|(fenced, _)| fenced.claim()).collect();
    let fenced = tasks.into_iter().map(|(fenced, _)| fenced).collect();
    let committed = settle(write, fenced, window).await?;
    Ok(Written::Committed(claims.into_iter().zip(committed).collect()))
}

/// Writes what the effects bring, before any job is locked; answers with the messages that are pending by
/// it, a list a task.
async fn results(
    write: &mut Session,
    tasks: &mut [(Fenced, &Effect)],
) -> Result<Vec<Vec<Pending>>> {
    macro_rules! of {
        ($kind:ident) => {
            tasks
                .iter_mut()
                .filter_map(|(fenced, effect)| match effect {
                    Effect::$kind(effect) => Some((fenced, effect)),
                    _ => None,
                })
                .collect::<Vec<_>>()
        };
    }
    let kind = tasks.first().map(|(_, effect)| *effect);
    match kind {
        Some(Effect::Page(_)) => return page::results(write, &of!(Page)).await,
        Some(Effect::Leftovers) => return leftovers::results(write, tasks).await,
        Some(Effect::Extraction(_)) => extraction::results(write, &mut of!(Extraction)).await?,
        Some(Effect::Graph(_)) => graph::results(write, &mut of!(Graph)).await?,
        Some(Effect::Wiki(_)) => wiki::results(write, &mut of!(Wiki)).await?,
        Some(Effect::Retry { .. } | Effect::GiveUp { .. }) | None => {}
    }
    Ok(Vec::new())
}

/// Says what becomes of tasks and jobs, which are locked now.
async fn finish(
    write: &mut Session,
    tasks: &mut [(Fenced, &Effect)],
    pending: Vec<Vec<Pending>>,
) -> Result<()> {
    let mut pending = pending.into_iter();
    for (fenced, effect) in tasks {
        match effect {
            Effect::Leftovers => fenced.batch(pending.next().unwrap_or_default()),
            Effect::Page(page) => {
                page::finish(write, fenced, page, pending.next().unwrap_or_default()).await?;
            }
            Effect::Extraction(found) => extraction::finish(fenced, found),
            Effect::Graph(_) => graph::finish(fenced),
            Effect::Wiki(wiki) => wiki::finish(fenced, wiki),
            Effect::Retry { error, delay, uses_attempt } => {
                outcome::retry(write, fenced, error, *delay, *uses_attempt).await?;
            }
            Effect::GiveUp { error } => outcome::give_up(write, fenced, error).await?,
        }
    }
    Ok(())
}
