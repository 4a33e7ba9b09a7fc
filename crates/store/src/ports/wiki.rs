//! The wiki.

use std::collections::BTreeMap;

use async_trait::async_trait;
use domain::{
    Channel, ChannelId, EntityId, Timestamp,
    fact::Person,
    graph::EntityType,
    page::{Citation, PageKey},
};

use serde::Serialize;

use crate::{Result, StoredFact, StoredRelationship};

/// A page without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSummary {
    /// Which page.
    pub key: PageKey,
    /// Its address within the wiki.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Its newest version, from 1.
    pub version: u32,
    /// Facts shown on it.
    pub fact_count: u32,
    /// Digest of what it was rendered from.
    pub input_hash: String,
    /// When its newest version was made.
    pub updated_at: Timestamp,
}

/// A version of a page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredPage {
    /// Its address within the wiki.
    pub slug: String,
    /// Its title.
    pub title: String,
    /// Which page.
    pub key: PageKey,
    /// The version, from 1.
    pub version: u32,
    /// Markdown.
    pub content: String,
    /// When the version was made.
    pub updated_at: Timestamp,
    /// Its footnotes.
    pub citations: Vec<Citation>,
}

/// A version without its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VersionSummary {
    /// The version, from 1.
    pub version: u32,
    /// Its title.
    pub title: String,
    /// Facts shown on it.
    pub fact_count: u32,
    /// The job that made it.
    pub job_id: String,
    /// When it was made.
    pub created_at: Timestamp,
}

/// An entity that published facts of a channel are about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TopicRow {
    /// The entity.
    pub entity_id: EntityId,
    /// Its type.
    pub kind: EntityType,
    /// Its name.
    pub name: String,
    /// Published facts about it.
    pub facts: u64,
    /// People who said them.
    pub authors: u64,
    /// When the newest of them was said.
    pub last_asserted: Timestamp,
}

/// Somebody and what the channel knows through them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ContributorRow {
    /// Who.
    pub person: Person,
    /// Published facts they said.
    pub facts: u64,
}

/// What is dirty.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DirtyPages {
    /// The pages, sorted.
    pub pages: Vec<PageKey>,
    /// The newest mark seen.
    pub marks: i64,
}

/// What is rendered of a channel, and what has changed since.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WikiState {
    /// Pages whose inputs have changed since they were rendered.
    pub dirty: DirtyPages,
    /// Pages, by kind, then title; removed ones excluded.
    pub pages: Vec<PageSummary>,
}

/// How much of a channel its pages show.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SceneBounds {
    /// Facts that make a topic.
    pub facts_of_a_topic: u32,
    /// Topics.
    pub topics: u32,
    /// Contributors.
    pub contributors: u32,
    /// Facts.
    pub facts: u32,
    /// Relationships.
    pub relationships: u32,
}

/// What all pages of a channel are rendered from.
#[derive(Debug, Clone)]
pub struct WikiScene {
    /// The channel.
    pub channel: Channel,
    /// Entities that enough published facts of the channel are about, people excluded, most facts first,
    /// then by id.
    pub topics: Vec<TopicRow>,
    /// People by published facts, most first, then by name.
    pub contributors: Vec<ContributorRow>,
    /// The newest published facts, newest first.
    pub published: Vec<StoredFact>,
    /// The best supported relationships, the best first.
    pub relationships: Vec<StoredRelationship>,
    /// Types and names of what they relate.
    pub names: BTreeMap<EntityId, (EntityType, String)>,
}

/// The wiki. Writing it is [`crate::Tasks::commit`]'s.
#[async_trait]
pub trait Wiki: Send + Sync + 'static {
    /// What is rendered of a channel, and what has changed since.
    async fn wiki_state(&self, channel: &ChannelId) -> Result<WikiState>;
    /// What all pages of a channel are rendered from, at one moment; `None` for an unknown one.
    async fn wiki_scene(
        &self,
        channel: &ChannelId,
        bounds: &SceneBounds,
    ) -> Result<Option<WikiScene>>;
    /// A page's newest version, or a given one.
    async fn page(
        &self,
        channel: &ChannelId,
        slug: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredPage>>;
    /// The versions of a page, newest first.
    async fn page_versions(
        &self,
        channel: &ChannelId,
        slug: &str,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<VersionSummary>>;
}
