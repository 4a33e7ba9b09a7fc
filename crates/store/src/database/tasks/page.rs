//! A page of the walk through a channel.

use domain::{Stage, TaskStatus, task::TaskInput};

use super::Fenced;
use crate::{
    PageEffect, PageNext, Result,
    database::{
        Session, json,
        messages::{Walked, gone, upsert},
        query::query,
        walks,
    },
};

pub(super) async fn write(
    write: &mut Session,
    fenced: &mut Fenced,
    page: &PageEffect,
) -> Result<bool> {
    let walked = Walked {
        channel: &fenced.channel,
        job: &fenced.ledger.job.id,
        force: fenced.ledger.job.force,
        live: page.live,
        messages: &page.messages,
    };
    let mut pending = upsert(write, &walked).await?;
    let missing = walks::apply(write, &fenced.channel, page).await?;
    pending.extend(gone(write, &walked, &missing).await?);
    if let PageNext::Live(watermark) | PageNext::End(watermark) = &page.next {
        move_watermark(write, fenced, page.live, watermark.as_deref()).await?;
    }
    if !fenced.lock(write).await? {
        return Ok(false);
    }
    fenced.ledger.fetched(page.messages.len() as u64, page.estimate);
    fenced.batch(write, pending).await?;
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
            fenced.follow(write, Stage::FetchingMessages, &[next]).await?;
            fenced.end(write, TaskStatus::Done).await?;
        }
        PageNext::End(_) => fenced.end(write, TaskStatus::Done).await?,
    }
    Ok(true)
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
