//! Which pages are rendered, and in which portions they are stored.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Failure, Stage as StageName,
    page::{PageKey, PageKind, RenderedPage},
    task::ClaimedTask,
};
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use store::{Effect, PageSummary, Store, WikiEffect, WikiState};
use worker::{Context, Stage};

use crate::{
    inputs::{Inputs, Shared},
    pages,
};

/// Pages of one transaction.
const PORTION: usize = 20;

/// Pages rendered side by side: most of a rendering is waiting for the database.
const SIDE_BY_SIDE: usize = 4;

/// What became of a page.
enum Outcome {
    Rendered(RenderedPage),
    /// It has nothing to show any more.
    Removed(PageKey),
    Unchanged,
}

/// Renders the wiki.
pub struct WikiStage {
    store: Arc<dyn Store>,
}

impl WikiStage {
    /// A stage on this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }
}

#[async_trait]
impl Stage for WikiStage {
    fn stage(&self) -> StageName {
        StageName::GeneratingWiki
    }

    async fn run(&self, task: &ClaimedTask, context: &Context) -> Result<Effect, Failure> {
        let channel = &task.channel_id;
        let WikiState { dirty, pages: known } = self.store.wiki_state(channel).await?;
        let mut keys = dirty.pages;
        // A wiki has a first page from the first sync on, even if there is nothing to say.
        let overview = PageKey::only(PageKind::Overview);
        if !keys.contains(&overview) && !known.iter().any(|page| page.key == overview) {
            keys.push(overview);
        }
        let mut effect = WikiEffect::default();
        if !keys.is_empty() {
            let shared = Shared::load(&*self.store, channel, &known).await?;
            let known: BTreeMap<&PageKey, &PageSummary> =
                known.iter().map(|page| (&page.key, page)).collect();
            let renderings = keys.into_iter().map(|key| self.render(&shared, &known, key));
            let mut outcomes = stream::iter(renderings).buffered(SIDE_BY_SIDE);
            while let Some(outcome) = outcomes.try_next().await? {
                match outcome {
                    Outcome::Rendered(page) => effect.pages.push(page),
                    Outcome::Removed(key) => effect.removed.push(key),
                    Outcome::Unchanged => {}
                }
                if effect.pages.len() + effect.removed.len() >= PORTION {
                    context.commit(Effect::Wiki(std::mem::take(&mut effect))).await?;
                }
            }
        }
        Ok(Effect::Wiki(WikiEffect { marks: dirty.marks, end: true, ..effect }))
    }
}

impl WikiStage {
    /// Renders a page, unless its inputs are what they were.
    async fn render(
        &self,
        shared: &Shared,
        known: &BTreeMap<&PageKey, &PageSummary>,
        key: PageKey,
    ) -> Result<Outcome, Failure> {
        let page = known.get(&key);
        let Some(inputs) = Inputs::load(&*self.store, shared, &key).await? else {
            return Ok(if page.is_some() { Outcome::Removed(key) } else { Outcome::Unchanged });
        };
        let input_hash = inputs.digest();
        if page.is_some_and(|page| page.input_hash == input_hash) {
            return Ok(Outcome::Unchanged);
        }
        let body = pages::render(&shared.scene.channel.id, &key, &inputs);
        let slug = page.map(|page| page.slug.clone());
        Ok(Outcome::Rendered(RenderedPage {
            slug: slug.unwrap_or_else(|| pages::slug(shared, &key)),
            key,
            title: body.title,
            input_hash,
            content: body.content,
            fact_count: body.fact_count,
            citations: body.citations,
        }))
    }
}
