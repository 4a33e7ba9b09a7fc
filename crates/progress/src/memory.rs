//! The live view inside the process.

mod signals;
mod state;

use std::{
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
    time::Duration,
};

use async_trait::async_trait;
use domain::{ChannelId, Job, JobId};
use tokio::{sync::broadcast, time::Instant};

use crate::{Cancels, Progress, Result, View, Watch};
use signals::{MemoryCancels, MemoryWatch};
use state::State;

/// How long a view is believed.
const TTL: Duration = Duration::from_secs(5);
/// How many jobs are remembered.
const CAPACITY: usize = 4096;
/// How many cancels a reader may lie behind.
const CANCELS: usize = 1024;

/// The live view of jobs, in memory.
///
/// Reads take a lock that only writers hold alone, copy a pointer and never wait for anything else.
#[derive(Debug)]
pub struct MemoryProgress {
    shared: Arc<Shared>,
    cancels: broadcast::Sender<JobId>,
    ttl: Duration,
}

/// What the view and those who watch it share.
#[derive(Debug)]
struct Shared(RwLock<State>);

impl Shared {
    // A panic while the lock is held can at worst leave a view out, which is allowed at any time.
    fn read(&self) -> RwLockReadGuard<'_, State> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, State> {
        self.0.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl MemoryProgress {
    /// An empty view whose entries are believed for `ttl` and of at most `capacity` jobs.
    #[must_use]
    pub fn new(ttl: Duration, capacity: usize) -> Self {
        Self {
            shared: Arc::new(Shared(RwLock::new(State::new(capacity)))),
            cancels: broadcast::Sender::new(CANCELS),
            ttl,
        }
    }
}

impl Default for MemoryProgress {
    fn default() -> Self {
        Self::new(TTL, CAPACITY)
    }
}

#[async_trait]
impl Progress for MemoryProgress {
    async fn show(&self, job: &Job) -> Result<()> {
        // Copied before the lock is taken, to hold up no reader.
        let view = View::new(job.clone());
        self.shared.write().show(view, Instant::now() + self.ttl);
        Ok(())
    }

    async fn job(&self, id: &JobId) -> Result<Option<View>> {
        Ok(self.shared.read().view(id, Instant::now()))
    }

    async fn newest(&self, channel: &ChannelId) -> Result<Option<View>> {
        Ok(self.shared.read().newest(channel, Instant::now()))
    }

    async fn watch(&self, id: &JobId) -> Result<Box<dyn Watch>> {
        Ok(Box::new(MemoryWatch::new(&self.shared, id)))
    }

    async fn cancel(&self, id: &JobId) -> Result<()> {
        // It fails when nobody listens, and then nobody has to know.
        let _ = self.cancels.send(id.clone());
        Ok(())
    }

    async fn cancels(&self) -> Result<Box<dyn Cancels>> {
        Ok(Box::new(MemoryCancels(self.cancels.subscribe())))
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::contract::{channel, job_of};

    crate::contract!(Arc::new(MemoryProgress::default()));

    #[tokio::test(start_paused = true)]
    async fn a_view_is_believed_for_its_time_and_no_longer() {
        let progress = MemoryProgress::new(Duration::from_secs(5), 10);
        let job = job_of(&channel("C1"), 1);
        progress.show(&job).await.unwrap();
        tokio::time::advance(Duration::from_millis(4_900)).await;
        assert!(progress.job(&job.id).await.unwrap().is_some());
        assert!(progress.newest(&job.channel_id).await.unwrap().is_some());
        tokio::time::advance(Duration::from_millis(200)).await;
        assert!(progress.job(&job.id).await.unwrap().is_none());
        assert!(progress.newest(&job.channel_id).await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn reading_the_same_state_afresh_shows_it_for_longer() {
        let progress = MemoryProgress::new(Duration::from_secs(5), 10);
        let job = job_of(&channel("C1"), 1);
        progress.show(&job).await.unwrap();
        tokio::time::advance(Duration::from_secs(4)).await;
        progress.show(&job).await.unwrap();
        tokio::time::advance(Duration::from_secs(4)).await;
        assert!(progress.job(&job.id).await.unwrap().is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_view_that_ran_out_still_keeps_an_older_revision_away() {
        let progress = MemoryProgress::new(Duration::from_secs(5), 10);
        let mut job = job_of(&channel("C1"), 9);
        progress.show(&job).await.unwrap();
        tokio::time::advance(Duration::from_secs(6)).await;
        job.revision = 8;
        progress.show(&job).await.unwrap();
        assert!(progress.job(&job.id).await.unwrap().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn an_older_job_does_not_stand_in_for_a_newest_that_ran_out() {
        let progress = MemoryProgress::new(Duration::from_secs(5), 10);
        let old = job_of(&channel("C1"), 1);
        let new = job_of(&channel("C1"), 1);
        progress.show(&new).await.unwrap();
        tokio::time::advance(Duration::from_secs(6)).await;
        progress.show(&old).await.unwrap();
        assert!(progress.job(&old.id).await.unwrap().is_some());
        assert!(progress.newest(&old.channel_id).await.unwrap().is_none());
    }

    #[tokio::test]
    async fn only_so_many_jobs_are_remembered() {
        let progress = MemoryProgress::new(Duration::from_secs(5), 2);
        let jobs: Vec<_> = ["C1", "C2", "C3"].iter().map(|c| job_of(&channel(c), 1)).collect();
        for job in &jobs {
            progress.show(job).await.unwrap();
        }
        assert!(progress.job(&jobs[0].id).await.unwrap().is_none());
        assert!(progress.newest(&jobs[0].channel_id).await.unwrap().is_none());
        assert!(progress.newest(&jobs[2].channel_id).await.unwrap().is_some());
    }

    #[tokio::test]
    async fn a_watched_job_is_heard_of_even_when_its_view_had_to_go() {
        let progress = MemoryProgress::new(Duration::from_secs(5), 1);
        let mut job = job_of(&channel("C1"), 1);
        progress.show(&job).await.unwrap();
        let mut watch = progress.watch(&job.id).await.unwrap();
        progress.show(&job_of(&channel("C2"), 1)).await.unwrap();
        job.revision = 2;
        progress.show(&job).await.unwrap();
        assert_eq!(watch.next().await.unwrap().job.revision, 2);
    }

    #[tokio::test]
    async fn a_watch_that_ends_leaves_nothing_behind() {
        let progress = MemoryProgress::default();
        let job = job_of(&channel("C1"), 1);
        let one = progress.watch(&job.id).await.unwrap();
        let two = progress.watch(&job.id).await.unwrap();
        drop(one);
        assert_eq!(progress.shared.read().watched(), 1);
        drop(two);
        assert_eq!(progress.shared.read().watched(), 0);
    }

    #[tokio::test]
    async fn all_who_read_a_view_share_its_body() {
        let progress = MemoryProgress::default();
        let job = job_of(&channel("C1"), 1);
        progress.show(&job).await.unwrap();
        let first = progress.job(&job.id).await.unwrap().unwrap();
        let second = progress.newest(&job.channel_id).await.unwrap().unwrap();
        assert_eq!(first.body(|_| "made once".into()), "made once");
        assert_eq!(second.body(|_| "made twice".into()), "made once");
    }

    #[tokio::test]
    async fn a_reader_of_cancels_that_falls_behind_goes_on_with_what_is_left() {
        let progress = MemoryProgress::default();
        let mut cancels = progress.cancels().await.unwrap();
        let ids: Vec<JobId> = (0..CANCELS * 2).map(|_| JobId::random()).collect();
        for id in &ids {
            progress.cancel(id).await.unwrap();
        }
        assert_eq!(cancels.next().await.unwrap(), ids[CANCELS]);
    }
}
