//! Moving the log into the database file, beside the writer instead of in its commits.

use std::{path::PathBuf, time::Duration};

use sqlx::{Connection as _, Executor as _, SqliteConnection, sqlite::SqliteConnectOptions};
use tokio::task::JoinHandle;

/// Between two looks at the log.
const LOOK: Duration = Duration::from_millis(500);

/// A log below this size is left alone, in bytes.
const SMALL: u64 = 4 << 20;

/// Moves the log while it lives.
#[derive(Debug)]
pub(super) struct Checkpoints {
    task: JoinHandle<()>,
}

impl Checkpoints {
    pub(super) fn start(options: SqliteConnectOptions) -> Self {
        let mut log = options.get_filename().as_os_str().to_owned();
        log.push("-wal");
        Self { task: tokio::spawn(run(options, PathBuf::from(log))) }
    }
}

impl Drop for Checkpoints {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// A checkpoint that cannot be made now is made later: the writer makes one itself when the log has
/// grown far beyond what this lets it.
async fn run(options: SqliteConnectOptions, log: PathBuf) {
    let Ok(mut connection) = SqliteConnection::connect_with(&options).await else { return };
    let mut moved = None;
    loop {
        tokio::time::sleep(LOOK).await;
        let Ok(told) = std::fs::metadata(&log) else { continue };
        let state = (told.len(), told.modified().ok());
        if told.len() < SMALL || moved == Some(state) {
            continue;
        }
        if connection.execute("PRAGMA wal_checkpoint(PASSIVE)").await.is_ok() {
            moved = Some(state);
        }
    }
}
