//! Which pages are rendered, and in which portions they are stored.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use domain::{
    Failure, Stage as StageName,
    page::{PageKey, PageKind, RenderedPage},
    task::ClaimedTask,
};
use store::{Effect, PageSummary, Store, WikiEffect};
use worker::{Context, Stage};

use crate::{
    inputs::{Inputs, Shared},
    pages,
};

/// Pages of one transaction.
const PORTION: usize = 20;

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
        let dirty = self.store.dirty_pages(channel).await?;
        let known = self.store.pages(channel).await?;
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
            for key in keys {
                self.render(&shared, &known, key, &mut effect).await?;
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
        effect: &mut WikiEffect,
    ) -> Result<(), Failure> {
        let page = known.get(&key);
        let Some(inputs) = Inputs::load(&*self.store, shared, &key).await? else {
            if page.is_some() {
                effect.removed.push(key);
            }
            return Ok(());
        };
        let input_hash = inputs.digest();
        if page.is_some_and(|page| page.input_hash == input_hash) {
            return Ok(());
        }
        let body = pages::render(&shared.channel.id, &key, &inputs);
        let slug = page.map(|page| page.slug.clone());
        effect.pages.push(RenderedPage {
            slug: slug.unwrap_or_else(|| pages::slug(shared, &key)),
            key,
            title: body.title,
            input_hash,
            content: body.content,
            fact_count: body.fact_count,
            citations: body.citations,
        });
        Ok(())
    }
}
