//! Staying within what a platform allows, together with all other workers.

use std::time::Duration;

use async_trait::async_trait;

/// What a platform counts together: a name shared by all workers, and how much of it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name; holds no secret.
    pub key: String,
    /// One call this often, in the long run.
    pub every: Duration,
    /// Calls that may come at once after a rest; at least 1.
    pub burst: u32,
}

impl Bucket {
    /// A bucket of so many calls in so long a time.
    #[must_use]
    pub fn new(key: impl Into<String>, calls: u32, per: Duration, burst: u32) -> Self {
        Self { key: key.into(), every: per / calls.max(1), burst: burst.max(1) }
    }
}

/// Counts calls of all workers.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes one call from a bucket: nothing to wait for, or how long before it may be tried again (then
    /// nothing was taken).
    async fn acquire(&self, bucket: &Bucket) -> Duration;
    /// Nobody calls for so long; a shorter pause never ends a longer one, and pauses are not added up.
    async fn pause(&self, bucket: &Bucket, pause: Duration);
}

/// Allows everything: for servers that have no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl Limiter for Unlimited {
    async fn acquire(&self, _bucket: &Bucket) -> Duration {
        Duration::ZERO
    }

    async fn pause(&self, _bucket: &Bucket, _pause: Duration) {}
}
