//! Schedules.

use async_trait::async_trait;
use domain::{ChannelId, Timestamp, TraceContext, Trigger, schedule::Schedule};

use super::{
    Database,
    jobs::trigger_in,
    query::{Statement, query},
    row::{Columns as _, Row},
    session::Lane,
};
use crate::{NewJob, Result, Schedules, Triggered};

#[async_trait]
impl Schedules for Database {
    async fn now(&self) -> Result<Timestamp> {
        self.read().await?.now().await
    }

    async fn set_schedule(&self, wanted: &Schedule) -> Result<Option<Schedule>> {
        let mut write = self.begin(Lane::Durable).await?;
        let row = query(
            "INSERT INTO schedules (channel_id, expression, timezone, enabled, next_sync)
             SELECT channel_id, $2, $3, $4, $5 FROM channels WHERE channel_id = $1
             ON CONFLICT (channel_id) DO UPDATE SET expression = excluded.expression,
                 timezone = excluded.timezone, enabled = excluded.enabled,
                 next_sync = excluded.next_sync
             RETURNING *",
        )
        .bind(wanted.channel_id.as_str())
        .bind(&wanted.expression)
        .bind(&wanted.timezone)
        .bind(wanted.enabled)
        .bind(wanted.next_sync.map(Timestamp::micros))
        .fetch_optional(&mut write)
        .await?;
        write.commit().await?;
        row.as_ref().map(schedule).transpose()
    }

    async fn schedules(&self, channel: Option<&ChannelId>) -> Result<Vec<Schedule>> {
        let mut sql = Statement::new("SELECT * FROM schedules");
        if let Some(channel) = channel {
            sql.push(" WHERE channel_id = ").push_bind(channel.as_str());
        }
        let mut reader = self.read().await?;
        let rows = sql.push(" ORDER BY channel_id").build().fetch_all(&mut reader).await?;
        rows.iter().map(schedule).collect()
    }

    async fn remove_schedule(&self, channel: &ChannelId) -> Result<bool> {
        let mut write = self.begin(Lane::Durable).await?;
        let outcome = query("DELETE FROM schedules WHERE channel_id = $1")
            .bind(channel.as_str())
            .execute(&mut write)
            .await?;
        write.commit().await?;
        Ok(outcome.rows_affected() == 1)
    }

    async fn due_schedules(&self, limit: u32) -> Result<Vec<Schedule>> {
        let mut reader = self.read().await?;
        let now = reader.now().await?;
        let rows = query(
            "SELECT * FROM schedules WHERE enabled = TRUE AND next_sync <= $1
             ORDER BY next_sync, channel_id LIMIT $2",
        )
        .bind(now.micros())
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        rows.iter().map(schedule).collect()
    }

    async fn fire_schedule(
        &self,
        channel: &ChannelId,
        due: Timestamp,
        next: Option<Timestamp>,
        trace: Option<TraceContext>,
    ) -> Result<Option<Triggered>> {
        let mut write = self.begin(Lane::Durable).await?;
        let now = write.now().await?;
        let taken = query(
            "UPDATE schedules SET next_sync = $3, last_sync = $4
             WHERE channel_id = $1 AND next_sync = $2 AND enabled = TRUE",
        )
        .bind(channel.as_str())
        .bind(due.micros())
        .bind(next.map(Timestamp::micros))
        .bind(now.micros())
        .execute(&mut write)
        .await?;
        if taken.rows_affected() == 0 {
            return Ok(None);
        }
        let new = NewJob {
            channel_id: channel.clone(),
            force: false,
            trigger: Trigger::Schedule,
            asked_by: None,
            trace,
            estimated_messages: None,
            idempotency: None,
        };
        let triggered = trigger_in(&mut write, &[new]).await?.pop();
        let job = match &triggered {
            Some(Triggered::Started(job, _)) => Some(job.id.as_str()),
            _ => None,
        };
        query(
            "INSERT INTO schedule_runs (channel_id, due_at, job_id, fired_at) VALUES ($1, $2, $3, $4)
             ON CONFLICT DO NOTHING",
        )
        .bind(channel.as_str())
        .bind(due.micros())
        .bind(job)
        .bind(now.micros())
        .execute(&mut write)
        .await?;
        write.commit().await?;
        Ok(triggered)
    }
}

fn schedule(row: &Row) -> Result<Schedule> {
    Ok(Schedule {
        channel_id: row.id("channel_id")?,
        expression: row.column("expression")?,
        timezone: row.column("timezone")?,
        enabled: row.column("enabled")?,
        next_sync: row.optional_time("next_sync")?,
        last_sync: row.optional_time("last_sync")?,
    })
}
