//! The channels of a connection whose platform is walked.

use std::collections::HashMap;

use domain::{Channel, ConnectionId, Timestamp};

use crate::{
    Channels as _, NewChannel, Plan, Result,
    database::{
        Database, Session,
        channels::{CHANNEL, channel},
        json,
        query::{Query, query},
        row::Columns as _,
        session::Lane,
    },
};

/// Channels that are registered in one transaction.
const AT_ONCE: usize = 200;

pub(super) async fn known(
    connection: &mut Session,
    id: &ConnectionId,
) -> Result<Vec<(Channel, bool)>> {
    let rows = Query::built(format!("{CHANNEL} WHERE connection_id = $1 ORDER BY external_id"))
        .bind(id.as_str())
        .fetch_all(connection)
        .await?;
    rows.iter().map(|row| Ok((channel(row)?, row.column("sync_enabled")?))).collect()
}

impl Database {
    pub(super) async fn choose(
        &self,
        id: &ConnectionId,
        chosen: &[NewChannel],
        plan: Option<&Plan>,
    ) -> Result<Vec<Channel>> {
        for some in chosen.chunks(AT_ONCE) {
            self.register_channels(id, some).await?;
        }
        let mut write = self.begin(Lane::Durable).await?;
        let wanted: Vec<_> = chosen.iter().map(|channel| &channel.external_id).collect();
        mark(&mut write, id, &json::encode(&wanted)?).await?;
        if let Some(plan) = plan {
            schedule(&mut write, id, plan).await?;
        }
        let known = known(&mut write, id).await?;
        write.commit().await?;
        let mut known: HashMap<String, Channel> =
            known.into_iter().map(|(channel, _)| (channel.external_id.clone(), channel)).collect();
        Ok(chosen.iter().filter_map(|channel| known.remove(&channel.external_id)).collect())
    }
}

async fn mark(write: &mut Session, id: &ConnectionId, wanted: &str) -> Result<()> {
    for statement in [
        "DELETE FROM schedules WHERE channel_id IN (SELECT channel_id FROM channels
             WHERE connection_id = $1 AND sync_enabled = TRUE
                 AND external_id NOT IN (SELECT atom FROM json_each($2)))",
        "UPDATE channels SET sync_enabled = (external_id IN (SELECT atom FROM json_each($2)))
         WHERE connection_id = $1
             AND sync_enabled <> (external_id IN (SELECT atom FROM json_each($2)))",
    ] {
        query(statement).bind(id.as_str()).bind(wanted).execute(&mut *write).await?;
    }
    Ok(())
}

async fn schedule(write: &mut Session, id: &ConnectionId, plan: &Plan) -> Result<()> {
    query(
        "INSERT INTO schedules (channel_id, expression, timezone, enabled, next_sync)
         SELECT channel_id, $2, $3, TRUE, $4 FROM channels
         WHERE connection_id = $1 AND sync_enabled = TRUE
         ON CONFLICT (channel_id) DO UPDATE SET expression = excluded.expression,
             timezone = excluded.timezone, enabled = excluded.enabled,
             next_sync = excluded.next_sync",
    )
    .bind(id.as_str())
    .bind(&plan.expression)
    .bind(&plan.timezone)
    .bind(plan.next_sync.map(Timestamp::micros))
    .execute(write)
    .await?;
    Ok(())
}
