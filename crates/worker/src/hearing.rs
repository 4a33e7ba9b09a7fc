//! Whether a runner hears its calls.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

/// Since when a runner has had no subscription. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Hearing {
    deaf_since: Arc<Mutex<Option<Instant>>>,
}

impl Hearing {
    /// How long the runner has tried in vain to hear calls; nothing while it does.
    #[must_use]
    pub fn deaf_for(&self) -> Option<Duration> {
        let since = self.deaf_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.map(|since| since.elapsed())
    }

    pub(crate) fn lost(&self) {
        let mut since = self.deaf_since.lock().unwrap_or_else(PoisonError::into_inner);
        since.get_or_insert_with(Instant::now);
    }

    pub(crate) fn found(&self) {
        *self.deaf_since.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_runner_is_deaf_from_its_first_failure_until_it_hears_again() {
        let hearing = Hearing::default();
        assert_eq!(hearing.deaf_for(), None);
        hearing.lost();
        let first = hearing.deaf_for().unwrap();
        hearing.lost();
        assert!(hearing.deaf_for().unwrap() >= first);
        hearing.found();
        assert_eq!(hearing.deaf_for(), None);
    }
}
