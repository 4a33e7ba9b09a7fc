//! The adapters that the URLs name.

use std::sync::Arc;

use progress::memory::MemoryProgress;
use queue::memory::MemoryQueue;
use store::{Database, StoreError};
use worker::Ports;

use crate::Config;

/// Calls that may wait in a stage's queue; what does not fit the sweep calls for later.
const CALLS: usize = 10_000;

/// Opened adapters.
pub struct Adapters {
    /// The database, to be closed at the end.
    pub database: Arc<Database>,
    /// All of them as ports.
    pub ports: Ports,
}

impl Adapters {
    /// Opens what the configuration names and takes back what a process that is gone was working on: an
    /// embedded database has one owner, so whatever is claimed was claimed by a former one.
    pub async fn open(config: &Config) -> Result<Self, StoreError> {
        let database = Arc::new(Database::open(&config.database_url).await?);
        let ports = Ports {
            store: database.clone(),
            queue: Arc::new(MemoryQueue::new(CALLS)),
            progress: Arc::new(MemoryProgress::default()),
        };
        let swept = ports.store.take_back_all().await?;
        if swept.expired > 0 {
            tracing::info!(tasks = swept.expired, "taken back from a process that is gone");
        }
        Ok(Self { database, ports })
    }
}
