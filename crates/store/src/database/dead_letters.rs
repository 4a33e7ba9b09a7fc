//! Messages that nobody could decode.

use std::time::Duration;

use domain::{DeadLetterId, Stage};

use super::{
    Session, json,
    query::{Statement, query},
    row::{Columns as _, Row},
};
use crate::{DeadLetter, MAX_DEAD_LETTER, MAX_DEAD_LETTERS, Result};

/// Beyond this many bytes a message is not looked at.
const LOOKED_AT: usize = 4 * MAX_DEAD_LETTER;

pub(super) async fn keep(
    write: &mut Session,
    stage: Option<Stage>,
    body: &[u8],
    keep: Duration,
) -> Result<()> {
    let body = readable(body);
    let stage = stage.map(Stage::as_str);
    let id = DeadLetterId::derive(&[stage.unwrap_or_default(), &body]);
    let now = write.now().await?;
    query(
        "INSERT INTO dead_letters (dead_letter_id, stage, body, times, last_at)
         VALUES ($1, $2, $3, 1, $4)
         ON CONFLICT (dead_letter_id)
             DO UPDATE SET times = dead_letters.times + 1, last_at = excluded.last_at",
    )
    .bind(id.as_str())
    .bind(stage)
    .bind(body)
    .bind(now.micros())
    .execute(&mut *write)
    .await?;
    query(
        "DELETE FROM dead_letters WHERE last_at < $1 OR dead_letter_id IN (
             SELECT dead_letter_id FROM dead_letters ORDER BY last_at DESC, dead_letter_id
             LIMIT 1000000 OFFSET $2)",
    )
    .bind(now.micros().saturating_sub(i64::try_from(keep.as_micros()).unwrap_or(i64::MAX)))
    .bind(MAX_DEAD_LETTERS)
    .execute(write)
    .await?;
    Ok(())
}

pub(super) async fn list(
    read: &mut Session,
    stage: Option<Stage>,
    limit: u32,
) -> Result<Vec<DeadLetter>> {
    let mut sql = Statement::new("SELECT * FROM dead_letters");
    if let Some(stage) = stage {
        sql.push(" WHERE stage = ").push_bind(stage.as_str());
    }
    sql.push(" ORDER BY last_at DESC, dead_letter_id LIMIT ").push_bind(limit);
    sql.build().fetch_all(read).await?.iter().map(dead_letter).collect()
}

pub(super) async fn forget(write: &mut Session, ids: &[DeadLetterId]) -> Result<u64> {
    let outcome =
        query("DELETE FROM dead_letters WHERE dead_letter_id IN (SELECT atom FROM json_each($1))")
            .bind(json::encode(&ids)?)
            .execute(write)
            .await?;
    Ok(outcome.rows_affected())
}

/// It may be anything at all.
fn readable(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(LOOKED_AT)]);
    let shown = text.chars().flat_map(|c| match c.is_control() {
        true => c.escape_default().collect::<Vec<_>>(),
        false => vec![c],
    });
    shown.take(MAX_DEAD_LETTER).collect()
}

fn dead_letter(row: &Row) -> Result<DeadLetter> {
    Ok(DeadLetter {
        id: row.parsed("dead_letter_id")?,
        stage: row.optional_parsed("stage")?,
        body: row.column("body")?,
        times: row.number("times")?,
        last_at: row.time("last_at")?,
    })
}
