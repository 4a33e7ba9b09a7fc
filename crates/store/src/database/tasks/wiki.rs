//! Rendered pages.

use std::collections::{BTreeSet, HashMap};

use domain::{
    ChannelId, JobId, JobStatus, TaskStatus,
    page::{PageKey, RenderedPage},
};
use serde::Serialize;

use super::Fenced;
use crate::{
    Result, WikiEffect,
    database::{Session, json, query::query, row::Columns as _},
};

/// A page's place: channel, kind, key.
type Place = (ChannelId, String, String);

/// A page as it is to stand.
#[derive(Serialize)]
struct PageRow<'p> {
    channel_id: &'p ChannelId,
    kind: &'static str,
    key: &'p str,
    slug: String,
    title: &'p str,
    version: i64,
    input_hash: &'p str,
    fact_count: u32,
    at: i64,
}

/// The version that a page brings which reads otherwise than before.
#[derive(Serialize)]
struct VersionRow<'p> {
    channel_id: &'p ChannelId,
    slug: String,
    version: i64,
    title: &'p str,
    content: &'p str,
    citations: String,
    fact_count: u32,
    job_id: &'p JobId,
    at: i64,
}

/// A page as it stands.
struct Known {
    slug: String,
    version: i64,
    title: String,
    content: String,
    removed: bool,
}

impl Known {
    fn reads_like(&self, page: &RenderedPage) -> bool {
        !self.removed && self.content == page.content && self.title == page.title
    }
}

/// Writes rendered pages, of tasks of several jobs.
pub(super) async fn results(
    write: &mut Session,
    tasks: &mut [(&mut Fenced, &WikiEffect)],
) -> Result<()> {
    store_pages(write, tasks).await?;
    remove_pages(write, tasks).await?;
    remove_marks(write, tasks).await?;
    note_sync(write, tasks).await
}

/// The job is completed, unless more pages are to come.
pub(super) fn finish(fenced: &mut Fenced, effect: &WikiEffect) {
    fenced.ledger.rendered((effect.pages.len() + effect.removed.len()) as u64);
    if effect.end {
        fenced.end(TaskStatus::Done);
        fenced.ledger.end(JobStatus::Completed, None);
    }
}

/// Stores pages; a version is added only where text or title differ.
async fn store_pages(write: &mut Session, tasks: &mut [(&mut Fenced, &WikiEffect)]) -> Result<()> {
    if tasks.iter().all(|(_, effect)| effect.pages.is_empty()) {
        return Ok(());
    }
    let known = known(write, tasks).await?;
    let mut taken = taken_slugs(write, tasks, &known).await?;
    let (mut pages, mut versions) = (Vec::new(), Vec::new());
    for (fenced, effect) in tasks.iter() {
        let (channel_id, at) = (&fenced.channel, fenced.ledger.now().micros());
        for page in &effect.pages {
            let known = known.get(&place(channel_id, &page.key));
            let same = known.is_some_and(|known| known.reads_like(page));
            let version = known.map_or(0, |known| known.version) + i64::from(!same);
            let slug = match known {
                Some(known) => known.slug.clone(),
                None => free_slug(&mut taken, channel_id, page),
            };
            if !same {
                versions.push(VersionRow {
                    channel_id,
                    slug: slug.clone(),
                    version,
                    title: &page.title,
                    content: &page.content,
                    citations: json::encode(&page.citations)?,
                    fact_count: page.fact_count,
                    job_id: &fenced.task.job_id,
                    at,
                });
            }
            pages.push(PageRow {
                channel_id,
                kind: page.key.kind.as_str(),
                key: &page.key.key,
                slug,
                title: &page.title,
                version,
                input_hash: &page.input_hash,
                fact_count: page.fact_count,
                at,
            });
        }
    }
    insert_pages(write, &pages).await?;
    insert_versions(write, &versions).await?;
    let mut new: HashMap<ChannelId, u64> = HashMap::new();
    for version in versions {
        *new.entry(version.channel_id.clone()).or_default() += 1;
    }
    for (fenced, _) in tasks {
        fenced.counts.pages += new.get(&fenced.channel).copied().unwrap_or_default();
    }
    Ok(())
}

fn place(channel: &ChannelId, page: &PageKey) -> Place {
    (channel.clone(), page.kind.as_str().to_owned(), page.key.clone())
}

async fn known(
    write: &mut Session,
    tasks: &[(&mut Fenced, &WikiEffect)],
) -> Result<HashMap<Place, Known>> {
    let places: Vec<Place> = tasks
        .iter()
        .flat_map(|(fenced, effect)| {
            effect.pages.iter().map(|page| place(&fenced.channel, &page.key))
        })
        .collect();
    let rows = query(
        "SELECT page.channel_id, page.kind, page.key, page.slug, page.version, page.title,
             page.removed, version.content
         FROM json_each($1) AS wanted
         JOIN wiki_pages AS page ON page.channel_id = wanted.value ->> 0
             AND page.kind = wanted.value ->> 1 AND page.key = wanted.value ->> 2
         JOIN wiki_versions AS version ON version.channel_id = page.channel_id
             AND version.slug = page.slug AND version.version = page.version",
    )
    .bind(json::encode(&places)?)
    .fetch_all(write)
    .await?;
    rows.iter()
        .map(|row| {
            let place = (row.id("channel_id")?, row.column("kind")?, row.column("key")?);
            let known = Known {
                slug: row.column("slug")?,
                version: row.column("version")?,
                title: row.column("title")?,
                content: row.column("content")?,
                removed: row.column("removed")?,
            };
            Ok((place, known))
        })
        .collect()
}

/// Which of the addresses that new pages want others have.
async fn taken_slugs(
    write: &mut Session,
    tasks: &[(&mut Fenced, &WikiEffect)],
    known: &HashMap<Place, Known>,
) -> Result<BTreeSet<(ChannelId, String)>> {
    let mut wanted = Vec::new();
    for (fenced, effect) in tasks {
        let new = |page: &&RenderedPage| !known.contains_key(&place(&fenced.channel, &page.key));
        wanted.extend(effect.pages.iter().filter(new).map(|page| (&fenced.channel, &page.slug)));
    }
    if wanted.is_empty() {
        return Ok(BTreeSet::new());
    }
    let rows = query(
        "SELECT page.channel_id, page.slug FROM json_each($1) AS wanted
         JOIN wiki_pages AS page ON page.channel_id = wanted.value ->> 0
             AND page.slug = wanted.value ->> 1",
    )
    .bind(json::encode(&wanted)?)
    .fetch_all(write)
    .await?;
    rows.iter().map(|row| Ok((row.id("channel_id")?, row.column("slug")?))).collect()
}

/// An address that another page has is not taken from it.
fn free_slug(
    taken: &mut BTreeSet<(ChannelId, String)>,
    channel: &ChannelId,
    page: &RenderedPage,
) -> String {
    let mut slug = page.slug.clone();
    if taken.contains(&(channel.clone(), slug.clone())) {
        slug = format!("{slug}-{}", page.key.key.trim_start_matches("ent_"));
    }
    taken.insert((channel.clone(), slug.clone()));
    slug
}

async fn insert_pages(write: &mut Session, pages: &[PageRow<'_>]) -> Result<()> {
    query(
        "INSERT INTO wiki_pages (channel_id, kind, key, slug, title, version, input_hash, fact_count,
             updated_at)
         SELECT value ->> 'channel_id', value ->> 'kind', value ->> 'key', value ->> 'slug',
             value ->> 'title', CAST(value ->> 'version' AS BIGINT), value ->> 'input_hash',
             CAST(value ->> 'fact_count' AS BIGINT), CAST(value ->> 'at' AS BIGINT)
         FROM json_each($1) WHERE TRUE
         ON CONFLICT (channel_id, kind, key) DO UPDATE SET title = excluded.title,
             version = excluded.version, input_hash = excluded.input_hash,
             fact_count = excluded.fact_count, removed = FALSE,
             updated_at = CASE WHEN wiki_pages.version = excluded.version
                 THEN wiki_pages.updated_at ELSE excluded.updated_at END",
    )
    .bind(json::encode(pages)?)
    .execute(write)
    .await?;
    Ok(())
}

async fn insert_versions(write: &mut Session, versions: &[VersionRow<'_>]) -> Result<()> {
    if versions.is_empty() {
        return Ok(());
    }
    query(
        "INSERT INTO wiki_versions (channel_id, slug, version, title, content, citations, fact_count,
             job_id, created_at)
         SELECT value ->> 'channel_id', value ->> 'slug', CAST(value ->> 'version' AS BIGINT),
             value ->> 'title', value ->> 'content', value ->> 'citations',
             CAST(value ->> 'fact_count' AS BIGINT), value ->> 'job_id',
             CAST(value ->> 'at' AS BIGINT)
         FROM json_each($1)",
    )
    .bind(json::encode(versions)?)
    .execute(write)
    .await?;
    Ok(())
}

async fn remove_pages(write: &mut Session, tasks: &[(&mut Fenced, &WikiEffect)]) -> Result<()> {
    let removed: Vec<_> = tasks
        .iter()
        .flat_map(|(fenced, effect)| {
            let at = fenced.ledger.now().micros();
            effect.removed.iter().map(move |page| (place(&fenced.channel, page), at))
        })
        .collect();
    if removed.is_empty() {
        return Ok(());
    }
    query(
        "UPDATE wiki_pages SET removed = TRUE, input_hash = '',
             updated_at = CAST(gone.value ->> 1 AS BIGINT)
         FROM json_each($1) AS gone
         WHERE channel_id = gone.value -> 0 ->> 0 AND kind = gone.value -> 0 ->> 1
             AND wiki_pages.key = gone.value -> 0 ->> 2 AND removed = FALSE",
    )
    .bind(json::encode(&removed)?)
    .execute(write)
    .await?;
    Ok(())
}

async fn remove_marks(write: &mut Session, tasks: &[(&mut Fenced, &WikiEffect)]) -> Result<()> {
    let done = tasks.iter().filter(|(_, effect)| effect.marks > 0);
    let done: Vec<_> = done.map(|(fenced, effect)| (&fenced.channel, effect.marks)).collect();
    if done.is_empty() {
        return Ok(());
    }
    query(
        "DELETE FROM wiki_marks WHERE mark IN (
             SELECT mark.mark FROM json_each($1) AS done
             JOIN wiki_marks AS mark ON mark.channel_id = done.value ->> 0
                 AND mark.mark <= CAST(done.value ->> 1 AS BIGINT))",
    )
    .bind(json::encode(&done)?)
    .execute(write)
    .await?;
    Ok(())
}

async fn note_sync(write: &mut Session, tasks: &[(&mut Fenced, &WikiEffect)]) -> Result<()> {
    let ended = tasks.iter().filter(|(_, effect)| effect.end);
    let ended: Vec<_> =
        ended.map(|(fenced, _)| (&fenced.channel, fenced.ledger.now().micros())).collect();
    if ended.is_empty() {
        return Ok(());
    }
    query(
        "UPDATE channels SET last_sync = CAST(ended.value ->> 1 AS BIGINT)
         FROM json_each($1) AS ended WHERE channel_id = ended.value ->> 0",
    )
    .bind(json::encode(&ended)?)
    .execute(write)
    .await?;
    Ok(())
}
