//! How often something may be done, counted together.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_trait::async_trait;

use crate::Result;

/// A rate: the generic cell rate algorithm's two numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Once this often, in the long run.
    pub every: Duration,
    /// So often at once after a rest; at least 1.
    pub burst: u32,
}

/// Counts what all processes do. What it counts may be forgotten at any moment.
#[async_trait]
pub trait Limits: Send + Sync + 'static {
    /// Takes one turn under a name: nothing to wait for, or how long before it may be tried again (then
    /// nothing was taken).
    async fn acquire(&self, name: &str, rate: Rate) -> Result<Duration>;
    /// Nobody takes a turn for so long. Of several pauses the one that ends last counts, and no burst
    /// follows it.
    async fn pause(&self, name: &str, pause: Duration, rate: Rate) -> Result<()>;
}

/// Names beyond this many make those leave that would not make anybody wait.
const TIDY_ABOVE: usize = 1_000;

/// Counts what this process does.
#[derive(Debug, Default)]
pub struct LocalLimits {
    cells: Mutex<HashMap<String, Cell>>,
}

/// A cell is as good as none once both times have passed.
#[derive(Debug, Clone, Copy)]
struct Cell {
    /// When all turns taken so far will be paid for.
    paid_at: Instant,
    paused_until: Instant,
}

impl LocalLimits {
    /// Likewise [`Limits::acquire`].
    pub fn acquire(&self, name: &str, rate: Rate) -> Duration {
        let now = Instant::now();
        self.with(name, now, |cell| {
            let wait = cell.paused_until.saturating_duration_since(now);
            if !wait.is_zero() {
                return wait;
            }
            let paid_at = cell.paid_at.max(now);
            // Before so much is owed that nothing more is given.
            let credit = rate.every * (rate.burst.max(1) - 1);
            let wait = paid_at.saturating_duration_since(now + credit);
            if wait.is_zero() {
                cell.paid_at = paid_at + rate.every;
            }
            wait
        })
    }

    /// Likewise [`Limits::pause`].
    pub fn pause(&self, name: &str, pause: Duration, rate: Rate) {
        let now = Instant::now();
        self.with(name, now, |cell| {
            cell.paused_until = cell.paused_until.max(now + pause);
            let credit = rate.every * (rate.burst.max(1) - 1);
            cell.paid_at = cell.paid_at.max(cell.paused_until + credit);
        });
    }

    fn with<T>(&self, name: &str, now: Instant, change: impl FnOnce(&mut Cell) -> T) -> T {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() > TIDY_ABOVE {
            cells.retain(|_, cell| cell.paid_at > now || cell.paused_until > now);
        }
        let fresh = Cell { paid_at: now, paused_until: now };
        change(cells.entry(name.to_owned()).or_insert(fresh))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_make_nobody_wait_are_forgotten() {
        let limits = LocalLimits::default();
        let rate = Rate { every: Duration::from_nanos(1), burst: 1 };
        for n in 0..3 * TIDY_ABOVE {
            limits.acquire(&n.to_string(), rate);
        }
        assert!(limits.cells.lock().unwrap().len() <= TIDY_ABOVE + 1);
    }
}
