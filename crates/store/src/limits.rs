//! What an operator may set of how jobs are kept in bounds.

use std::time::Duration;

/// Bounds of every job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// So many tasks of a job and stage are on the queue or in work; the rest wait, so that a large channel
    /// does not stand before a small one.
    pub window: u32,
    /// A job without any progress for this long fails, whatever its tasks are waiting for.
    pub standstill: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { window: 4, standstill: Duration::from_secs(24 * 60 * 60) }
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        Database,
        contract::{Schema, limits},
    };

    #[tokio::test]
    async fn limits_that_are_set_hold_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let url = |name| format!("sqlite:{}", folder.path().join(name).display());
        let store = Database::open_with(&url("window"), limits::LIMITS).await.unwrap();
        limits::a_window_that_is_set_is_kept(&store).await;
        let store = Database::open_with(&url("standstill"), limits::LIMITS).await.unwrap();
        limits::a_job_that_stands_still_for_too_long_fails(&store).await;
    }

    #[tokio::test]
    async fn limits_that_are_set_hold_on_a_server() {
        let schema = Schema::create().await;
        let store = Database::open_with(schema.url(), limits::LIMITS).await.unwrap();
        limits::a_window_that_is_set_is_kept(&store).await;
        let schema = Schema::create().await;
        let store = Database::open_with(schema.url(), limits::LIMITS).await.unwrap();
        limits::a_job_that_stands_still_for_too_long_fails(&store).await;
    }
}
