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
    }
    move_watermarks(write, tasks).await?;
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
async fn move_watermarks(write: &mut Session, tasks: &[(&mut Fenced, &PageEffect)]) -> Result<()> {
    for (live, statement) in [
        (
            true,
            "UPDATE channels SET live_watermark = moved.value ->> 1 FROM json_each($1) AS moved
             WHERE channel_id = moved.value ->> 0
                 AND live_watermark IS DISTINCT FROM moved.value ->> 1",
        ),
        (
            false,
            "UPDATE channels SET watermark = moved.value ->> 1 FROM json_each($1) AS moved
             WHERE channel_id = moved.value ->> 0
                 AND watermark IS DISTINCT FROM moved.value ->> 1",
        ),
    ] {
        let ended = tasks.iter().filter_map(|(fenced, page)| match &page.next {
            PageNext::Live(mark) | PageNext::End(mark) if page.live == live => {
                Some((&fenced.channel, mark))
            }
            _ => None,
        });
        let moved: Vec<_> = ended.collect();
        if !moved.is_empty() {
            query(statement).bind(json::encode(&moved)?).execute(&mut *write).await?;
        }
    }
    Ok(())
}
