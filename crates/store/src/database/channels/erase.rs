//! Forgetting all that was stored and made of a channel.

use domain::{ChannelId, JobId};

use crate::{
    Result,
    database::{Session, json, query::query, row::Columns as _, tasks::recompute_entities},
};

pub(super) async fn active_job(write: &mut Session, id: &ChannelId) -> Result<Option<JobId>> {
    let row =
        query("SELECT job_id FROM jobs WHERE channel_id = $1 AND status IN ('queued', 'running')")
            .bind(id.as_str())
            .fetch_optional(write)
            .await?;
    row.map(|row| row.parsed("job_id")).transpose()
}

/// One transaction, although a large channel takes longer than others may: half a channel forgotten
/// would be a lie. Imported messages stay; they are where the next sync begins.
pub(super) async fn erase(write: &mut Session, id: &ChannelId) -> Result<()> {
    let rows = query("SELECT DISTINCT entity_id FROM entity_mentions WHERE channel_id = $1")
        .bind(id.as_str())
        .fetch_all(&mut *write)
        .await?;
    let entities =
        rows.iter().map(|row| row.column("entity_id")).collect::<Result<Vec<String>>>()?;
    for statement in [
        "DELETE FROM wiki_marks WHERE channel_id = $1",
        "DELETE FROM wiki_versions WHERE channel_id = $1",
        "DELETE FROM wiki_pages WHERE channel_id = $1",
        "DELETE FROM relationship_support WHERE relationship_id IN
             (SELECT relationship_id FROM relationships WHERE channel_id = $1)",
        "DELETE FROM relationships WHERE channel_id = $1",
        "DELETE FROM graph_facts WHERE channel_id = $1",
        "DELETE FROM entity_mentions WHERE channel_id = $1",
        "DELETE FROM facts WHERE channel_id = $1",
        "DELETE FROM units WHERE channel_id = $1",
        "DELETE FROM pending_messages WHERE channel_id = $1",
        "DELETE FROM walk_sightings WHERE channel_id = $1",
        "DELETE FROM channel_marks WHERE channel_id = $1",
        "DELETE FROM messages WHERE channel_id = $1",
        "UPDATE channels SET watermark = NULL, live_watermark = NULL, last_sync = NULL
         WHERE channel_id = $1",
    ] {
        query(statement).bind(id.as_str()).execute(&mut *write).await?;
    }
    recompute_entities(write, &json::encode(&entities)?).await
}
