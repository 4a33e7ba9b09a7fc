//! How a stage works.

use std::time::Duration;

use domain::{Stage, backoff::Budget};

use super::{
    ConfigError,
    table::{
        ATTEMPTS, BACKOFF_BASE_MILLISECONDS, BACKOFF_CAP_SECONDS, PREFETCH, SLOTS,
        TIME_LIMIT_SECONDS,
    },
    values::Values,
};

/// A slice of a walk takes up to 60 s by itself.
const LEAST_FOR_A_WALK: Duration = Duration::from_secs(120);

/// What a process is told of a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StageConfig {
    /// Tasks in work at the same time.
    pub slots: usize,
    /// Calls that the queue hands out before earlier ones are answered.
    pub prefetch: usize,
    /// Longest time for one attempt.
    pub time_limit: Duration,
    /// How often a task is tried again, and after which waits.
    pub retries: Budget,
}

impl StageConfig {
    pub(super) fn read(values: &Values, stage: Stage) -> Result<Self, ConfigError> {
        let of = Some(stage);
        let slots = values.number(of, &SLOTS)?;
        let prefetch = match values.read(of, &PREFETCH, |text| Some(text.is_empty()))? {
            true => slots,
            false => values.number(of, &PREFETCH)?,
        };
        if prefetch < slots {
            return Err(values.refused(of, &PREFETCH));
        }
        let time_limit = Duration::from_secs(values.number(of, &TIME_LIMIT_SECONDS)?);
        if stage == Stage::FetchingMessages && time_limit < LEAST_FOR_A_WALK {
            return Err(values.refused(of, &TIME_LIMIT_SECONDS));
        }
        let retries = Budget {
            attempts: values.number(of, &ATTEMPTS)?,
            base: Duration::from_millis(values.number(of, &BACKOFF_BASE_MILLISECONDS)?),
            cap: Duration::from_secs(values.number(of, &BACKOFF_CAP_SECONDS)?),
        };
        if retries.cap < retries.base {
            return Err(values.refused(of, &BACKOFF_CAP_SECONDS));
        }
        Ok(Self { slots, prefetch, time_limit, retries })
    }
}
