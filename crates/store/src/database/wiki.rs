//! The wiki, as it is read.

mod scene;
mod state;

use async_trait::async_trait;
use domain::{ChannelId, page::PageKey};
use futures_util::FutureExt as _;

use super::{
    Database,
    query::query,
    row::{Columns as _, Row},
};
use crate::{
    PageSummary, Result, SceneBounds, StoredPage, VersionSummary, Wiki, WikiScene, WikiState,
};

#[async_trait]
impl Wiki for Database {
    async fn wiki_state(&self, channel: &ChannelId) -> Result<WikiState> {
        self.together(&self.shared.gatherings.wiki_states, channel.clone(), |database, channels| {
            state::states(database, channels).boxed()
        })
        .await
    }

    async fn wiki_scene(
        &self,
        channel: &ChannelId,
        bounds: &SceneBounds,
    ) -> Result<Option<WikiScene>> {
        self.together(
            &self.shared.gatherings.wiki_scenes,
            (channel.clone(), *bounds),
            |database, asked| {
                async { scene::scenes(&mut database.snapshot().await?, asked).await }.boxed()
            },
        )
        .await
    }

    async fn page(
        &self,
        channel: &ChannelId,
        slug: &str,
        version: Option<u32>,
    ) -> Result<Option<StoredPage>> {
        let mut reader = self.read().await?;
        let row = query(
            "SELECT page.kind, page.key, version.*
             FROM wiki_pages AS page JOIN wiki_versions AS version USING (channel_id, slug)
             WHERE channel_id = $1 AND slug = $2 AND version.version = COALESCE($3, page.version)
                 AND (page.removed = FALSE OR $3 IS NOT NULL)",
        )
        .bind(channel.as_str())
        .bind(slug)
        .bind(version)
        .fetch_optional(&mut reader)
        .await?;
        row.as_ref().map(stored).transpose()
    }

    async fn page_versions(
        &self,
        channel: &ChannelId,
        slug: &str,
        before: Option<u32>,
        limit: u32,
    ) -> Result<Vec<VersionSummary>> {
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT version, title, fact_count, job_id, created_at FROM wiki_versions
             WHERE channel_id = $1 AND slug = $2 AND version < $3 ORDER BY version DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(slug)
        .bind(before.map_or(i64::MAX, i64::from))
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(version).collect()
    }
}

fn key(row: &Row) -> Result<PageKey> {
    Ok(PageKey { kind: row.parsed("kind")?, key: row.column("key")? })
}

fn summary(row: &Row) -> Result<PageSummary> {
    Ok(PageSummary {
        key: key(row)?,
        slug: row.column("slug")?,
        title: row.column("title")?,
        version: row.number("version")?,
        fact_count: row.number("fact_count")?,
        input_hash: row.column("input_hash")?,
        updated_at: row.time("updated_at")?,
    })
}

fn stored(row: &Row) -> Result<StoredPage> {
    Ok(StoredPage {
        slug: row.column("slug")?,
        title: row.column("title")?,
        key: key(row)?,
        version: row.number("version")?,
        content: row.column("content")?,
        updated_at: row.time("created_at")?,
        citations: row.json("citations")?,
    })
}

fn version(row: &Row) -> Result<VersionSummary> {
    Ok(VersionSummary {
        version: row.number("version")?,
        title: row.column("title")?,
        fact_count: row.number("fact_count")?,
        job_id: row.column("job_id")?,
        created_at: row.time("created_at")?,
    })
}
