//! The stage `extracting_facts`: from changed messages to what their conversations teach.
//!
//! A batch names the messages that have changed; what is extracted are the conversations they touch,
//! whole, so that page size and batch borders never show in the result. A conversation whose input is
//! what it was is not extracted again.

use std::sync::Arc;

use async_trait::async_trait;
use domain::{
    Failure, Retry, Stage as StageName,
    conversation::Conversation,
    fact::Extraction,
    message::hex,
    task::{ClaimedTask, TaskInput},
};
use extraction::Extractor;
use sha2::{Digest as _, Sha256};
use store::{Effect, ExtractedUnit, ExtractionEffect, Store, TouchedUnit};
use worker::{Context, Stage};

/// Extracts facts.
pub struct ExtractStage {
    store: Arc<dyn Store>,
    extractor: Arc<dyn Extractor>,
}

impl ExtractStage {
    /// A stage with this extractor.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, extractor: Arc<dyn Extractor>) -> Self {
        Self { store, extractor }
    }

    /// Digest of all that the extraction of a unit depends on.
    fn input_hash(&self, unit: &TouchedUnit) -> String {
        let mut digest = Sha256::new();
        digest.update(self.extractor.version());
        digest.update([0]);
        digest.update(&unit.digest);
        hex(&digest.finalize()[..16])
    }
}

#[async_trait]
impl Stage for ExtractStage {
    fn stage(&self) -> StageName {
        StageName::ExtractingFacts
    }

    async fn run(&self, task: &ClaimedTask, context: &Context) -> Result<Effect, Failure> {
        let TaskInput::Extract { seeds } = &task.input else {
            return Err(Failure::internal("not a batch to extract", Retry::Never));
        };
        let touched = self.store.touched_units(&task.channel_id, seeds).await?;
        let mut effect = ExtractionEffect {
            as_of: touched.as_of,
            retired: touched.retired,
            ..ExtractionEffect::default()
        };
        let mut hashes = Vec::new();
        let mut conversations = Vec::new();
        for unit in touched.units {
            let hash = self.input_hash(&unit);
            if unit.input_hash.as_ref() == Some(&hash) {
                effect.unchanged.push(unit.conversation.unit_id);
            } else {
                hashes.push(hash);
                conversations.push(unit.conversation);
            }
        }
        let names: Vec<_> =
            conversations.iter().map(|c| (c.unit_id.clone(), c.root.clone())).collect();
        let found = self.extract(conversations, context).await?;
        effect.extracted = names
            .into_iter()
            .zip(hashes)
            .zip(found)
            .map(|(((unit_id, root), input_hash), extraction)| ExtractedUnit {
                unit_id,
                root,
                input_hash,
                extraction,
            })
            .collect();
        Ok(Effect::Extraction(effect))
    }
}

impl ExtractStage {
    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        context: &Context,
    ) -> Result<Vec<Extraction>, Failure> {
        let expected = conversations.len();
        if expected == 0 {
            return Ok(Vec::new());
        }
        let found = self.extractor.extract(conversations, context.stop().clone()).await?;
        if found.len() != expected {
            return Err(Failure::internal("the extractor left conversations out", Retry::Backoff));
        }
        Ok(found)
    }
}
