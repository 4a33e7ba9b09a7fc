//! The stage `building_graph`: folds what conversations teach into the knowledge graph.
//!
//! What a unit contributes is a function of its extraction alone ([`fold`]); the store merges the
//! contributions of all units by rules in which order does not count. Here it is also found out which
//! pages of the wiki show something that has changed.

mod dirty;
mod fold;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Failure, Retry, Stage as StageName,
    task::{ClaimedTask, TaskInput},
};
use store::{Effect, GraphEffect, Store};
use worker::{Context, Stage};

/// Builds the graph.
pub struct GraphStage {
    store: Arc<dyn Store>,
}

impl GraphStage {
    /// A stage on this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Stage for GraphStage {
    fn stage(&self) -> StageName {
        StageName::BuildingGraph
    }

    async fn run(&self, task: &ClaimedTask, _: &Context) -> Result<Effect, Failure> {
        let TaskInput::Graph { units, .. } = &task.input else {
            return Err(Failure::internal("not a batch for the graph", Retry::Never));
        };
        let channel = &task.channel_id;
        let known = self.store.unit_knowledge(units).await?;
        let units: Vec<_> = known.iter().map(|unit| fold::unit(channel, unit)).collect();
        let dirty = dirty::pages(&known, &units);
        Ok(Effect::Graph(GraphEffect { units, dirty }))
    }
}
