//! What a page is rendered from.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    Channel, ChannelId, EntityId, Failure, Retry,
    fact::FactKind,
    graph::EntityType,
    message::hex,
    page::{PageKey, PageKind},
};
use futures_util::future::try_join_all;
use serde::Serialize;
use sha2::{Digest as _, Sha256};
use store::{
    ContributorRow, FactQuery, PageSummary, SceneBounds, Store, StoredFact, StoredRelationship,
    TopicRow, WikiScene,
};

use crate::slugs;

/// Changes with every change to how pages look: all are rendered again then, as they become dirty.
const RENDERER: u32 = 2;

/// Entries of a ledger page: the newest; the API has them all.
pub(crate) const LEDGER: u32 = 40;

/// How much of a channel its pages show; one fact more than a page, to know of more.
const BOUNDS: SceneBounds = SceneBounds {
    facts_of_a_topic: 3,
    topics: 200,
    contributors: 50,
    facts: LEDGER + 1,
    relationships: 40,
};

/// What all pages of one rendering share.
pub(crate) struct Shared {
    pub(crate) scene: WikiScene,
    pub(crate) slugs: BTreeMap<EntityId, String>,
}

impl Shared {
    pub(crate) async fn load(
        store: &dyn Store,
        id: &ChannelId,
        pages: &[PageSummary],
    ) -> Result<Self, Failure> {
        let scene = store.wiki_scene(id, &BOUNDS).await?;
        let scene = scene.ok_or_else(|| Failure::internal("the channel is gone", Retry::Never))?;
        let slugs = slugs::of_topics(&scene.topics, pages);
        Ok(Self { scene, slugs })
    }

    /// The newest facts of some kinds. A channel that has published no more than one page shows is not
    /// asked again.
    async fn facts(
        &self,
        store: &dyn Store,
        query: &FactQuery,
    ) -> Result<Vec<StoredFact>, Failure> {
        let published = &self.scene.published;
        if published.len() > LEDGER as usize {
            return Ok(store.facts(query).await?);
        }
        let wanted = published.iter().filter(|fact| query.kinds.contains(&fact.fact.kind));
        Ok(wanted.take(query.limit as usize).cloned().collect())
    }

    /// The best supported relationships that stand, between things with a name, and those names.
    fn relationships(&self) -> (Vec<StoredRelationship>, BTreeMap<EntityId, String>) {
        let standing = self.scene.relationships.iter().filter(|r| r.valid_until.is_none());
        let standing: Vec<_> = standing.cloned().collect();
        let ends: BTreeSet<_> = standing.iter().flat_map(|r| [&r.source, &r.target]).collect();
        let named = self
            .scene
            .names
            .iter()
            .filter(|(id, (kind, _))| ends.contains(id) && *kind != EntityType::Url);
        let names = named.map(|(id, (_, name))| (id.clone(), name.clone())).collect();
        (standing, names)
    }
}

/// The inputs of one page. What a page does not use stays empty, and does not make it dirty.
#[derive(Debug, Default, Serialize)]
pub(crate) struct Inputs {
    pub(crate) channel_name: String,
    pub(crate) channel_topic: String,
    pub(crate) facts: Vec<StoredFact>,
    /// Whether there are older facts than those.
    pub(crate) more: bool,
    pub(crate) topic: Option<TopicRow>,
    pub(crate) topics: Vec<TopicRow>,
    pub(crate) slugs: BTreeMap<EntityId, String>,
    pub(crate) contributors: Vec<ContributorRow>,
    pub(crate) relationships: Vec<StoredRelationship>,
    pub(crate) names: BTreeMap<EntityId, String>,
}

impl Inputs {
    /// Loads what a page shows; `None` when there is nothing to show.
    pub(crate) async fn load(
        store: &dyn Store,
        shared: &Shared,
        key: &PageKey,
    ) -> Result<Option<Self>, Failure> {
        let channel = &shared.scene.channel;
        let mut inputs = Self { channel_name: channel.name.clone(), ..Self::default() };
        match key.kind {
            PageKind::Overview => inputs.load_overview(store, shared).await?,
            PageKind::Topics => {
                inputs.topics = shared.scene.topics.clone();
                inputs.slugs = shared.slugs.clone();
            }
            PageKind::Topic => {
                let Some(topic) =
                    shared.scene.topics.iter().find(|topic| topic.entity_id.as_str() == key.key)
                else {
                    return Ok(None);
                };
                let query =
                    FactQuery { entity: Some(topic.entity_id.clone()), ..query(channel, &[]) };
                inputs.list(store.facts(&query).await?);
                inputs.topic = Some(topic.clone());
            }
            PageKind::People => {
                inputs.contributors = shared.scene.contributors.clone();
                let kinds = [FactKind::Ownership, FactKind::Decision, FactKind::ActionItem];
                inputs.load_facts(store, shared, &kinds).await?;
            }
            PageKind::Decisions => {
                inputs.load_facts(store, shared, &[FactKind::Decision]).await?;
            }
            PageKind::ActionItems => {
                inputs.load_facts(store, shared, &[FactKind::ActionItem]).await?;
            }
            PageKind::Questions => {
                let kinds = [FactKind::Qa, FactKind::OpenQuestion];
                inputs.load_facts(store, shared, &kinds).await?;
            }
            PageKind::Glossary => {
                inputs.load_facts(store, shared, &[FactKind::Definition]).await?;
            }
            PageKind::Timeline => {
                let kinds = [
                    FactKind::Decision,
                    FactKind::Announcement,
                    FactKind::Problem,
                    FactKind::Resolution,
                    FactKind::Ownership,
                ];
                inputs.load_facts(store, shared, &kinds).await?;
            }
        }
        let empty =
            inputs.facts.is_empty() && inputs.topics.is_empty() && inputs.contributors.is_empty();
        Ok((!empty || key.kind == PageKind::Overview).then_some(inputs))
    }

    /// Asks for everything at once: this page has the most parts, and the first to be read.
    async fn load_overview(&mut self, store: &dyn Store, shared: &Shared) -> Result<(), Failure> {
        let channel = &shared.scene.channel;
        let newest = [
            (FactKind::Announcement, 5),
            (FactKind::Decision, 8),
            (FactKind::ActionItem, 30),
            (FactKind::Problem, 3),
        ]
        .map(|(kind, limit)| FactQuery { limit, ..query(channel, &[kind]) });
        let facts = try_join_all(newest.iter().map(|query| shared.facts(store, query))).await?;
        self.channel_topic.clone_from(&channel.topic);
        self.facts = facts.into_iter().flatten().collect();
        self.contributors = shared.scene.contributors.iter().take(8).cloned().collect();
        (self.relationships, self.names) = shared.relationships();
        self.topics = shared.scene.topics.iter().take(10).cloned().collect();
        for topic in &self.topics {
            if let Some(slug) = shared.slugs.get(&topic.entity_id) {
                self.slugs.insert(topic.entity_id.clone(), slug.clone());
            }
        }
        Ok(())
    }

    async fn load_facts(
        &mut self,
        store: &dyn Store,
        shared: &Shared,
        kinds: &[FactKind],
    ) -> Result<(), Failure> {
        self.list(shared.facts(store, &query(&shared.scene.channel, kinds)).await?);
        Ok(())
    }

    /// Shows these, as far as there is room.
    fn list(&mut self, facts: Vec<StoredFact>) {
        self.facts = facts;
        self.more = self.facts.len() > LEDGER as usize;
        self.facts.truncate(LEDGER as usize);
    }

    /// The same for the same inputs.
    pub(crate) fn digest(&self) -> String {
        let mut digest = Sha256::new();
        digest.update(RENDERER.to_be_bytes());
        // Plain data: its serialisation cannot fail.
        digest.update(serde_json::to_vec(self).unwrap_or_default());
        hex(&digest.finalize()[..16])
    }
}

/// Published facts of a channel, one more than a page shows.
fn query(channel: &Channel, kinds: &[FactKind]) -> FactQuery {
    FactQuery {
        channel_id: Some(channel.id.clone()),
        kinds: kinds.to_vec(),
        published_only: true,
        limit: BOUNDS.facts,
        ..FactQuery::default()
    }
}
