//! The rows of imports and of what they brought.

use std::collections::BTreeMap;

use domain::{ChannelId, Message, MessageId, import::Import};
use serde::Serialize;

use crate::{
    Result,
    database::{
        Session, json,
        query::query,
        row::{Columns as _, Row},
    },
};

pub(super) fn import(row: &Row) -> Result<Import> {
    Ok(Import {
        id: row.parsed("import_id")?,
        format: row.parsed("format")?,
        status: row.parsed("status")?,
        connection_id: row.optional_parsed("connection_id")?,
        channels: row.json("channels")?,
        rows: row.number("row_count")?,
        row_errors: row.json("row_errors")?,
        error: row
            .column::<Option<&str>>("error")?
            .map(|text| json::decode(text, "error"))
            .transpose()?,
        created_at: row.time("created_at")?,
    })
}

#[derive(Serialize)]
struct NewRow<'m> {
    message_id: &'m str,
    import_seq: i64,
    revised_at: i64,
    content_hash: String,
    message: String,
    deleted: u8,
}

/// Stores messages in order of time; what replaces an older revision moves behind the watermark. Of a
/// deletion only the fact may be known, not the time: it stands until something newer is said.
pub(super) async fn upsert(
    write: &mut Session,
    channel: &ChannelId,
    messages: &[Message],
) -> Result<()> {
    let row = query(
        "SELECT COALESCE(MAX(import_seq), 0) AS last FROM imported_messages WHERE channel_id = $1",
    )
    .bind(channel.as_str())
    .fetch_one(&mut *write)
    .await?;
    let last: i64 = row.column("last")?;
    let rows = (last + 1..).zip(in_order(messages)).map(new_row).collect::<Result<Vec<_>>>()?;
    query(
        "INSERT INTO imported_messages (channel_id, message_id, import_seq, revised_at, content_hash,
             message, deleted)
         SELECT $1, value ->> 'message_id', CAST(value ->> 'import_seq' AS BIGINT), CAST(value ->> 'revised_at' AS BIGINT),
             value ->> 'content_hash', value ->> 'message', CAST(value ->> 'deleted' AS BOOLEAN)
         FROM json_each($2) WHERE TRUE
         ON CONFLICT (channel_id, message_id) DO UPDATE SET import_seq = excluded.import_seq,
             revised_at = excluded.revised_at, content_hash = excluded.content_hash,
             message = excluded.message, deleted = excluded.deleted
         WHERE excluded.content_hash <> imported_messages.content_hash
             AND (excluded.revised_at > imported_messages.revised_at
                 OR (excluded.revised_at = imported_messages.revised_at
                     AND NOT imported_messages.deleted)
                 OR excluded.deleted)",
    )
    .bind(channel.as_str())
    .bind(json::encode(&rows)?)
    .execute(write)
    .await?;
    Ok(())
}

/// A file may hold a message twice: the newest revision counts.
fn in_order(messages: &[Message]) -> Vec<&Message> {
    let mut newest: BTreeMap<&MessageId, &Message> = BTreeMap::new();
    for message in messages {
        let kept = newest.entry(&message.id).or_insert(message);
        if message.revised_at() > kept.revised_at() {
            *kept = message;
        }
    }
    let mut messages: Vec<_> = newest.into_values().collect();
    messages.sort_by(|a, b| (a.sent_at, &a.id).cmp(&(b.sent_at, &b.id)));
    messages
}

fn new_row((import_seq, message): (i64, &Message)) -> Result<NewRow<'_>> {
    Ok(NewRow {
        message_id: message.id.as_str(),
        import_seq,
        revised_at: message.revised_at().micros(),
        content_hash: message.content_hash(),
        message: json::encode(message)?,
        deleted: u8::from(message.deleted_at.is_some()),
    })
}
