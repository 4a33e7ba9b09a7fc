//! Forgetting all that was stored and made of a channel.

use domain::{ChannelId, JobId};
use sqlx::SqliteConnection;

use crate::{Result, sqlite::row::Columns as _};

pub(super) async fn active_job(
    write: &mut SqliteConnection,
    id: &ChannelId,
) -> Result<Option<JobId>> {
    let row = sqlx::query(
        "SELECT job_id FROM jobs WHERE channel_id = $1 AND status IN ('queued', 'running')",
    )
    .bind(id.as_str())
    .fetch_optional(write)
    .await?;
    row.map(|row| row.parsed("job_id")).transpose()
}

/// One transaction, although a large channel takes longer than others may: half a channel forgotten
/// would be a lie. Imported messages stay; they are where the next sync begins.
pub(super) async fn erase(write: &mut SqliteConnection, id: &ChannelId) -> Result<()> {
    for statement in [
        "DELETE FROM wiki_marks WHERE channel_id = $1",
        "DELETE FROM wiki_versions WHERE channel_id = $1",
        "DELETE FROM wiki_pages WHERE channel_id = $1",
        "DELETE FROM relationships WHERE channel_id = $1",
        "DELETE FROM graph_facts WHERE channel_id = $1",
        "DELETE FROM relationship_support WHERE relationship_id NOT IN
             (SELECT relationship_id FROM relationships)",
        "CREATE TEMP TABLE IF NOT EXISTS forgotten (entity_id TEXT PRIMARY KEY)",
        "DELETE FROM forgotten",
        "INSERT INTO forgotten SELECT DISTINCT entity_id FROM entity_mentions WHERE channel_id = $1",
        "DELETE FROM entity_mentions WHERE channel_id = $1",
        "DELETE FROM entities WHERE entity_id IN (SELECT entity_id FROM forgotten)
             AND NOT EXISTS (SELECT 1 FROM entity_mentions AS mention
                 WHERE mention.entity_id = entities.entity_id)",
        "UPDATE entities SET
             name = (SELECT name FROM entity_mentions AS mention
                 WHERE mention.entity_id = entities.entity_id
                 ORDER BY last_seen DESC, name DESC LIMIT 1),
             first_seen = (SELECT MIN(first_seen) FROM entity_mentions AS mention
                 WHERE mention.entity_id = entities.entity_id),
             last_seen = (SELECT MAX(last_seen) FROM entity_mentions AS mention
                 WHERE mention.entity_id = entities.entity_id)
         WHERE entity_id IN (SELECT entity_id FROM forgotten)",
        "DELETE FROM facts WHERE channel_id = $1",
        "DELETE FROM units WHERE channel_id = $1",
        "DELETE FROM pending_messages WHERE channel_id = $1",
        "DELETE FROM messages WHERE channel_id = $1",
        "UPDATE channels SET watermark = NULL, last_sync = NULL WHERE channel_id = $1",
    ] {
        let query = sqlx::query(statement);
        let query = if statement.contains("$1") { query.bind(id.as_str()) } else { query };
        query.execute(&mut *write).await?;
    }
    Ok(())
}
