//! The wiki.

use domain::{Timestamp, page::Citation};
use serde::Serialize;
use store::{PageSummary, StoredPage, VersionSummary};
use utoipa::ToSchema;

/// The pages of a channel's wiki.
#[derive(Serialize, ToSchema)]
pub(crate) struct Structure {
    pub(crate) channel_id: String,
    pub(crate) channel_name: String,
    pub(crate) platform: &'static str,
    #[schema(value_type = Option<String>)]
    pub(crate) generated_at: Option<Timestamp>,
    /// Whether something has changed that the pages do not show yet.
    pub(crate) is_stale: bool,
    pub(crate) pages: Vec<PageEntry>,
}

/// A page without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageEntry {
    slug: String,
    title: String,
    kind: &'static str,
    version: u32,
    fact_count: u32,
    #[schema(value_type = String)]
    updated_at: Timestamp,
    #[schema(no_recursion)]
    pub(crate) children: Vec<PageEntry>,
}

impl From<&PageSummary> for PageEntry {
    fn from(page: &PageSummary) -> Self {
        Self {
            slug: page.slug.clone(),
            title: page.title.clone(),
            kind: page.key.kind.as_str(),
            version: page.version,
            fact_count: page.fact_count,
            updated_at: page.updated_at,
            children: Vec::new(),
        }
    }
}

/// A version of a page.
#[derive(Serialize, ToSchema)]
pub(crate) struct PageReply {
    slug: String,
    title: String,
    kind: &'static str,
    version: u32,
    /// Markdown.
    content: String,
    #[schema(value_type = String)]
    updated_at: Timestamp,
    #[schema(value_type = Vec<Object>)]
    citations: Vec<Citation>,
}

impl From<StoredPage> for PageReply {
    fn from(page: StoredPage) -> Self {
        Self {
            slug: page.slug,
            title: page.title,
            kind: page.key.kind.as_str(),
            version: page.version,
            content: page.content,
            updated_at: page.updated_at,
            citations: page.citations,
        }
    }
}

/// A version without its text.
#[derive(Serialize, ToSchema)]
pub(crate) struct VersionReply {
    version: u32,
    title: String,
    fact_count: u32,
    job_id: String,
    #[schema(value_type = String)]
    created_at: Timestamp,
}

impl From<&VersionSummary> for VersionReply {
    fn from(version: &VersionSummary) -> Self {
        Self {
            version: version.version,
            title: version.title.clone(),
            fact_count: version.fact_count,
            job_id: version.job_id.clone(),
            created_at: version.created_at,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Versions {
    pub(crate) versions: Vec<VersionReply>,
    pub(crate) next_cursor: Option<String>,
}
