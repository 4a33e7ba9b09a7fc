//! The built-in extractor: rules, no model.
//!
//! Honest about what it is: it finds what people mark, agree on, confirm, promise and announce in so many
//! words, and misses what is implied. The unit is a conversation; each rule ([`decisions`], [`actions`],
//! …) proposes statements, one gate ([`gate`]) judges them all.

mod actions;
mod announcements;
mod assemble;
mod dates;
mod decisions;
mod definitions;
mod draft;
mod entities;
mod gate;
mod gazetteer;
mod incidents;
mod marker;
mod ownership;
mod questions;
mod relationships;
mod scene;
mod text;

use std::sync::Arc;

use async_trait::async_trait;
use domain::{conversation::Conversation, fact::Extraction};
use tokio_util::sync::CancellationToken;

pub use self::gazetteer::GazetteerError;
use self::{gazetteer::Gazetteer, scene::Scene};
use crate::{ExtractionError, Extractor};

/// Changes with every change to a rule: everything is extracted again then.
const VERSION: &str = "rules-1";

/// The rule-based extractor. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Rules {
    gazetteer: Arc<Gazetteer>,
    version: String,
}

impl Rules {
    /// The extractor with the list of technologies that ships with it.
    pub fn bundled() -> Result<Self, GazetteerError> {
        let gazetteer = Gazetteer::bundled()?;
        let version = format!("{VERSION}-{}", gazetteer.digest());
        Ok(Self { gazetteer: Arc::new(gazetteer), version })
    }

    /// What one conversation teaches: a function of it alone.
    #[must_use]
    pub fn read(&self, conversation: &Conversation) -> Extraction {
        let scene = Scene::new(conversation, &self.gazetteer);
        let mut drafts = Vec::new();
        decisions::find(&scene, &mut drafts);
        actions::find(&scene, &mut drafts);
        questions::find(&scene, &mut drafts);
        announcements::find(&scene, &mut drafts);
        ownership::find(&scene, &mut drafts);
        definitions::find(&scene, &mut drafts);
        incidents::find(&scene, &mut drafts);
        assemble::extraction(&scene, drafts)
    }
}

#[async_trait]
impl Extractor for Rules {
    fn version(&self) -> &str {
        &self.version
    }

    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError> {
        let rules = self.clone();
        let reading = tokio::task::spawn_blocking(move || {
            let read = |conversation: &Conversation| {
                // A conversation is bounded, so that this is soon enough.
                if stop.is_cancelled() {
                    Err(ExtractionError::Stopped)
                } else {
                    Ok(rules.read(conversation))
                }
            };
            conversations.iter().map(read).collect()
        });
        reading.await.map_err(|panicked| ExtractionError::Failed(panicked.to_string()))?
    }
}
