//! How often something may be done, counted together.

mod local;

use std::time::{Duration, Instant};

use async_trait::async_trait;

pub use self::local::LocalLimits;
use crate::Result;

/// What a turn adds to a rate that is learned: it doubles with some 140 of them.
pub(crate) const FASTER: f64 = 1.005;

/// What a refusal leaves of a rate that is learned.
pub(crate) const SLOWER: f64 = 0.5;

/// So long after the last turn is it known what was learned.
pub(crate) const REMEMBERED: Duration = Duration::from_secs(24 * 60 * 60);

/// A rate: the generic cell rate algorithm's two numbers, and between what it is to be learned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Once this often, in the long run; while nothing is learned.
    pub every: Duration,
    /// So often at once after a rest; at least 1. One by one while the rate is slower than it was at first.
    pub burst: u32,
    /// As often as it may become.
    pub fastest: Duration,
    /// As seldom as it may become.
    pub slowest: Duration,
}

impl Rate {
    /// A rate about which there is nothing to learn.
    #[must_use]
    pub const fn known(every: Duration, burst: u32) -> Self {
        Self { every, burst, fastest: every, slowest: every }
    }
}

/// What asking for a turn has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Turn {
    /// Zero when it was taken; else how long before it may be tried again, and nothing was taken.
    pub wait: Duration,
    /// How often there is a turn now, by what was learned.
    pub every: Duration,
}

/// Counts what all processes do. What it counts, and what it has learned, may be forgotten at any moment.
#[async_trait]
pub trait Limits: Send + Sync + 'static {
    /// Takes one turn under a name. Each that is taken makes a learned rate a little faster.
    async fn acquire(&self, name: &str, rate: Rate) -> Result<Turn>;
    /// Nobody takes a turn for so long: so a call was answered that had been sent at that time. Of several
    /// pauses the one that ends last counts, and no burst follows it. A learned rate is halved, unless the
    /// call was sent before the last pause had ended: then it says nothing about the rate that is now.
    async fn pause(&self, name: &str, pause: Duration, sent: Instant, rate: Rate) -> Result<()>;
}
