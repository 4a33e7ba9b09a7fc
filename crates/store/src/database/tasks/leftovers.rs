//! What earlier jobs left pending: cancelled, failed or given up before it was through.

use domain::Trigger;

use super::Fenced;
use crate::{
    Result,
    database::{Session, messages::pending, query::query},
};

/// Messages taken up in one transaction.
const SLICE: u32 = 2_000;

pub(super) async fn write(write: &mut Session, fenced: &mut Fenced) -> Result<bool> {
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
    let left = rows.iter().map(pending).collect::<Result<Vec<_>>>()?;
    if !fenced.lock(write).await? {
        return Ok(false);
    }
    fenced.batch(write, left).await?;
    Ok(true)
}
