//! What is written and read together when it is asked for at the same time.

use std::sync::Arc;

use domain::{ChannelId, Job, UnitId, task::ClaimedTask};
use futures_util::future::BoxFuture;

use super::{
    Database,
    gathering::{Gathering, Together},
    imports::ImportedAfter,
    messages::Touching,
    tasks::{Claiming, Committing},
};
use crate::{
    Committed, ImportedPage, NewJob, Result, SceneBounds, TouchedUnits, Triggered, UnitKnowledge,
    WalkStart, WikiScene, WikiState,
};

/// Requests that wait for the transactions before them, by kind.
pub(super) struct Gatherings {
    pub(super) triggers: Gathering<NewJob, Triggered>,
    pub(super) claims: Gathering<Claiming, Option<(ClaimedTask, Job)>>,
    /// By kind of effect.
    pub(super) commits: [Gathering<Committing, Option<Committed>>; 4],
    pub(super) walk_starts: Gathering<ChannelId, Option<WalkStart>>,
    pub(super) imported: Gathering<(ImportedAfter, u32), ImportedPage>,
    pub(super) imported_counts: Gathering<ImportedAfter, u64>,
    pub(super) touched_units: Gathering<Touching, TouchedUnits>,
    pub(super) unit_knowledge: Gathering<Vec<UnitId>, Vec<UnitKnowledge>>,
    pub(super) wiki_states: Gathering<ChannelId, WikiState>,
    pub(super) wiki_scenes: Gathering<(ChannelId, SceneBounds), Option<WikiScene>>,
}

/// Answers requests, in order, each as if it were the only one.
type Answers<Q, A> = for<'a> fn(&'a Database, &'a [Q]) -> BoxFuture<'a, Result<Vec<A>>>;

impl Together for ChannelId {}

impl Together for Vec<UnitId> {}

impl Together for (ChannelId, SceneBounds) {
    fn goes_with(&self, others: &[Self]) -> bool {
        others.iter().all(|other| other.1 == self.1)
    }
}

impl Gatherings {
    /// With so many transactions of a kind at the same time.
    pub(super) fn new(writing: usize, reading: usize) -> Self {
        Self {
            triggers: Gathering::new(writing),
            claims: Gathering::new(writing),
            commits: std::array::from_fn(|_| Gathering::new(writing)),
            walk_starts: Gathering::new(reading),
            imported: Gathering::new(reading),
            imported_counts: Gathering::new(reading),
            touched_units: Gathering::new(reading),
            unit_knowledge: Gathering::new(reading),
            wiki_states: Gathering::new(reading),
            wiki_scenes: Gathering::new(reading),
        }
    }
}

impl Database {
    /// Asks together with those who ask the like at the same time.
    pub(super) async fn together<Q: Together + Sync, A: Send + 'static>(
        &self,
        gathering: &Gathering<Q, A>,
        request: Q,
        answers: Answers<Q, A>,
    ) -> Result<A> {
        // Who answers for others keeps no database open that everybody else has let go of.
        let shared = Arc::downgrade(&self.shared);
        let answer = move |requests: Vec<Q>| {
            let database = shared.upgrade().map(|shared| Self { shared });
            async move {
                let answered = match database {
                    Some(database) => answers(&database, &requests).await,
                    None => Err(crate::StoreError::Unavailable("closed".into())),
                };
                (requests, answered)
            }
        };
        gathering.ask(request, answer).await
    }
}
