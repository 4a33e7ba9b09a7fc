//! Schedules: when a channel is synchronised by itself.

mod cron;

use serde::{Deserialize, Serialize};

pub use cron::{Cron, CronError, offset};

use crate::{ChannelId, Timestamp};

/// When a channel is synchronised by itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schedule {
    /// The channel.
    pub channel_id: ChannelId,
    /// Five POSIX cron fields, as they were given.
    pub expression: String,
    /// IANA name of the time zone they are meant in.
    pub timezone: String,
    /// Whether it fires.
    pub enabled: bool,
    /// When it fires next; `None` while disabled.
    pub next_sync: Option<Timestamp>,
    /// When it last fired.
    pub last_sync: Option<Timestamp>,
}
