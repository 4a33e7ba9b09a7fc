//! Staying within what a platform allows, together with all other workers.

use std::time::{Duration, Instant};

use async_trait::async_trait;

/// What a platform counts together: a name shared by all workers, and how much of it is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bucket {
    /// Its name; holds no secret.
    pub key: String,
    /// One call this often, in the long run; where the platform does not say it, at first.
    pub every: Duration,
    /// Calls that may come at once after a rest; at least 1.
    pub burst: u32,
    /// One call this often at most, whatever is learned.
    pub fastest: Duration,
    /// One call this often at least.
    pub slowest: Duration,
}

/// No server is believed to allow less.
const SLOWEST: Duration = Duration::from_secs(10);

impl Bucket {
    /// A bucket of so many calls in so long a time.
    #[must_use]
    pub fn new(key: impl Into<String>, calls: u32, per: Duration, burst: u32) -> Self {
        let every = per / calls.max(1);
        Self { key: key.into(), every, burst: burst.max(1), fastest: every, slowest: every }
    }

    /// A bucket of a server that does not say what it allows: the rate begins with so many calls in a second,
    /// is halved for all workers when the server refuses, and slowly won back, up to the most.
    #[must_use]
    pub fn learned(key: impl Into<String>, begin: u32, most: u32, burst: u32) -> Self {
        let second = Duration::from_secs(1);
        let fastest = second / most.max(begin).max(1);
        Self { fastest, slowest: SLOWEST, ..Self::new(key, begin, second, burst) }
    }
}

/// Counts calls of all workers.
#[async_trait]
pub trait Limiter: Send + Sync + 'static {
    /// Takes one call from a bucket: nothing to wait for, or how long before it may be tried again (then
    /// nothing was taken).
    async fn acquire(&self, bucket: &Bucket) -> Duration;
    /// Nobody calls for so long, as the answer to a call that was sent then asks. A shorter pause never ends
    /// a longer one, and pauses are not added up. What was learned of the bucket's rate is halved, once for
    /// all calls that were sent before the pause.
    async fn pause(&self, bucket: &Bucket, pause: Duration, sent: Instant);
}

/// Allows everything: for servers that have no limit.
#[derive(Debug, Clone, Copy, Default)]
pub struct Unlimited;

#[async_trait]
impl Limiter for Unlimited {
    async fn acquire(&self, _bucket: &Bucket) -> Duration {
        Duration::ZERO
    }

    async fn pause(&self, _bucket: &Bucket, _pause: Duration, _sent: Instant) {}
}
