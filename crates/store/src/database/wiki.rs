//! The wiki, as it is read.

use std::collections::BTreeSet;

use async_trait::async_trait;
use domain::{
    ChannelId,
    fact::Person,
    page::{PageKey, PageKind},
};

use super::{
    Database,
    query::query,
    row::{Columns as _, Row},
    session::Lane,
};
use crate::{
    ContributorRow, DirtyPages, PageSummary, Result, StoredPage, TopicRow, VersionSummary, Wiki,
};

#[async_trait]
impl Wiki for Database {
    async fn pages(&self, channel: &ChannelId) -> Result<Vec<PageSummary>> {
        let mut reader = self.read().await?;
        let rows = query("SELECT * FROM wiki_pages WHERE channel_id = $1 AND removed = FALSE")
            .bind(channel.as_str())
            .fetch_all(&mut reader)
            .await?;
        let mut pages = rows.iter().map(summary).collect::<Result<Vec<_>>>()?;
        let order = |kind| PageKind::ALL.iter().position(|other| *other == kind);
        pages.sort_by(|a, b| {
            (order(a.key.kind), &a.title, &a.slug).cmp(&(order(b.key.kind), &b.title, &b.slug))
        });
        Ok(pages)
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

    async fn dirty_pages(&self, channel: &ChannelId) -> Result<DirtyPages> {
        let mut reader = match self.is_own() {
            true => self.read().await?,
            false => self.begin(Lane::Beat).await?,
        };
        // A mark that is not committed yet may be older than one that is: wait for those who make them.
        reader.lock("marks", channel.as_str()).await?;
        let rows = query(
            "SELECT kind, key, MAX(mark) AS mark FROM wiki_marks WHERE channel_id = $1
             GROUP BY kind, key",
        )
        .bind(channel.as_str())
        .fetch_all(&mut reader)
        .await?;
        let pages = rows.iter().map(key).collect::<Result<BTreeSet<_>>>()?;
        let marks = rows.iter().map(|row| row.column("mark")).collect::<Result<Vec<i64>>>()?;
        Ok(DirtyPages {
            pages: pages.into_iter().collect(),
            marks: marks.into_iter().max().unwrap_or(0),
        })
    }

    async fn topics(
        &self,
        channel: &ChannelId,
        min_facts: u32,
        limit: u32,
    ) -> Result<Vec<TopicRow>> {
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT entity.entity_id, entity.type, entity.name,
                 COUNT(DISTINCT fact.fact_id) AS facts,
                 COUNT(DISTINCT fact.author_id) AS authors,
                 MAX(fact.asserted_at) AS last_asserted
             FROM facts AS fact
             JOIN fact_entities AS about USING (fact_id)
             JOIN entities AS entity USING (entity_id)
             WHERE fact.channel_id = $1 AND fact.published = TRUE AND entity.type <> 'person'
             GROUP BY entity.entity_id HAVING COUNT(DISTINCT fact.fact_id) >= $2
             ORDER BY facts DESC, entity.entity_id LIMIT $3",
        )
        .bind(channel.as_str())
        .bind(min_facts)
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(topic).collect()
    }

    async fn contributors(&self, channel: &ChannelId, limit: u32) -> Result<Vec<ContributorRow>> {
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT author_id, COUNT(*) AS facts,
                 COALESCE((SELECT name FROM entities WHERE type = 'person' AND key = author_id
                     AND scope = (SELECT platform || ':' || workspace FROM channels
                         JOIN connections USING (connection_id) WHERE channel_id = $1)),
                     author_id) AS name
             FROM facts WHERE channel_id = $1 AND published = TRUE AND author_id IS NOT NULL
             GROUP BY author_id ORDER BY facts DESC, name, author_id LIMIT $2",
        )
        .bind(channel.as_str())
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(contributor).collect()
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

fn topic(row: &Row) -> Result<TopicRow> {
    Ok(TopicRow {
        entity_id: row.parsed("entity_id")?,
        kind: row.parsed("type")?,
        name: row.column("name")?,
        facts: row.number("facts")?,
        authors: row.number("authors")?,
        last_asserted: row.time("last_asserted")?,
    })
}

fn contributor(row: &Row) -> Result<ContributorRow> {
    Ok(ContributorRow {
        person: Person { id: row.optional_id("author_id")?, name: row.column("name")? },
        facts: row.number("facts")?,
    })
}
