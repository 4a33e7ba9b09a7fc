//! Where a walk stands, between its pages and between walks.

use domain::Timestamp;
use serde::{Deserialize, Serialize};

use super::{
    api::PAGE,
    raw::{RawChannel, RawMessage},
    snowflake,
};
use crate::{ConnectorError, Next, Stream, Window, mark};

/// How far back an increment compares, in milliseconds.
pub(super) const LOOKBACK: i64 = 24 * 60 * 60 * 1_000;

/// How long before a walk began a message must have been sent to count as deleted when it is not seen.
const MARGIN: i64 = 10_000;

/// When the last whole walk began, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) began: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    pub(super) guild: String,
    /// A forum has threads only.
    pub(super) is_forum: bool,
    pub(super) began: i64,
    /// When the walk before began; a walk without goes through everything.
    pub(super) since: Option<i64>,
    pub(super) step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Step {
    Top { before: Option<u64> },
    Active,
    Archived { before: Option<String> },
    Private { before: Option<u64> },
    Unlisted { after: Option<String> },
    Threads,
    Thread { id: u64, before: Option<u64> },
    Sweep,
}

pub(super) fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis.saturating_mul(1_000))
}

/// How far a page of messages reaches.
#[derive(Clone, Copy)]
pub(super) struct Extent {
    /// Its earliest message; `None` on an empty page.
    pub(super) earliest: Option<u64>,
    /// Nothing comes before. Discord fills its pages, all but the last one.
    pub(super) is_last: bool,
}

impl Extent {
    pub(super) fn of(raw: &[RawMessage]) -> Self {
        let earliest = raw.iter().filter_map(|message| snowflake::read(&message.id)).min();
        Self { earliest, is_last: raw.len() < PAGE || earliest.is_none() }
    }

    /// What the page behind this one comes before, in a walk that goes down to a message.
    pub(super) fn behind(self, down_to: u64) -> Option<u64> {
        self.earliest.filter(|earliest| !self.is_last && *earliest > down_to)
    }

    /// The first moment of which this page and those after it show everything.
    pub(super) fn seen_from(self) -> i64 {
        match self.earliest {
            Some(earliest) if !self.is_last => snowflake::millis(earliest) + 1,
            _ => 0,
        }
    }
}

impl Walk {
    /// A walk that begins now, by Discord's clock.
    pub(super) fn begin(channel: &RawChannel, since: Option<i64>, now: i64) -> Self {
        let is_forum = matches!(channel.r#type, 15 | 16);
        let step = if is_forum { Step::Active } else { Step::Top { before: None } };
        Self { guild: channel.guild_id.clone(), is_forum, began: now, since, step }
    }

    pub(super) fn then(&self, step: Step) -> Result<Next, ConnectorError> {
        Ok(Next::Cursor(mark::written(&Self { step, ..self.clone() })?))
    }

    pub(super) fn end(&self) -> Result<Next, ConnectorError> {
        Ok(Next::End(Some(mark::written(&Watermark { began: self.began })?)))
    }

    /// The id down to which an increment compares.
    pub(super) fn bound(&self) -> u64 {
        self.since.map_or(0, |since| snowflake::first_of(since - LOOKBACK))
    }

    pub(super) fn window(&self, of: Stream, from: i64, to: i64) -> Vec<Window> {
        let to = to.min(self.began - MARGIN);
        let window = Window { of, from: at(from), to: at(to) };
        if from <= to { vec![window] } else { Vec::new() }
    }
}
