//! The embedded adapter: a map in this process.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use domain::{ChannelId, Job, JobId};
use tokio::sync::{broadcast, watch};

use crate::{
    Cancels, Limits, LocalLimits, Progress, ProgressError, Rate, Result, Turn, View, Watch,
};

/// How long a view is shown without a new one: then it is read from the database again.
const SHOWN_FOR: Duration = Duration::from_secs(5);

/// Views beyond this many make the stale ones leave.
const TIDY_ABOVE: usize = 1_000;

/// Cancels that a slow listener may fall behind.
const CANCELS: usize = 1_024;

/// A live view that lives as long as its process.
pub struct MemoryProgress {
    shown: RwLock<Shown>,
    cancels: broadcast::Sender<JobId>,
    shown_for: Duration,
    limits: LocalLimits,
}

#[derive(Default)]
struct Shown {
    jobs: HashMap<JobId, Entry>,
    newest: HashMap<ChannelId, JobId>,
}

struct Entry {
    view: View,
    at: Instant,
    watchers: watch::Sender<View>,
}

impl Default for MemoryProgress {
    fn default() -> Self {
        Self::new(SHOWN_FOR)
    }
}

impl MemoryProgress {
    /// A view that is shown for so long.
    #[must_use]
    pub fn new(shown_for: Duration) -> Self {
        Self {
            shown: RwLock::default(),
            cancels: broadcast::channel(CANCELS).0,
            shown_for,
            limits: LocalLimits::default(),
        }
    }

    fn read(&self) -> RwLockReadGuard<'_, Shown> {
        self.shown.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Shown> {
        self.shown.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn recent(&self, entry: &Entry) -> Option<View> {
        (entry.at.elapsed() < self.shown_for).then(|| entry.view.clone())
    }
}

impl Shown {
    /// The same state read later replaces too, for what it says about the time; it is no news.
    fn show(&mut self, job: &Job) {
        match self.jobs.get_mut(&job.id) {
            Some(entry) if entry.view.job.revision > job.revision => return,
            Some(entry) => {
                let news = entry.view.job.revision < job.revision;
                if news || entry.view.job.as_of < job.as_of {
                    entry.view = View::new(job.clone());
                }
                entry.at = Instant::now();
                entry.watchers.send_if_modified(|last| {
                    *last = entry.view.clone();
                    news
                });
            }
            None => {
                let view = View::new(job.clone());
                let watchers = watch::Sender::new(view.clone());
                self.jobs.insert(job.id.clone(), Entry { view, at: Instant::now(), watchers });
            }
        }
        self.show_newest(job);
    }

    fn show_newest(&mut self, job: &Job) {
        let newer = self
            .newest
            .get(&job.channel_id)
            .and_then(|id| self.jobs.get(id))
            .is_some_and(|entry| entry.view.job.started_at > job.started_at);
        if !newer {
            self.newest.insert(job.channel_id.clone(), job.id.clone());
        }
    }

    fn tidy(&mut self, shown_for: Duration) {
        if self.jobs.len() <= TIDY_ABOVE {
            return;
        }
        self.jobs.retain(|_, entry| {
            entry.at.elapsed() < shown_for || entry.watchers.receiver_count() > 0
        });
        let Self { jobs, newest } = self;
        newest.retain(|_, id| jobs.contains_key(id));
    }
}

#[async_trait]
impl Progress for MemoryProgress {
    async fn show(&self, job: &Job) -> Result<()> {
        let mut shown = self.write();
        shown.tidy(self.shown_for);
        shown.show(job);
        Ok(())
    }

    async fn job(&self, id: &JobId) -> Result<Option<View>> {
        Ok(self.read().jobs.get(id).and_then(|entry| self.recent(entry)))
    }

    async fn newest(&self, channel: &ChannelId) -> Result<Option<View>> {
        let shown = self.read();
        let entry = shown.newest.get(channel).and_then(|id| shown.jobs.get(id));
        Ok(entry.and_then(|entry| self.recent(entry)))
    }

    async fn watch(&self, job: &Job) -> Result<Box<dyn Watch>> {
        let mut shown = self.write();
        shown.show(job);
        let Some(entry) = shown.jobs.get(&job.id) else {
            // It was shown the line above.
            return Ok(Box::new(Views {
                views: watch::Sender::new(View::new(job.clone())).subscribe(),
            }));
        };
        let mut views = entry.watchers.subscribe();
        views.mark_changed();
        Ok(Box::new(Views { views }))
    }

    async fn cancel(&self, id: &JobId) -> Result<()> {
        // Nobody listening is nobody working.
        let _ = self.cancels.send(id.clone());
        Ok(())
    }

    async fn cancels(&self) -> Result<Box<dyn Cancels>> {
        Ok(Box::new(Cancelled { cancels: self.cancels.subscribe() }))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[async_trait]
impl Limits for MemoryProgress {
    async fn acquire(&self, name: &str, rate: Rate) -> Result<Turn> {
        Ok(self.limits.acquire(name, rate))
    }

    async fn pause(&self, name: &str, pause: Duration, sent: Instant, rate: Rate) -> Result<()> {
        self.limits.pause(name, pause, sent, rate);
        Ok(())
    }
}

struct Views {
    views: watch::Receiver<View>,
}

#[async_trait]
impl Watch for Views {
    async fn next(&mut self) -> Result<View> {
        self.views.changed().await.map_err(|gone| ProgressError::Unavailable(Box::new(gone)))?;
        Ok(self.views.borrow_and_update().clone())
    }
}

struct Cancelled {
    cancels: broadcast::Receiver<JobId>,
}

#[async_trait]
impl Cancels for Cancelled {
    async fn next(&mut self) -> Result<JobId> {
        loop {
            match self.cancels.recv().await {
                Ok(id) => return Ok(id),
                Err(broadcast::error::RecvError::Lagged(_)) => {}
                Err(gone) => return Err(ProgressError::Unavailable(Box::new(gone))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::contract!(MemoryProgress::new(Duration::from_secs(60)));

    #[tokio::test]
    async fn an_old_view_is_no_longer_shown() {
        let progress = MemoryProgress::new(Duration::ZERO);
        let job = crate::contract::job("C1", 1);
        progress.show(&job).await.unwrap();
        assert!(progress.job(&job.id).await.unwrap().is_none());
        assert!(progress.newest(&job.channel_id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn the_same_state_read_later_tells_the_later_time_and_wakes_nobody() {
        let progress = MemoryProgress::default();
        let job = crate::contract::job("C1", 1);
        let mut watch = progress.watch(&job).await.unwrap();
        watch.next().await.unwrap();
        let later = Job { as_of: job.as_of.plus(Duration::from_secs(60)), ..job.clone() };
        progress.show(&later).await.unwrap();
        assert_eq!(progress.job(&job.id).await.unwrap().unwrap().job.as_of, later.as_of);
        progress.show(&Job { revision: 2, ..later }).await.unwrap();
        assert_eq!(watch.next().await.unwrap().job.revision, 2);
    }
}
