//! Messages, and the conversations they make.

mod row;
mod threads;
mod touched;
mod upsert;
mod window;

use async_trait::async_trait;
use domain::{ChannelId, Message, MessageId, Timestamp, batch::Seed};
use futures_util::FutureExt as _;

use super::{Database, query::query};
use crate::{Messages, Result, StoreError, TouchedUnits};

pub(super) use self::{
    row::message,
    touched::Touching,
    upsert::{Walked, note_pending, pending, upsert},
};

/// A larger batch is asked for by itself.
const LIGHT: usize = 50;

#[async_trait]
impl Messages for Database {
    async fn messages(
        &self,
        channel: &ChannelId,
        before: Option<(Timestamp, MessageId)>,
        limit: u32,
    ) -> Result<Vec<Message>> {
        // Larger than the place of any message.
        let (at, id) =
            before.unwrap_or_else(|| (Timestamp::from_micros(i64::MAX), String::new().into()));
        let mut reader = self.read().await?;
        let rows = query(
            "SELECT * FROM messages
             WHERE channel_id = $1 AND deleted_at IS NULL AND (sent_at, message_id) < ($2, $3)
             ORDER BY sent_at DESC, message_id DESC LIMIT $4",
        )
        .bind(channel.as_str())
        .bind(at.micros())
        .bind(id.as_str())
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(message).collect()
    }

    async fn message(&self, channel: &ChannelId, id: &MessageId) -> Result<Option<Message>> {
        let mut reader = self.read().await?;
        let row = query(
            "SELECT * FROM messages
             WHERE channel_id = $1 AND message_id = $2 AND deleted_at IS NULL",
        )
        .bind(channel.as_str())
        .bind(id.as_str())
        .fetch_optional(&mut reader)
        .await?;
        row.as_ref().map(message).transpose()
    }

    async fn touched_units(&self, channel: &ChannelId, seeds: &[Seed]) -> Result<TouchedUnits> {
        let batch = Touching { channel: channel.clone(), seeds: seeds.to_vec() };
        if seeds.len() > LIGHT {
            let found = touching(self, std::slice::from_ref(&batch)).await?.pop();
            return found.ok_or(StoreError::Unreadable { what: "batch" });
        }
        self.together(&self.shared.gatherings.touched_units, batch, |database, batches| {
            touching(database, batches).boxed()
        })
        .await
    }
}

async fn touching(database: &Database, batches: &[Touching]) -> Result<Vec<TouchedUnits>> {
    // One snapshot for all statements, given up also when this future is dropped.
    let mut snapshot = database.snapshot().await?;
    let touched = touched::touched_units(&mut snapshot, batches).await?;
    snapshot.commit().await?;
    Ok(touched)
}
