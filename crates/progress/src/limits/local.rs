//! Turns counted in one process.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
    time::{Duration, Instant},
};

use super::{FASTER, REMEMBERED, Rate, SLOWER, Turn};

/// Names beyond this many make those leave that are as good as new.
const TIDY_ABOVE: usize = 1_000;

/// Counts what this process does.
#[derive(Debug, Default)]
pub struct LocalLimits {
    cells: Mutex<HashMap<String, Cell>>,
}

#[derive(Debug, Clone, Copy)]
struct Cell {
    /// When all turns taken so far will be paid for.
    paid_at: Instant,
    paused_until: Option<Instant>,
    /// How often there is a turn, where that is not what it was at first.
    learned: Option<Duration>,
}

impl LocalLimits {
    /// Likewise [`Limits::acquire`](super::Limits::acquire).
    pub fn acquire(&self, name: &str, rate: Rate) -> Turn {
        let now = Instant::now();
        self.with(name, now, |cell| cell.turn(rate, now))
    }

    /// Likewise [`Limits::pause`](super::Limits::pause).
    pub fn pause(&self, name: &str, pause: Duration, sent: Instant, rate: Rate) {
        let now = Instant::now();
        self.with(name, now, |cell| cell.pause(now + pause, sent, rate));
    }

    /// Takes over how often there is a turn, as others have learned it.
    pub fn adopt(&self, name: &str, every: Duration, rate: Rate) {
        let now = Instant::now();
        self.with(name, now, |cell| {
            cell.paid_at = cell.paid_at.max(now);
            cell.learn(every, rate);
        });
    }

    fn with<T>(&self, name: &str, now: Instant, change: impl FnOnce(&mut Cell) -> T) -> T {
        let mut cells = self.cells.lock().unwrap_or_else(PoisonError::into_inner);
        if cells.len() > TIDY_ABOVE {
            cells.retain(|_, cell| !cell.is_as_new(now));
        }
        let fresh = Cell { paid_at: now, paused_until: None, learned: None };
        change(cells.entry(name.to_owned()).or_insert(fresh))
    }
}

impl Cell {
    fn is_as_new(&self, now: Instant) -> bool {
        let known_for = self.learned.map_or(Duration::ZERO, |_| REMEMBERED);
        self.paid_at + known_for <= now && self.paused_until.is_none_or(|until| until <= now)
    }

    fn every(&self, rate: Rate) -> Duration {
        self.learned.unwrap_or(rate.every).max(rate.fastest).min(rate.slowest)
    }

    fn learn(&mut self, every: Duration, rate: Rate) {
        self.learned = Some(every).filter(|every| *every != rate.every);
    }

    /// So much may be owed before nothing more is given.
    fn credit(&self, rate: Rate) -> Duration {
        let every = self.every(rate);
        if every > rate.every { Duration::ZERO } else { every * (rate.burst.max(1) - 1) }
    }

    fn turn(&mut self, rate: Rate, now: Instant) -> Turn {
        let every = self.every(rate);
        let pause = self.paused_until.map(|until| until.saturating_duration_since(now));
        if let Some(wait) = pause.filter(|pause| !pause.is_zero()) {
            return Turn { wait, every };
        }
        let paid_at = self.paid_at.max(now);
        let wait = paid_at.saturating_duration_since(now + self.credit(rate));
        if !wait.is_zero() {
            return Turn { wait, every };
        }
        let every = every.div_f64(FASTER).max(rate.fastest);
        self.paid_at = paid_at + every;
        self.learn(every, rate);
        Turn { wait, every }
    }

    fn pause(&mut self, until: Instant, sent: Instant, rate: Rate) {
        if self.paused_until.is_none_or(|last| sent >= last) {
            self.learn(self.every(rate).div_f64(SLOWER).min(rate.slowest), rate);
        }
        let until = self.paused_until.map_or(until, |last| last.max(until));
        self.paused_until = Some(until);
        self.paid_at = self.paid_at.max(until + self.credit(rate));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_as_good_as_new_are_forgotten() {
        let limits = LocalLimits::default();
        let rate = Rate::known(Duration::from_nanos(1), 1);
        let learned = Rate { slowest: Duration::from_secs(1), ..rate };
        limits.pause("learned", Duration::ZERO, Instant::now(), learned);
        for n in 0..3 * TIDY_ABOVE {
            limits.acquire(&n.to_string(), rate);
        }
        let cells = limits.cells.lock().unwrap();
        assert!(cells.len() <= TIDY_ABOVE + 2);
        assert!(cells.contains_key("learned"), "what was learned is not");
    }

    #[test]
    fn what_others_have_learned_is_kept_to() {
        let limits = LocalLimits::default();
        let second = Duration::from_secs(1);
        let rate = Rate { slowest: 10 * second, ..Rate::known(second, 5) };
        limits.adopt("calls", 4 * second, rate);
        limits.acquire("calls", rate);
        let turn = limits.acquire("calls", rate);
        assert!(turn.wait > 3 * second && turn.every > 3 * second, "{turn:?}");
    }
}
