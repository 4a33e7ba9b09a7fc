//! A page of the walk through a channel.

use domain::{Stage, TaskStatus, batch::Pending, task::TaskInput};

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
            live: page.live,
            messages: &page.messages,
        })
        .collect();
    let mut changed = upsert(write, &walked).await?;
    let begun = tasks.iter().filter(|(_, page)| page.begins).map(|(fenced, _)| &fenced.channel);
    walks::forget_sightings(write, &begun.collect::<Vec<_>>()).await?;
    for (fenced, page) in tasks {
        let missing = walks::apply(write, &fenced.channel, page).await?;
        changed.extend(missing.into_iter().map(|id| (fenced.channel.clone(), id)));
        if let PageNext::Live(watermark) | PageNext::End(watermark) = &page.next {
            move_watermark(write, fenced, page.live, watermark.as_deref()).await?;
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
        PageNext::SameSlice(cursor) => {
            let input = behind(page.live, cursor.clone());
            go_on(write, fenced, &input).await?;
        }
        PageNext::Live(_) => {
            go_on(write, fenced, &TaskInput::FetchLive { cursor: None }).await?;
        }
        PageNext::NewSlice(cursor) => {
            let next = behind(page.live, cursor.clone());
            fenced.follow(Stage::FetchingMessages, vec![next]);
            fenced.end(TaskStatus::Done);
        }
        PageNext::End(_) => fenced.end(TaskStatus::Done),
    }
    Ok(())
}

/// The same walk, further on.
fn behind(live: bool, cursor: String) -> TaskInput {
    let cursor = Some(cursor);
    match live {
        true => TaskInput::FetchLive { cursor },
        false => TaskInput::Fetch { cursor },
    }
}

/// Should this worker vanish, the next goes on behind this page; that a page is through is progress.
async fn go_on(write: &mut Session, fenced: &Fenced, input: &TaskInput) -> Result<()> {
    query(
        "UPDATE tasks SET input = $4, attempt = 0, crashes = 0
         WHERE job_id = $1 AND stage = $2 AND seq = $3",
    )
    .bind(fenced.task.job_id.as_str())
    .bind(fenced.task.stage.as_str())
    .bind(fenced.task.seq)
    .bind(json::encode(input)?)
    .execute(write)
    .await?;
    Ok(())
}

/// What was imported and what the platform has are walked from watermarks of their own.
async fn move_watermark(
    write: &mut Session,
    fenced: &Fenced,
    live: bool,
    watermark: Option<&str>,
) -> Result<()> {
    let statement = match live {
        true => {
            "UPDATE channels SET live_watermark = $2
             WHERE channel_id = $1 AND live_watermark IS DISTINCT FROM $2"
        }
        false => {
            "UPDATE channels SET watermark = $2
             WHERE channel_id = $1 AND watermark IS DISTINCT FROM $2"
        }
    };
    query(statement).bind(fenced.channel.as_str()).bind(watermark).execute(write).await?;
    Ok(())
}
