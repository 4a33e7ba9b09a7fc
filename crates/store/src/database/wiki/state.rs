//! What is rendered, and what has changed since.

use std::collections::{BTreeMap, BTreeSet};

use domain::{ChannelId, page::PageKey, page::PageKind};

use super::{key, summary};
use crate::{
    DirtyPages, PageSummary, Result, WikiState,
    database::{Database, Session, json, query::query, row::Columns as _, session::Lane},
};

/// Of channels, in order.
pub(super) async fn states(database: &Database, channels: &[ChannelId]) -> Result<Vec<WikiState>> {
    let mut reader = match database.is_own() {
        true => database.read().await?,
        false => database.begin(Lane::Beat).await?,
    };
    let names: BTreeSet<&ChannelId> = channels.iter().collect();
    // A mark that is not committed yet may be older than one that is: wait for those who make them.
    reader.lock_each("marks", names.iter().map(|id| id.as_str())).await?;
    let names = json::encode(&names)?;
    let dirty = dirty(&mut reader, &names).await?;
    let pages = pages(&mut reader, &names).await?;
    reader.roll_back().await?;
    let state = |channel| WikiState {
        dirty: dirty.get(channel).cloned().unwrap_or_default(),
        pages: pages.get(channel).cloned().unwrap_or_default(),
    };
    Ok(channels.iter().map(state).collect())
}

async fn dirty(reader: &mut Session, channels: &str) -> Result<BTreeMap<ChannelId, DirtyPages>> {
    let rows = query(
        "SELECT channel_id, kind, key, MAX(mark) AS mark FROM wiki_marks
         WHERE channel_id IN (SELECT atom FROM json_each($1)) GROUP BY channel_id, kind, key",
    )
    .bind(channels)
    .fetch_all(reader)
    .await?;
    let mut found: BTreeMap<ChannelId, (BTreeSet<PageKey>, i64)> = BTreeMap::new();
    for row in &rows {
        let (pages, marks) = found.entry(row.id("channel_id")?).or_default();
        pages.insert(key(row)?);
        *marks = (*marks).max(row.column("mark")?);
    }
    let dirty = |(pages, marks): (BTreeSet<PageKey>, i64)| DirtyPages {
        pages: pages.into_iter().collect(),
        marks,
    };
    Ok(found.into_iter().map(|(channel, found)| (channel, dirty(found))).collect())
}

async fn pages(
    reader: &mut Session,
    channels: &str,
) -> Result<BTreeMap<ChannelId, Vec<PageSummary>>> {
    let rows = query(
        "SELECT * FROM wiki_pages
         WHERE channel_id IN (SELECT atom FROM json_each($1)) AND removed = FALSE",
    )
    .bind(channels)
    .fetch_all(reader)
    .await?;
    let mut pages: BTreeMap<ChannelId, Vec<PageSummary>> = BTreeMap::new();
    for row in &rows {
        pages.entry(row.id("channel_id")?).or_default().push(summary(row)?);
    }
    let order = |kind| PageKind::ALL.iter().position(|other| *other == kind);
    for pages in pages.values_mut() {
        pages.sort_by(|a, b| {
            (order(a.key.kind), &a.title, &a.slug).cmp(&(order(b.key.kind), &b.title, &b.slug))
        });
    }
    Ok(pages)
}
