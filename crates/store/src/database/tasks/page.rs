//! A page of the walk through a channel.

use domain::{ChannelId, Stage, TaskStatus, task::TaskInput};

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
        messages: &page.messages,
    };
    let mut pending = upsert(write, &walked).await?;
    let missing = walks::apply(write, &fenced.channel, page).await?;
    pending.extend(gone(write, &walked, &missing).await?);
    if let PageNext::End(watermark) = &page.next {
        move_watermark(write, &fenced.channel, watermark.as_deref()).await?;
    }
    if !fenced.lock(write).await? {
        return Ok(false);
    }
    fenced.ledger.fetched(page.messages.len() as u64, page.estimate);
    fenced.batch(write, pending).await?;
    match &page.next {
        PageNext::SameSlice(cursor) => go_on(write, fenced, cursor).await?,
        PageNext::NewSlice(cursor) => {
            let next = TaskInput::Fetch { cursor: Some(cursor.clone()) };
            fenced.follow(write, Stage::FetchingMessages, &[next]).await?;
            fenced.end(write, TaskStatus::Done).await?;
        }
        PageNext::End(_) => fenced.end(write, TaskStatus::Done).await?,
    }
    Ok(true)
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
