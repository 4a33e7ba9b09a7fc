//! What imports brought, page by page.

use domain::{ChannelId, Message};

use crate::{
    ImportedPage, Result, StoreError,
    database::{Session, gathering::Together, json, query::query, row::Columns as _},
};

/// What of a channel comes after a place.
#[derive(Clone)]
pub(in crate::database) struct After {
    pub(super) channel_id: ChannelId,
    pub(super) seq: i64,
}

impl Together for After {}

impl Together for (After, u32) {
    fn goes_with(&self, others: &[Self]) -> bool {
        others.iter().all(|other| other.1 == self.1)
    }
}

/// A page each, all of the same limit; in order.
pub(super) async fn after(
    connection: &mut Session,
    asked: &[(After, u32)],
) -> Result<Vec<ImportedPage>> {
    let limit = asked.first().map_or(0, |(_, limit)| *limit);
    // Where each page ends is found once, not for every message.
    let rows = query(
        "WITH pages AS MATERIALIZED (
             SELECT CAST(value ->> 0 AS BIGINT) AS n, value ->> 1 AS channel_id,
                 CAST(value ->> 2 AS BIGINT) AS seq,
                 (SELECT MAX(import_seq) FROM (
                     SELECT import_seq FROM imported_messages
                     WHERE channel_id = value ->> 1 AND import_seq > CAST(value ->> 2 AS BIGINT)
                     ORDER BY import_seq LIMIT $2) AS page) AS last
             FROM json_each($1))
         SELECT n, import_seq, message
         FROM pages JOIN imported_messages AS imported ON imported.channel_id = pages.channel_id
             AND import_seq > seq AND import_seq <= last
         ORDER BY n, import_seq",
    )
    .bind(numbered(asked.iter().map(|(after, _)| after))?)
    .bind(limit)
    .fetch_all(connection)
    .await?;
    let empty = |(After { seq, .. }, _): &_| ImportedPage { messages: Vec::new(), last_seq: *seq };
    let mut pages: Vec<ImportedPage> = asked.iter().map(empty).collect();
    for row in &rows {
        let page = pages.get_mut(row.number::<usize>("n")?);
        let page = page.ok_or(StoreError::Unreadable { what: "page" })?;
        page.messages.push(row.json::<Message>("message")?);
        page.last_seq = row.column("import_seq")?;
    }
    Ok(pages)
}

/// How many there are, in order.
pub(super) async fn count(connection: &mut Session, asked: &[After]) -> Result<Vec<u64>> {
    let rows = query(
        "SELECT (SELECT COUNT(*) FROM imported_messages
                 WHERE channel_id = value ->> 1
                     AND import_seq > CAST(value ->> 2 AS BIGINT)) AS messages
         FROM json_each($1) ORDER BY CAST(value ->> 0 AS BIGINT)",
    )
    .bind(numbered(asked.iter())?)
    .fetch_all(connection)
    .await?;
    rows.iter().map(|row| row.number("messages")).collect()
}

/// With their numbers, by which answers are told apart.
fn numbered<'a>(asked: impl Iterator<Item = &'a After>) -> Result<String> {
    let places = asked.enumerate().map(|(n, After { channel_id, seq })| (n, channel_id, seq));
    json::encode(&places.collect::<Vec<_>>())
}
