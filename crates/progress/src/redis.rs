//! The Redis adapter: a view that all processes share, for a few seconds at a time.
//!
//! Nothing here is the truth. A view replaces only an older revision, by a script that runs as a whole;
//! one that nobody renews is gone after a while and is then read from the database. With Redis away every
//! call fails within a second, and status is answered from the database.

mod hub;
mod limits;
mod signals;

use std::{
    collections::HashMap,
    sync::{Arc, LazyLock, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use domain::{ChannelId, Job, JobId};
use redis::{
    AsyncCommands as _, Client, IntoConnectionInfo as _, Script,
    aio::{ConnectionManager, ConnectionManagerConfig},
    io::tcp::TcpSettings,
};

use self::{hub::Hub, signals::Signals};
use crate::{Cancels, Progress, ProgressError, Result, View, Watch};

/// How long a view is shown without a new one: then it is read from the database again.
const SHOWN_FOR: Duration = Duration::from_secs(5);

/// A server that takes longer to answer counts as away.
const WITHIN: Duration = Duration::from_secs(1);

/// Views whose bodies are kept in this process.
const KEPT: usize = 1_000;

/// Shows a view unless a newer revision is shown, tells who watches, and moves the channel's newest job.
static SHOW: LazyLock<Script> = LazyLock::new(|| {
    Script::new(
        "local shown = tonumber(redis.call('HGET', KEYS[1], 'revision') or '-1')
         local revision = tonumber(ARGV[1])
         if revision < shown then return 0 end
         redis.call('HSET', KEYS[1], 'revision', ARGV[1], 'job', ARGV[2])
         redis.call('PEXPIRE', KEYS[1], ARGV[3])
         local newest = tonumber(redis.call('HGET', KEYS[2], 'started_at') or '-1')
         if tonumber(ARGV[4]) >= newest then
             redis.call('HSET', KEYS[2], 'started_at', ARGV[4], 'job_id', ARGV[5])
             redis.call('PEXPIRE', KEYS[2], ARGV[3])
         end
         if revision > shown then redis.call('PUBLISH', ARGV[6], ARGV[2]) end
         return 1",
    )
});

/// A live view on a Redis server. Cheap to clone.
#[derive(Clone)]
pub struct RedisProgress {
    inner: Arc<Inner>,
}

struct Inner {
    prefix: String,
    client: Client,
    commands: ConnectionManager,
    hub: Hub,
    /// The views told last, so that a poll of an unchanged job costs no new body.
    told: Mutex<HashMap<JobId, View>>,
}

impl RedisProgress {
    /// A view on the server of a `redis://` URL, whose keys begin with `prefix`. Does not connect yet.
    pub fn new(url: &str, prefix: &str) -> Result<Self> {
        let server = url.into_connection_info().map_err(unavailable)?;
        // A command that follows another one waits for no answer of the kernel on the other side.
        let server = server.set_tcp_settings(TcpSettings::default().set_nodelay(true));
        let client = Client::open(server).map_err(unavailable)?;
        let config = ConnectionManagerConfig::new()
            .set_connection_timeout(Some(WITHIN))
            .set_response_timeout(Some(WITHIN))
            .set_number_of_retries(1)
            .set_max_delay(WITHIN);
        let commands =
            ConnectionManager::new_lazy_with_config(client.clone(), config).map_err(unavailable)?;
        let inner = Inner {
            prefix: prefix.to_owned(),
            hub: Hub::new(client.clone(), format!("{prefix}:views")),
            client,
            commands,
            told: Mutex::default(),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    fn job_key(&self, id: &JobId) -> String {
        format!("{}:job:{id}", self.inner.prefix)
    }

    fn channel_key(&self, channel: &ChannelId) -> String {
        format!("{}:channel:{channel}", self.inner.prefix)
    }

    /// The same view as before while neither revision nor time have changed.
    fn view(&self, job: Job) -> View {
        let mut told = self.inner.told.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(view) = told.get(&job.id).filter(|view| *view.job == job) {
            return view.clone();
        }
        if told.len() >= KEPT {
            told.clear();
        }
        let view = View::new(job);
        told.insert(view.job.id.clone(), view.clone());
        view
    }
}

#[async_trait]
impl Progress for RedisProgress {
    async fn show(&self, job: &Job) -> Result<()> {
        let text =
            serde_json::to_string(job).map_err(|error| ProgressError::Unavailable(error.into()))?;
        let mut commands = self.inner.commands.clone();
        let shown: redis::RedisResult<i64> = SHOW
            .key(self.job_key(&job.id))
            .key(self.channel_key(&job.channel_id))
            .arg(job.revision)
            .arg(text)
            .arg(SHOWN_FOR.as_millis().to_string())
            .arg(job.started_at.micros())
            .arg(job.id.as_str())
            .arg(self.inner.hub.channel())
            .invoke_async(&mut commands)
            .await;
        shown.map(drop).map_err(unavailable)
    }

    async fn job(&self, id: &JobId) -> Result<Option<View>> {
        let mut commands = self.inner.commands.clone();
        let text: Option<String> =
            commands.hget(self.job_key(id), "job").await.map_err(unavailable)?;
        // What another release wrote and this one cannot read is as good as not shown.
        Ok(text.and_then(|text| serde_json::from_str(&text).ok()).map(|job| self.view(job)))
    }

    async fn newest(&self, channel: &ChannelId) -> Result<Option<View>> {
        let mut commands = self.inner.commands.clone();
        let id: Option<String> =
            commands.hget(self.channel_key(channel), "job_id").await.map_err(unavailable)?;
        match id.and_then(|id| id.parse().ok()) {
            Some(id) => self.job(&id).await,
            None => Ok(None),
        }
    }

    async fn watch(&self, job: &Job) -> Result<Box<dyn Watch>> {
        let views = self.inner.hub.watch(&job.id);
        self.show(job).await?;
        Ok(Box::new(hub::Views::new(self.clone(), views, job.clone())))
    }

    async fn cancel(&self, id: &JobId) -> Result<()> {
        let mut commands = self.inner.commands.clone();
        let channel = format!("{}:cancels", self.inner.prefix);
        let heard: redis::RedisResult<i64> = commands.publish(channel, id.as_str()).await;
        heard.map(drop).map_err(unavailable)
    }

    async fn cancels(&self) -> Result<Box<dyn Cancels>> {
        let channel = format!("{}:cancels", self.inner.prefix);
        let signals = Signals::subscribe(&self.inner.client, &channel).await?;
        Ok(Box::new(signals))
    }

    async fn ping(&self) -> Result<()> {
        let mut commands = self.inner.commands.clone();
        let answer: redis::RedisResult<String> = commands.ping().await;
        answer.map(drop).map_err(unavailable)
    }
}

fn unavailable(error: redis::RedisError) -> ProgressError {
    ProgressError::Unavailable(Box::new(error))
}

#[cfg(test)]
mod tests {
    use super::*;

    pub(super) fn fresh() -> RedisProgress {
        let url = std::env::var("ATLAS_TEST_PROGRESS_URL").unwrap_or_else(|_| {
            panic!("ATLAS_TEST_PROGRESS_URL must name a Redis: run scripts/test, which starts one")
        });
        RedisProgress::new(&url, &format!("atlas-test-{}", JobId::random())).unwrap()
    }

    crate::contract!(fresh());

    #[tokio::test]
    async fn a_watcher_whose_signal_was_lost_finds_the_last_state_by_itself() {
        let progress = fresh();
        let mut job = crate::contract::job("C1", 1);
        let mut watch = progress.watch(&job).await.unwrap();
        watch.next().await.unwrap();
        job.revision = 2;
        let mut commands = progress.inner.commands.clone();
        let text = serde_json::to_string(&job).unwrap();
        let key = progress.job_key(&job.id);
        let _: () = commands.hset(key, "job", text).await.unwrap();
        assert_eq!(watch.next().await.unwrap().job.revision, 2);
    }

    #[tokio::test]
    async fn a_server_that_is_away_is_told_as_such_and_soon() {
        let progress = RedisProgress::new("redis://127.0.0.1:1", "nobody").unwrap();
        let begun = std::time::Instant::now();
        assert!(matches!(progress.ping().await, Err(ProgressError::Unavailable(_))));
        assert!(progress.cancels().await.is_err());
        assert!(begun.elapsed() < Duration::from_secs(10));
    }
}
