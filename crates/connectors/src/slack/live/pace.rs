//! How fast Slack lets an app read.

use std::{
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
    time::Duration,
};

use crate::{ConnectorError, http::Bucket};

/// Messages of a page that apps are given which may ask once a minute, whatever they ask for.
pub(super) const SLOW_PAGE: usize = 15;

/// A pause this long, twice, is that of an app which may ask once a minute.
const MINUTE: Duration = Duration::from_secs(60);

/// Calls that may come at once: so many at most are refused before all workers know that they must wait.
const BURST: u32 = 5;

/// What is asked for; Slack counts each by itself, for an app in a workspace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Method {
    Me,
    Channel,
    Channels,
    History,
    Replies,
    Join,
    Users,
    User,
    Bot,
    Team,
    Search,
}

impl Method {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Me => "auth.test",
            Self::Channel => "conversations.info",
            Self::Channels => "conversations.list",
            Self::History => "conversations.history",
            Self::Replies => "conversations.replies",
            Self::Join => "conversations.join",
            Self::Users => "users.list",
            Self::User => "users.info",
            Self::Bot => "bots.info",
            Self::Team => "team.info",
            Self::Search => "search.messages",
        }
    }

    /// Calls in a minute, by Slack's tiers.
    const fn per_minute(self) -> u32 {
        match self {
            Self::Channels | Self::Users | Self::Search => 20,
            Self::Channel | Self::History | Self::Replies | Self::Join | Self::Bot | Self::Team => {
                50
            }
            Self::Me | Self::User => 100,
        }
    }
}

/// Whether this app belongs to those that may ask for history and replies once a minute: apps that are
/// distributed outside Slack's marketplace. Slack does not say so; its replies show it.
#[derive(Debug, Default)]
pub(super) struct Pace {
    slow: AtomicBool,
    minutes: AtomicU32,
}

impl Pace {
    pub(super) fn is_slow(&self) -> bool {
        self.slow.load(Ordering::Relaxed)
    }

    /// Takes over what an earlier page has found out.
    pub(super) fn known(&self, slow: bool) {
        self.slow.fetch_or(slow, Ordering::Relaxed);
    }

    /// A page of messages came, of as many as were asked for or fewer.
    pub(super) fn page(&self, messages: usize, has_more: bool) {
        if messages > SLOW_PAGE {
            self.slow.store(false, Ordering::Relaxed);
            self.minutes.store(0, Ordering::Relaxed);
        } else if messages == SLOW_PAGE && has_more {
            self.slow.store(true, Ordering::Relaxed);
        }
    }

    /// Slack asked to stay away.
    pub(super) fn pause(&self, pause: Duration) {
        if pause >= MINUTE && self.minutes.fetch_add(1, Ordering::Relaxed) >= 1 {
            self.slow.store(true, Ordering::Relaxed);
        }
    }

    pub(super) fn bucket(&self, whose: &str, method: Method) -> Bucket {
        let key = format!("slack:{whose}:{}", method.name());
        let is_reading = matches!(method, Method::History | Method::Replies);
        let (calls, burst) = match method.per_minute() {
            _ if is_reading && self.is_slow() => (1, 1),
            calls => (calls, BURST),
        };
        Bucket::new(key, calls, MINUTE, burst)
    }

    /// The same failure, explained where the app's class is the reason.
    pub(super) fn explained(&self, error: ConnectorError, left: Option<u64>) -> ConnectorError {
        match error {
            ConnectorError::RateLimit { retry_after } if self.is_slow() => {
                ConnectorError::Metered { retry_after, explanation: explanation(left) }
            }
            error => error,
        }
    }
}

fn explanation(left: Option<u64>) -> String {
    let eta = left.map_or_else(String::new, |left| {
        let minutes = left.div_ceil(SLOW_PAGE as u64).max(1);
        let time = match minutes {
            0..120 => format!("{minutes} minutes"),
            120..2_880 => format!("{} hours", minutes.div_ceil(60)),
            _ => format!("{} days", minutes.div_ceil(60 * 24)),
        };
        format!(" What is left of this channel takes about {time}, and its threads come on top.")
    });
    format!(
        "Slack gives this app one page of 15 messages a minute, as it does to apps that are distributed \
         outside its Marketplace.{eta} Create the app in your own workspace instead, or import the \
         workspace's export for what is old"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_silently_cut_to_fifteen_is_the_one_a_minute_class() {
        let pace = Pace::default();
        pace.page(15, false);
        assert!(!pace.is_slow(), "a channel may well have fifteen messages");
        pace.page(15, true);
        assert!(pace.is_slow());
        let bucket = pace.bucket("T1:B1", Method::History);
        assert_eq!((bucket.every, bucket.burst), (MINUTE, 1));
        assert_eq!(pace.bucket("T1:B1", Method::User).every, Duration::from_millis(600));
        pace.page(16, true);
        assert!(!pace.is_slow());
    }

    #[test]
    fn two_pauses_of_a_minute_are_the_one_a_minute_class() {
        let pace = Pace::default();
        pace.pause(Duration::from_secs(30));
        pace.pause(MINUTE);
        assert!(!pace.is_slow());
        pace.pause(MINUTE);
        assert!(pace.is_slow());
    }

    #[test]
    fn people_are_told_how_long_it_takes() {
        let pace = Pace::default();
        let limit = ConnectorError::RateLimit { retry_after: MINUTE };
        assert_eq!(pace.explained(limit.clone(), Some(20_000)), limit);
        pace.known(true);
        let told = |left| pace.explained(limit.clone(), left).to_string();
        assert!(told(Some(20_000)).contains("about 23 hours"), "{}", told(Some(20_000)));
        assert!(told(Some(1_000_000)).contains("about 47 days"));
        assert!(told(Some(0)).contains("about 1 minutes"));
        assert!(!told(None).contains("about"));
    }
}
