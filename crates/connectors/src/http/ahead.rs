//! Asking for the next page while this one is being worked on.

use std::{
    collections::HashMap,
    future::Future,
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use tokio::task::JoinHandle;
use tracing::Instrument as _;

use crate::ConnectorError;

/// Pages that are kept of all walks of an account.
const MAX: usize = 32;

/// How long nobody has to want a page before it is let go: its walk has ended, or goes on elsewhere.
const KEPT: Duration = Duration::from_secs(60);

/// Pages that were asked for before they are wanted, by what says which they are.
pub(crate) struct Ahead<T> {
    asked: Mutex<HashMap<String, Asked<T>>>,
}

struct Asked<T> {
    answer: JoinHandle<Result<T, ConnectorError>>,
    since: Instant,
}

impl<T> Drop for Asked<T> {
    fn drop(&mut self) {
        self.answer.abort();
    }
}

impl<T> Default for Ahead<T> {
    fn default() -> Self {
        Self { asked: Mutex::default() }
    }
}

impl<T: Send + 'static> Ahead<T> {
    /// Asks, unless too much is asked for already.
    pub(crate) fn ask(
        &self,
        page: String,
        answer: impl Future<Output = Result<T, ConnectorError>> + Send + 'static,
    ) {
        let mut asked = self.lock();
        asked.retain(|_, asked| asked.since.elapsed() < KEPT);
        if asked.len() < MAX {
            let answer = tokio::spawn(answer.in_current_span());
            asked.insert(page, Asked { answer, since: Instant::now() });
        }
    }

    /// A page: the one that was asked for ahead, else the one that is asked for now.
    pub(crate) async fn wanted(
        &self,
        page: &str,
        now: impl Future<Output = Result<T, ConnectorError>>,
    ) -> Result<T, ConnectorError> {
        match self.take(page).await {
            Some(page) => Ok(page),
            None => now.await,
        }
    }

    /// A page that was asked for. What failed is none: whoever wants it asks again, and hears why.
    async fn take(&self, page: &str) -> Option<T> {
        let asked = self.lock().remove(page);
        let mut asked = asked.filter(|asked| asked.since.elapsed() < KEPT)?;
        (&mut asked.answer).await.ok()?.ok()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<String, Asked<T>>> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    #[tokio::test]
    async fn a_page_is_taken_once_and_a_failed_one_never() {
        let ahead = Ahead::default();
        ahead.ask("1".into(), async { Ok(1) });
        ahead.ask("2".into(), async { Err(ConnectorError::Unavailable) });
        assert_eq!(ahead.take("1").await, Some(1));
        assert_eq!((ahead.take("1").await, ahead.take("2").await), (None, None));
    }

    #[tokio::test]
    async fn what_was_not_asked_for_or_has_failed_is_asked_for_when_it_is_wanted() {
        let ahead = Ahead::default();
        ahead.ask("1".into(), async { Ok("ahead") });
        ahead.ask("2".into(), async { Err(ConnectorError::Unavailable) });
        for (page, expected) in [("1", "ahead"), ("2", "now"), ("3", "now")] {
            assert_eq!(ahead.wanted(page, async { Ok("now") }).await, Ok(expected));
        }
        let refused = ahead.wanted("1", async { Err(ConnectorError::Unavailable) }).await;
        assert_eq!(refused, Err(ConnectorError::Unavailable));
    }

    #[tokio::test]
    async fn no_more_is_asked_for_than_is_kept() {
        let ahead = Ahead::default();
        for page in 0..=MAX {
            ahead.ask(page.to_string(), async move { Ok(page) });
        }
        assert_eq!(ahead.take(&(MAX - 1).to_string()).await, Some(MAX - 1));
        assert_eq!(ahead.take(&MAX.to_string()).await, None);
    }

    #[tokio::test]
    async fn what_nobody_wants_any_more_ends() {
        let (ahead, alive) = (Ahead::default(), Arc::new(()));
        let held = alive.clone();
        ahead.ask("1".into(), async move {
            std::future::pending::<()>().await;
            drop(held);
            Ok(())
        });
        drop(ahead);
        while Arc::strong_count(&alive) > 1 {
            tokio::task::yield_now().await;
        }
    }
}
