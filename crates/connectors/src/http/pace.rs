//! Finding out how fast a server may be called that does not say it.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use super::Bucket;
use crate::ConnectorError;

/// What a good answer adds to the rate: it doubles with some 140 of them.
const FASTER: f64 = 1.005;

/// What a refusal leaves of the rate.
const SLOWER: f64 = 0.5;

/// The rate of calls to one server: halved when it refuses, and slowly won back.
#[derive(Debug)]
pub struct Pace {
    key: String,
    /// Calls in a second: the least, and the most.
    bounds: (f64, f64),
    burst: u32,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    per_second: f64,
    /// Refusals of calls sent before are about the rate that was.
    slowed_at: Option<Instant>,
}

impl Pace {
    /// Begins with so many calls in a second, and goes from a call in ten seconds to the most.
    #[must_use]
    pub fn new(key: String, begin: u32, most: u32, burst: u32) -> Self {
        let state = State { per_second: f64::from(begin), slowed_at: None };
        Self { key, bounds: (0.1, f64::from(most)), burst, state: Mutex::new(state) }
    }

    /// What calls are counted in just now.
    #[must_use]
    pub fn bucket(&self) -> Bucket {
        let every = Duration::from_secs_f64(1.0 / self.lock().per_second);
        Bucket { key: self.key.clone(), every, burst: self.burst }
    }

    /// Learns from the outcome of a call that was sent at a time.
    pub fn observe<T>(&self, sent: Instant, outcome: &Result<T, ConnectorError>) {
        let mut state = self.lock();
        let (least, most) = self.bounds;
        match outcome {
            Ok(_) => state.per_second = (state.per_second * FASTER).min(most),
            Err(ConnectorError::RateLimit { .. }) if state.slowed_at.is_none_or(|at| sent > at) => {
                state.per_second = (state.per_second * SLOWER).max(least);
                state.slowed_at = Some(Instant::now());
            }
            Err(_) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const REFUSED: Result<(), ConnectorError> =
        Err(ConnectorError::RateLimit { retry_after: Duration::from_secs(1) });

    fn per_second(pace: &Pace) -> f64 {
        1.0 / pace.bucket().every.as_secs_f64()
    }

    /// A call that is sent after everything that is known of.
    fn later() -> Instant {
        Instant::now() + Duration::from_secs(1)
    }

    #[test]
    fn many_refusals_of_one_burst_slow_down_once() {
        let pace = Pace::new("server".into(), 20, 50, 5);
        let sent = Instant::now();
        for _ in 0..5 {
            pace.observe(sent, &REFUSED);
        }
        assert!((per_second(&pace) - 10.0).abs() < 0.01);
        pace.observe(later(), &REFUSED);
        assert!((per_second(&pace) - 5.0).abs() < 0.01);
    }

    #[test]
    fn what_was_lost_is_won_back_within_bounds() {
        let pace = Pace::new("server".into(), 20, 50, 5);
        for _ in 0..20 {
            pace.observe(later(), &REFUSED);
        }
        assert!((per_second(&pace) - 0.1).abs() < 0.01, "never nothing at all");
        for _ in 0..2_000 {
            pace.observe(Instant::now(), &Ok(()));
        }
        assert!((per_second(&pace) - 50.0).abs() < 0.01);
        pace.observe(Instant::now(), &Err::<(), _>(ConnectorError::Unavailable));
        assert!((per_second(&pace) - 50.0).abs() < 0.01, "other failures say nothing of the rate");
    }
}
