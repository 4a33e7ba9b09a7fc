//! Rendered pages.

use domain::{
    JobStatus, TaskStatus,
    page::{PageKey, RenderedPage},
};

use super::Fenced;
use crate::{
    Result, WikiEffect,
    database::{Session, json, query::query, row::Columns as _},
};

pub(super) async fn write(
    write: &mut Session,
    fenced: &mut Fenced,
    effect: &WikiEffect,
) -> Result<bool> {
    for page in &effect.pages {
        store_page(write, fenced, page).await?;
    }
    remove_pages(write, fenced, &effect.removed).await?;
    query("DELETE FROM wiki_marks WHERE channel_id = $1 AND mark <= $2")
        .bind(fenced.channel.as_str())
        .bind(effect.marks)
        .execute(&mut *write)
        .await?;
    if effect.end {
        query("UPDATE channels SET last_sync = $2 WHERE channel_id = $1")
            .bind(fenced.channel.as_str())
            .bind(fenced.ledger.now().micros())
            .execute(&mut *write)
            .await?;
    }
    if !fenced.lock(write).await? {
        return Ok(false);
    }
    let through = (effect.pages.len() + effect.removed.len()) as u64;
    fenced.ledger.rendered(through);
    if effect.end {
        fenced.end(write, TaskStatus::Done).await?;
        fenced.ledger.end(JobStatus::Completed, None);
    }
    Ok(true)
}

/// Stores a page; a version is added only where its text or title differs.
async fn store_page(write: &mut Session, fenced: &mut Fenced, page: &RenderedPage) -> Result<()> {
    let known = query(
        "SELECT page.slug, page.version, page.title, version.content, page.removed
         FROM wiki_pages AS page JOIN wiki_versions AS version USING (channel_id, slug, version)
         WHERE page.channel_id = $1 AND page.kind = $2 AND page.key = $3",
    )
    .bind(fenced.channel.as_str())
    .bind(page.key.kind.as_str())
    .bind(&page.key.key)
    .fetch_optional(&mut *write)
    .await?;
    let (slug, version, same) = match &known {
        Some(row) => {
            let same = row.column::<&str>("content")? == page.content
                && row.column::<&str>("title")? == page.title
                && !row.column::<bool>("removed")?;
            (row.column::<String>("slug")?, row.column::<i64>("version")?, same)
        }
        None => (free_slug(write, fenced, page).await?, 0, false),
    };
    let version = if same { version } else { version + 1 };
    upsert_page(write, fenced, page, &slug, version, same).await?;
    if !same {
        insert_version(write, fenced, page, &slug, version).await?;
        fenced.counts.pages += 1;
    }
    Ok(())
}

/// An address that another page has is not taken from it.
async fn free_slug(write: &mut Session, fenced: &Fenced, page: &RenderedPage) -> Result<String> {
    let taken = query("SELECT 1 FROM wiki_pages WHERE channel_id = $1 AND slug = $2")
        .bind(fenced.channel.as_str())
        .bind(&page.slug)
        .fetch_optional(write)
        .await?;
    Ok(match taken {
        None => page.slug.clone(),
        Some(_) => format!("{}-{}", page.slug, page.key.key.trim_start_matches("ent_")),
    })
}

async fn upsert_page(
    write: &mut Session,
    fenced: &Fenced,
    page: &RenderedPage,
    slug: &str,
    version: i64,
    same: bool,
) -> Result<()> {
    query(
        "INSERT INTO wiki_pages (channel_id, kind, key, slug, title, version, input_hash, fact_count,
             updated_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)
         ON CONFLICT (channel_id, kind, key) DO UPDATE SET title = excluded.title,
             version = excluded.version, input_hash = excluded.input_hash,
             fact_count = excluded.fact_count, removed = FALSE,
             updated_at = CASE WHEN $10 THEN wiki_pages.updated_at ELSE excluded.updated_at END",
    )
    .bind(fenced.channel.as_str())
    .bind(page.key.kind.as_str())
    .bind(&page.key.key)
    .bind(slug)
    .bind(&page.title)
    .bind(version)
    .bind(&page.input_hash)
    .bind(page.fact_count)
    .bind(fenced.ledger.now().micros())
    .bind(same)
    .execute(write)
    .await?;
    Ok(())
}

async fn insert_version(
    write: &mut Session,
    fenced: &Fenced,
    page: &RenderedPage,
    slug: &str,
    version: i64,
) -> Result<()> {
    query(
        "INSERT INTO wiki_versions (channel_id, slug, version, title, content, citations, fact_count,
             job_id, created_at)
         VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
    )
    .bind(fenced.channel.as_str())
    .bind(slug)
    .bind(version)
    .bind(&page.title)
    .bind(&page.content)
    .bind(json::encode(&page.citations)?)
    .bind(page.fact_count)
    .bind(fenced.task.job_id.as_str())
    .bind(fenced.ledger.now().micros())
    .execute(write)
    .await?;
    Ok(())
}

async fn remove_pages(write: &mut Session, fenced: &Fenced, removed: &[PageKey]) -> Result<()> {
    if removed.is_empty() {
        return Ok(());
    }
    query(
        "UPDATE wiki_pages SET removed = TRUE, input_hash = '', updated_at = $3
         WHERE channel_id = $1 AND removed = FALSE AND (kind, key) IN
             (SELECT value ->> 'kind', value ->> 'key' FROM json_each($2))",
    )
    .bind(fenced.channel.as_str())
    .bind(json::encode(removed)?)
    .bind(fenced.ledger.now().micros())
    .execute(write)
    .await?;
    Ok(())
}
