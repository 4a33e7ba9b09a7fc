//! What earlier jobs left pending: cancelled, failed or given up before it was through.

use domain::{Trigger, batch::Pending};

use super::Fenced;
use crate::{
    Effect, Result,
    database::{Session, messages::pending, query::query},
};

/// Messages taken up in one transaction.
const SLICE: u32 = 2_000;

/// Takes up what is left; answers with it, a list a task.
pub(super) async fn results(
    write: &mut Session,
    tasks: &mut [(Fenced, &Effect)],
) -> Result<Vec<Vec<Pending>>> {
    let mut all = Vec::with_capacity(tasks.len());
    for (fenced, _) in tasks {
        all.push(take_up(write, fenced).await?);
    }
    Ok(all)
}

async fn take_up(write: &mut Session, fenced: &mut Fenced) -> Result<Vec<Pending>> {
    let job = &fenced.ledger.job;
    // Poison is tried again on request, or by a program other than the one that found it.
    let rows = query(
        "UPDATE pending_messages SET job_id = $2, set_aside_by = NULL
         WHERE channel_id = $1 AND message_id IN (
             SELECT message_id FROM pending_messages
             WHERE channel_id = $1 AND job_id IS DISTINCT FROM $2
                 AND (set_aside_by IS NULL OR set_aside_by <> $3 OR $4)
             ORDER BY message_id LIMIT $5)
         RETURNING message_id, change_seq, thread_id, sent_at",
    )
    .bind(fenced.channel.as_str())
    .bind(job.id.as_str())
    .bind(super::outcome::PROGRAM)
    .bind(job.trigger == Trigger::Retry)
    .bind(SLICE)
    .fetch_all(&mut *write)
    .await?;
    fenced.more = rows.len() == SLICE as usize;
    rows.iter().map(pending).collect()
}
