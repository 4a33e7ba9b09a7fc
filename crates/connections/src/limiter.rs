//! The limiter of all processes, as connectors ask for it.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::http::{Bucket, Limiter};
use progress::{LocalLimits, Progress, Rate};
use tracing::warn;

/// While nobody counts for all, a process keeps to this part of what is allowed: so many others may do the
/// same.
const OTHERS: u32 = 8;

/// Counts with all other processes; by itself, and much slower, while those cannot be reached.
pub struct SharedLimiter {
    shared: Arc<dyn Progress>,
    local: LocalLimits,
}

impl SharedLimiter {
    /// A limiter that counts where the live view is.
    #[must_use]
    pub fn new(shared: Arc<dyn Progress>) -> Self {
        Self { shared, local: LocalLimits::default() }
    }
}

fn rate(bucket: &Bucket) -> Rate {
    let Bucket { every, burst, fastest, slowest, .. } = *bucket;
    Rate { every, burst, fastest, slowest }
}

fn alone(bucket: &Bucket) -> Rate {
    let Bucket { every, fastest, slowest, .. } = *bucket;
    let [every, fastest, slowest] = [every, fastest, slowest].map(|every| every * OTHERS);
    Rate { every, burst: 1, fastest, slowest }
}

#[async_trait]
impl Limiter for SharedLimiter {
    async fn acquire(&self, bucket: &Bucket) -> Duration {
        match self.shared.acquire(&bucket.key, rate(bucket)).await {
            Ok(turn) => {
                // Should they be out of reach a moment later, this goes on from there.
                self.local.adopt(&bucket.key, turn.every * OTHERS, alone(bucket));
                turn.wait
            }
            Err(error) => {
                warn!(%error, "calls are counted by this process alone, and are fewer");
                self.local.acquire(&bucket.key, alone(bucket)).wait
            }
        }
    }

    async fn pause(&self, bucket: &Bucket, pause: Duration, sent: Instant) {
        self.local.pause(&bucket.key, pause, sent, alone(bucket));
        if let Err(error) = self.shared.pause(&bucket.key, pause, sent, rate(bucket)).await {
            warn!(%error, "a pause is kept by this process alone");
        }
    }
}

#[cfg(test)]
mod tests {
    use progress::{memory::MemoryProgress, redis::RedisProgress};

    use super::*;

    const HOUR: Duration = Duration::from_secs(60 * 60);

    #[tokio::test]
    async fn all_workers_of_a_view_share_what_is_allowed() {
        let view: Arc<dyn Progress> = Arc::new(MemoryProgress::default());
        let (one, other) = (SharedLimiter::new(view.clone()), SharedLimiter::new(view));
        let bucket = Bucket::new("slack:T1:history", 2, HOUR, 2);
        assert!(one.acquire(&bucket).await.is_zero());
        assert!(other.acquire(&bucket).await.is_zero());
        assert!(!one.acquire(&bucket).await.is_zero());
    }

    #[tokio::test]
    async fn without_the_others_a_process_is_slow_and_never_unlimited() {
        let away = RedisProgress::new("redis://127.0.0.1:1", "nobody").unwrap();
        let limiter = SharedLimiter::new(Arc::new(away));
        let bucket = Bucket::new("slack:T1:history", 60, HOUR, 50);
        assert!(limiter.acquire(&bucket).await.is_zero());
        let begun = Instant::now();
        let wait = limiter.acquire(&bucket).await;
        assert!(wait + begun.elapsed() > Duration::from_secs(7 * 60), "{wait:?}");
        limiter.pause(&bucket, HOUR, Instant::now()).await;
        assert!(limiter.acquire(&bucket).await > Duration::from_secs(50 * 60));
    }
}
