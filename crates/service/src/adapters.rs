//! The adapters that the URLs name.

use std::{sync::Arc, time::Duration};

use progress::{Progress, memory::MemoryProgress, redis::RedisProgress};
use queue::{Queue, memory::MemoryQueue, rabbitmq::RabbitQueue};
use store::{Database, StoreError};
use tracing::{info, warn};
use worker::Ports;

use crate::{Config, StartError};

/// Calls that may wait in a stage's queue; what does not fit the sweep calls for later.
const CALLS: usize = 10_000;

/// How often a database that is away at the start is looked for, a second apart.
const LOOKS: u32 = 120;

/// Opened adapters.
pub struct Adapters {
    /// All of them as ports.
    pub ports: Ports,
    database: Arc<Database>,
    broker: Option<RabbitQueue>,
}

impl Adapters {
    /// Opens what the configuration names. Of a database that only this process uses it takes back what a
    /// process that is gone was working on: whatever is claimed was claimed by a former owner.
    pub async fn open(config: &Config) -> Result<Self, StartError> {
        let database = Arc::new(open_database(config).await?);
        let broker = (!config.queue_url.starts_with("memory:"))
            .then(|| RabbitQueue::new(&config.queue_url, &config.prefix));
        let queue: Arc<dyn Queue> = match &broker {
            Some(broker) => Arc::new(broker.clone()),
            None => Arc::new(MemoryQueue::new(CALLS)),
        };
        let progress: Arc<dyn Progress> = match config.progress_url.starts_with("memory:") {
            true => Arc::new(MemoryProgress::default()),
            false => {
                let shown = RedisProgress::new(&config.progress_url, &config.prefix);
                Arc::new(shown.map_err(StartError::role)?)
            }
        };
        let ports = Ports { store: database.clone(), queue, progress };
        if database.is_own() {
            let swept = ports.store.take_back_all().await?;
            if swept.expired > 0 {
                info!(tasks = swept.expired, "taken back from a process that is gone");
            }
        }
        Ok(Self { ports, database, broker })
    }

    /// Whether this process is the only one to use the database.
    #[must_use]
    pub fn owns_database(&self) -> bool {
        self.database.is_own()
    }

    /// Lets go of all of them.
    pub async fn close(&self) {
        if let Some(broker) = &self.broker {
            broker.close().await;
        }
        self.database.close().await;
    }
}

/// A server may start after those who need it.
async fn open_database(config: &Config) -> Result<Database, StoreError> {
    for _ in 0..LOOKS {
        match Database::open_with(&config.database_url, config.limits).await {
            Err(StoreError::Unavailable(cause)) if !config.database_url.starts_with("sqlite:") => {
                warn!(%cause, address = %config.database_url, "the database does not answer yet");
                tokio::time::sleep(Duration::from_secs(1)).await;
            }
            outcome => return outcome,
        }
    }
    Database::open_with(&config.database_url, config.limits).await
}
