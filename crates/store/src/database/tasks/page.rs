//! A page of the walk through a channel.

use domain::{ChannelId, Stage, TaskStatus, batch::Pending, task::TaskInput};

use super::Fenced;
use crate::{
    PageEffect, PageNext, Result,
    database::{
        Session, json,
        messages::{Walked, note_pending, upsert},
        query::query,
        walks,
    },
};

/// Stores pages, of tasks of several jobs; answers with what is pending by each.
pub(super) async fn results(
    write: &mut Session,
    tasks: &[(&mut Fenced, &PageEffect)],
) -> Result<Vec<Vec<Pending>>> {
    let walked: Vec<_> = tasks
        .iter()
        .map(|(fenced, page)| Walked {
            channel: &fenced.channel,
            job: &fenced.ledger.job.id,
            force: fenced.ledger.job.force,
            messages: &page.messages,
        })
        .collect();
    let mut changed = upsert(write, &walked).await?;
    let begun = tasks.iter().filter(|(_, page)| page.begins).map(|(fenced, _)| &fenced.channel);
    walks::forget_sightings(write, &begun.collect::<Vec<_>>()).await?;
    for (fenced, page) in tasks {
        let missing = walks::apply(write, &fenced.channel, page).await?;
        changed.extend(missing.into_iter().map(|id| (fenced.channel.clone(), id)));
        if let PageNext::End(watermark) = &page.next {
            move_watermark(write, &fenced.channel, watermark.as_deref()).await?;
        }
    }
    let mut noted = note_pending(write, &walked, &changed).await?;
    let of = |(fenced, _): &(&mut Fenced, &PageEffect)| noted.remove(&fenced.channel);
    Ok(tasks.iter().map(of).map(Option::unwrap_or_default).collect())
}

/// Batches of what is pending go on their way, and so does the walk.
pub(super) async fn finish(
    write: &mut Session,
    fenced: &mut Fenced,
    page: &PageEffect,
    pending: Vec<Pending>,
) -> Result<()> {
    fenced.ledger.fetched(page.messages.len() as u64, page.estimate);
    fenced.batch(pending);
    match &page.next {
        PageNext::SameSlice(cursor) => go_on(write, fenced, cursor).await?,
        PageNext::NewSlice(cursor) => {
            let next = TaskInput::Fetch { cursor: Some(cursor.clone()) };
            fenced.follow(Stage::FetchingMessages, vec![next]);
            fenced.end(TaskStatus::Done);
        }
        PageNext::End(_) => fenced.end(TaskStatus::Done),
    }
    Ok(())
}

/// Should this worker vanish, the next goes on behind this page; that a page is through is progress.
async fn go_on(write: &mut Session, fenced: &mut Fenced, cursor: &str) -> Result<()> {
    query(
        "UPDATE tasks SET input = $4, attempt = 0, crashes = 0
         WHERE job_id = $1 AND stage = $2 AND seq = $3",
    )
    .bind(fenced.task.job_id.as_str())
    .bind(fenced.task.stage.as_str())
    .bind(fenced.task.seq)
    .bind(json::encode(&TaskInput::Fetch { cursor: Some(cursor.to_owned()) })?)
    .execute(write)
    .await?;
    Ok(())
}

async fn move_watermark(
    write: &mut Session,
    channel: &ChannelId,
    watermark: Option<&str>,
) -> Result<()> {
    query("UPDATE channels SET watermark = $2 WHERE channel_id = $1 AND watermark IS DISTINCT FROM $2")
        .bind(channel.as_str())
        .bind(watermark)
        .execute(write)
        .await?;
    Ok(())
}
