//! How a stage works.

use std::time::Duration;

use domain::Stage;

use super::{
    ConfigError,
    setting::{PREFETCH, SLOTS, TIME_LIMIT_SECONDS},
    values::Values,
};

/// Most calls that a stage of a process may hold.
const MOST_CALLS: usize = 4_096;

/// What a process is told of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageConfig {
    /// `ATLAS_SLOTS`: tasks in work at the same time.
    pub slots: usize,
    /// `ATLAS_PREFETCH`: calls that the queue hands out before earlier ones are answered.
    pub prefetch: usize,
    /// `ATLAS_TIME_LIMIT_SECONDS`: longest time for one attempt.
    pub time_limit: Duration,
}

impl StageConfig {
    pub(super) fn read(values: &Values, stage: Stage) -> Result<Self, ConfigError> {
        let slots = values.in_range(Some(stage), &SLOTS, 1..=256)?;
        let prefetch = values.read(Some(stage), &PREFETCH, |text| match text {
            "" => Some(slots),
            text => text.parse().ok().filter(|calls| (slots..=MOST_CALLS).contains(calls)),
        })?;
        // A slice of a walk takes up to 60 s by itself.
        let least = if stage == Stage::FetchingMessages { 120 } else { 1 };
        let seconds = values.in_range(Some(stage), &TIME_LIMIT_SECONDS, least..=86_400)?;
        Ok(Self { slots, prefetch, time_limit: Duration::from_secs(seconds) })
    }
}
