//! Who reads an import, and how that ends.

use std::time::Duration;

use domain::{ClaimToken, ErrorCode, ImportId, SyncError, Timestamp};

use super::rows;
use crate::{
    ClaimedImport, ImportEnd, Result,
    database::{
        Session, json,
        query::{Query, query},
        row::Columns as _,
    },
};

/// So many readers may vanish over a file.
const MAX_READERS: i64 = 3;

pub(super) async fn claim(
    write: &mut Session,
    now: Timestamp,
    lease: Duration,
) -> Result<Option<ClaimedImport>> {
    give_up_deadly(write, now).await?;
    let token = ClaimToken::random();
    let row = query(
        "UPDATE imports SET status = 'running', claim_token = $1, lease_until = $2,
             attempt = attempt + 1
         WHERE import_id = (SELECT import_id FROM imports
             WHERE status IN ('queued', 'running') AND COALESCE(lease_until, 0) <= $3
             ORDER BY created_at, import_id LIMIT 1)
         RETURNING *",
    )
    .bind(token.as_str())
    .bind(now.plus(lease).micros())
    .bind(now.micros())
    .fetch_optional(write)
    .await?;
    let Some(row) = row else { return Ok(None) };
    Ok(Some(ClaimedImport {
        import: rows::import(&row)?,
        wanted_connection: row.optional_parsed("wanted_connection")?,
        digest: row.column::<Option<String>>("digest")?.unwrap_or_default(),
        options: row.column("options")?,
        token,
    }))
}

async fn give_up_deadly(write: &mut Session, now: Timestamp) -> Result<()> {
    let error = SyncError::new(
        ErrorCode::InternalError,
        "the program ended three times while it read this file: see the server's log, then upload it again",
    );
    query(
        "UPDATE imports SET status = 'failed', error = $1, claim_token = NULL, lease_until = NULL
         WHERE status = 'running' AND lease_until <= $2 AND attempt >= $3",
    )
    .bind(json::encode(&error)?)
    .bind(now.micros())
    .bind(MAX_READERS)
    .execute(write)
    .await?;
    Ok(())
}

pub(super) async fn holds(write: &mut Session, id: &ImportId, token: &ClaimToken) -> Result<bool> {
    let sql = format!(
        "SELECT 1 AS held FROM imports WHERE import_id = $1 AND claim_token = $2{}",
        write.for_update()
    );
    let row =
        Query::built(sql).bind(id.as_str()).bind(token.as_str()).fetch_optional(write).await?;
    Ok(row.is_some())
}

pub(super) async fn finish(write: &mut Session, id: &ImportId, end: &ImportEnd) -> Result<()> {
    query("DELETE FROM import_chunks WHERE import_id = $1")
        .bind(id.as_str())
        .execute(&mut *write)
        .await?;
    let query = match end {
        ImportEnd::Completed { connection, channels, rows, row_errors } => query(
            "UPDATE imports SET status = 'completed', claim_token = NULL, lease_until = NULL,
                 connection_id = $2, channels = $3, row_count = $4, row_errors = $5
             WHERE import_id = $1",
        )
        .bind(id.as_str())
        .bind(connection.as_str())
        .bind(json::encode(channels)?)
        .bind(rows.cast_signed())
        .bind(json::encode(row_errors)?),
        ImportEnd::Failed(error) => query(
            "UPDATE imports SET status = 'failed', claim_token = NULL, lease_until = NULL, error = $2
             WHERE import_id = $1",
        )
        .bind(id.as_str())
        .bind(json::encode(error)?),
    };
    query.execute(write).await?;
    Ok(())
}

/// Makes files that a gone process was reading free for the next reader, and drops those it was still
/// receiving: nobody was told that they are accepted.
pub(in crate::database) async fn take_back(write: &mut Session) -> Result<()> {
    query("DELETE FROM imports WHERE status = 'uploading'").execute(&mut *write).await?;
    query("UPDATE imports SET lease_until = 0 WHERE status = 'running'").execute(write).await?;
    Ok(())
}
