//! Where a walk stands, between its pages and between walks.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{api::Home, ts, visit::Visit};
use crate::{ConnectorError, Mark, Next, Stream, Window, mark};

const SECOND: i64 = 1_000_000;

pub(super) const HOUR: i64 = 60 * 60 * SECOND;

pub(super) const DAY: i64 = 24 * HOUR;

/// How far back an increment compares.
const RELIST: i64 = 14 * DAY;

/// The same for an app that may ask once a minute.
const RELIST_SLOWLY: i64 = DAY;

/// How far before the last walk an increment begins at least.
const OVERLAP: i64 = 10 * 60 * SECOND;

/// How long before a walk began a message must have been sent to count as deleted when it is not seen.
const MARGIN: i64 = 10 * SECOND;

/// When the last whole walk began, by Slack's clock, in microseconds.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) began: i64,
    pub(super) home: Home,
    #[serde(default)]
    pub(super) slow: bool,
}

impl Watermark {
    /// A mark that is not ours is that of an import: everything is walked.
    pub(super) fn read(mark: &str) -> Option<Self> {
        serde_json::from_str(mark).ok()
    }
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    pub(super) home: Home,
    /// The app may ask once a minute.
    pub(super) slow: bool,
    /// Ends the window, which is fixed.
    pub(super) began: i64,
    /// When the walk before began; a walk without goes through everything.
    pub(super) since: Option<i64>,
    /// Begins the window.
    pub(super) from: i64,
    /// When the channel was made; 0 when Slack does not say.
    pub(super) created: i64,
    /// How many messages the walk has seen, and is expected to.
    pub(super) seen: u64,
    pub(super) estimate: Option<u64>,
    /// How many there are with their replies, where Slack counts them.
    #[serde(default)]
    pub(super) counted: Option<u64>,
    /// How often Slack has refused a cursor.
    pub(super) restarts: u8,
    pub(super) step: Step,
}

/// What the next page reads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    /// The window.
    Top { cursor: Option<String>, seen: Option<Extent>, limited: bool },
    /// One older slice, so far.
    Sweep { cursor: Option<String> },
    /// Threads that are to be visited, after this one; how many have failed in a row.
    Threads { after: Option<String>, failures: u8 },
    /// More of a thread.
    Thread { visit: Visit },
}

/// The stretch of time that pages have shown so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Extent {
    pub(super) first: i64,
    pub(super) last: i64,
}

impl Extent {
    pub(super) fn with(self, other: Self) -> Self {
        Self { first: self.first.min(other.first), last: self.last.max(other.last) }
    }
}

impl Walk {
    pub(super) fn begin(before: Option<Watermark>, home: Home, began: i64, slow: bool) -> Self {
        let since = before.map(|before| before.began);
        let relist = if slow { RELIST_SLOWLY } else { RELIST };
        let from = since.map_or(0, |since| (since - OVERLAP).min(began - relist).max(0));
        let step = Step::Top { cursor: None, seen: None, limited: false };
        let (created, seen, estimate, counted, restarts) = (0, 0, None, None, 0);
        Self { home, slow, began, since, from, created, seen, estimate, counted, restarts, step }
    }

    /// Down to where threads are read again for replies that were edited or deleted.
    pub(super) fn recent(&self) -> i64 {
        self.began - RELIST
    }

    pub(super) fn then(&self, step: Step) -> Result<Next, ConnectorError> {
        Ok(Next::Cursor(mark::written(&Self { step, ..self.clone() })?))
    }

    pub(super) fn end(&self) -> Result<Next, ConnectorError> {
        let Self { began, home, slow, .. } = self.clone();
        Ok(Next::End(Some(mark::written(&Watermark { began, home, slow })?)))
    }

    /// A step again from its beginning, because Slack has forgotten its cursor.
    pub(super) fn again(&self, step: Step) -> Result<Next, ConnectorError> {
        if self.restarts >= 3 {
            return Err(super::dialect::Refusal::StaleCursor.error());
        }
        Self { restarts: self.restarts + 1, ..self.clone() }.then(step)
    }

    /// Whether this walk deletes what was sent then and is not seen.
    pub(super) fn compares(&self, at: i64) -> bool {
        at <= self.began - MARGIN
    }

    pub(super) fn window(&self, of: Stream, from: i64, to: i64) -> Option<Window> {
        let to = to.min(self.began - MARGIN);
        let at = Timestamp::from_micros;
        (from <= to).then(|| Window { of, from: at(from), to: at(to) })
    }

    /// How many messages there may be. A search that counts fewer than were seen is not up to date.
    pub(super) fn expected(&self) -> Option<u64> {
        self.counted.filter(|counted| *counted >= self.seen).or(self.estimate)
    }

    /// How many messages are left, by the estimate.
    pub(super) fn left(&self) -> Option<u64> {
        self.estimate.map(|estimate| estimate.saturating_sub(self.seen))
    }
}

/// `name` followed by the time of a thread's first message.
pub(super) fn stream(name: &str, root: i64) -> String {
    format!("{name}{}", ts::written(root))
}

pub(super) fn moved(stream: impl Into<String>, mark: Option<String>) -> Mark {
    Mark { stream: stream.into(), mark }
}
