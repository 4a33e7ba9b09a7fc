//! Schedules.

use domain::{Timestamp, schedule::Schedule};
use serde::Serialize;
use utoipa::ToSchema;

/// When a channel is synchronised by itself.
#[derive(Serialize, ToSchema)]
pub(crate) struct ScheduleReply {
    channel_id: String,
    /// Five POSIX cron fields.
    schedule: String,
    timezone: String,
    enabled: bool,
    #[schema(value_type = Option<String>)]
    next_sync: Option<Timestamp>,
    #[schema(value_type = Option<String>)]
    last_sync: Option<Timestamp>,
}

impl From<Schedule> for ScheduleReply {
    fn from(schedule: Schedule) -> Self {
        Self {
            channel_id: schedule.channel_id.to_string(),
            schedule: schedule.expression,
            timezone: schedule.timezone,
            enabled: schedule.enabled,
            next_sync: schedule.next_sync.filter(|_| schedule.enabled),
            last_sync: schedule.last_sync,
        }
    }
}

/// Schedules, by channel.
#[derive(Serialize, ToSchema)]
pub(crate) struct Schedules {
    pub(crate) schedules: Vec<ScheduleReply>,
}
