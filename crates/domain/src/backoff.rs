//! How long a failed task waits.

use std::time::Duration;

/// How often a task is tried again, and after which waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Budget {
    /// Attempts without progress after which a task is given up.
    pub attempts: u32,
    /// The longest wait after the first attempt.
    pub base: Duration,
    /// The longest wait after any attempt.
    pub cap: Duration,
}

impl Default for Budget {
    fn default() -> Self {
        Self { attempts: 5, base: Duration::from_secs(1), cap: Duration::from_secs(5 * 60) }
    }
}

impl Budget {
    /// Exponential backoff with full jitter: a point between zero and the base, doubled with each attempt
    /// after the first, at most the cap. `attempt` counts from 1, `random` is uniform in `0.0..1.0`.
    #[must_use]
    pub fn delay(&self, attempt: u32, random: f64) -> Duration {
        let doubled = self.base.saturating_mul(1 << attempt.saturating_sub(1).min(31));
        doubled.min(self.cap).mul_f64(random.clamp(0.0, 1.0))
    }
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
        let budget = Budget::default();
        assert_eq!(budget.delay(1, 1.0), Duration::from_secs(1));
        assert_eq!(budget.delay(4, 1.0), Duration::from_secs(8));
        assert_eq!(budget.delay(4, 0.5), Duration::from_secs(4));
        assert_eq!(budget.delay(4_000_000, 1.0), budget.cap);
        assert_eq!(budget.delay(0, 0.0), Duration::ZERO);
    }
}
