//! Schedules.

use async_trait::async_trait;
use domain::{ChannelId, Timestamp, TraceContext, schedule::Schedule};

use crate::{Result, Triggered};

/// Schedules.
#[async_trait]
pub trait Schedules: Send + Sync + 'static {
    /// The database's time.
    async fn now(&self) -> Result<Timestamp>;
    /// Creates or replaces a channel's schedule; `None` for an unknown channel. `last_sync` is kept.
    async fn set_schedule(&self, schedule: &Schedule) -> Result<Option<Schedule>>;
    /// Schedules by channel; of one only when given.
    async fn schedules(&self, channel: Option<&ChannelId>) -> Result<Vec<Schedule>>;
    /// Removes a schedule; `false` when there is none.
    async fn remove_schedule(&self, channel: &ChannelId) -> Result<bool>;
    /// Enabled schedules that are due, the longest due first.
    async fn due_schedules(&self, limit: u32) -> Result<Vec<Schedule>>;
    /// Fires a schedule that is due at `due` and sets its next time, in one transaction: one of any
    /// number of schedulers gets an answer, the others `None`. A channel that is still syncing
    /// answers [`Triggered::InProgress`] and has no job from this firing. The job belongs to `trace`.
    async fn fire_schedule(
        &self,
        channel: &ChannelId,
        due: Timestamp,
        next: Option<Timestamp>,
        trace: Option<TraceContext>,
    ) -> Result<Option<Triggered>>;
}
