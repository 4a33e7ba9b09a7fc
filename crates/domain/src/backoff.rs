//! How long a failed task waits.

use std::time::Duration;

/// Attempts without progress after which a task is given up.
pub const MAX_ATTEMPTS: u32 = 5;

/// A job without any progress for this long fails, whatever its tasks are waiting for.
pub const MAX_STANDSTILL: Duration = Duration::from_secs(24 * 60 * 60);

const BASE: Duration = Duration::from_secs(1);
const CAP: Duration = Duration::from_secs(5 * 60);

/// Exponential backoff with full jitter: a point between zero and `2^(attempt-1)` seconds, at most
/// five minutes. `attempt` counts from 1, `random` is uniform in `0.0..1.0`.
#[must_use]
pub fn delay(attempt: u32, random: f64) -> Duration {
    let ceiling = BASE.saturating_mul(1 << attempt.saturating_sub(1).min(16)).min(CAP);
    ceiling.mul_f64(random.clamp(0.0, 1.0))
}

/// What a platform asked for, bounded so that a hostile or broken answer cannot park a job for good.
#[must_use]
pub fn bounded(asked: Duration) -> Duration {
    asked.min(Duration::from_secs(60 * 60))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_wait_grows_is_jittered_and_is_capped() {
        assert_eq!(delay(1, 1.0), Duration::from_secs(1));
        assert_eq!(delay(4, 1.0), Duration::from_secs(8));
        assert_eq!(delay(4, 0.5), Duration::from_secs(4));
        assert_eq!(delay(4_000_000, 1.0), CAP);
        assert_eq!(delay(0, 0.0), Duration::ZERO);
    }
}
