//! Views as they come, for all watchers of a process on one connection.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::{Job, JobId};
use redis::Client;
use tokio::{sync::watch, task::AbortHandle};

use super::{RedisProgress, WITHIN, signals::Signals};
use crate::{Progress as _, Result, View, Watch};

/// A watcher that hears nothing looks by itself, should a signal be lost.
const LOOK: Duration = Duration::from_secs(1);

type Watchers = Mutex<HashMap<JobId, watch::Sender<Option<Job>>>>;

/// Hands what is published to who watches it. Listens from the first watcher on.
pub(super) struct Hub {
    client: Client,
    channel: String,
    watchers: Arc<Watchers>,
    listening: Mutex<Option<AbortHandle>>,
}

impl Hub {
    pub(super) fn new(client: Client, channel: String) -> Self {
        Self { client, channel, watchers: Arc::default(), listening: Mutex::default() }
    }

    pub(super) fn channel(&self) -> &str {
        &self.channel
    }

    pub(super) fn watch(&self, id: &JobId) -> watch::Receiver<Option<Job>> {
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.as_ref().is_none_or(AbortHandle::is_finished) {
            let (client, channel) = (self.client.clone(), self.channel.clone());
            let task = tokio::spawn(listen(client, channel, self.watchers.clone()));
            *listening = Some(task.abort_handle());
        }
        let mut watchers = lock(&self.watchers);
        watchers.retain(|_, sender| sender.receiver_count() > 0);
        watchers.entry(id.clone()).or_insert_with(|| watch::Sender::new(None)).subscribe()
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        if let Some(task) = self.listening.lock().unwrap_or_else(PoisonError::into_inner).take() {
            task.abort();
        }
    }
}

fn lock(watchers: &Watchers) -> MutexGuard<'_, HashMap<JobId, watch::Sender<Option<Job>>>> {
    watchers.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Listens, again and again: what is missed meanwhile watchers find by themselves.
async fn listen(client: Client, channel: String, watchers: Arc<Watchers>) {
    loop {
        if let Ok(mut signals) = Signals::subscribe(&client, &channel).await {
            while let Ok(text) = signals.text().await {
                let Ok(job) = serde_json::from_str::<Job>(&text) else { continue };
                if let Some(sender) = lock(&watchers).get(&job.id) {
                    sender.send_replace(Some(job));
                }
            }
        }
        tokio::time::sleep(WITHIN).await;
    }
}

/// The views of one job.
pub(super) struct Views {
    progress: RedisProgress,
    signals: watch::Receiver<Option<Job>>,
    first: Option<Job>,
    last: (JobId, i64),
}

impl Views {
    /// Begins with the given view.
    pub(super) fn new(
        progress: RedisProgress,
        signals: watch::Receiver<Option<Job>>,
        job: Job,
    ) -> Self {
        let last = (job.id.clone(), job.revision);
        Self { progress, signals, first: Some(job), last }
    }
}

#[async_trait]
impl Watch for Views {
    async fn next(&mut self) -> Result<View> {
        if let Some(first) = self.first.take() {
            return Ok(View::new(first));
        }
        loop {
            let heard = match tokio::time::timeout(LOOK, self.signals.changed()).await {
                Ok(Ok(())) => self.signals.borrow_and_update().clone().map(View::new),
                _ => self.progress.job(&self.last.0).await?,
            };
            if let Some(view) = heard.filter(|view| view.job.revision > self.last.1) {
                self.last.1 = view.job.revision;
                return Ok(view);
            }
        }
    }
}
