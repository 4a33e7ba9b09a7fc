//! Where a walk stands: what is kept between pages, and between walks.

use serde::{Deserialize, Serialize};

/// Times that a walk through history begins again when its token is no longer good.
pub(super) const MAX_RESTARTS: u32 = 3;

/// Most messages that are expected of a room.
const MOST: f64 = 1e9;

/// Where the last whole walk ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    /// The server's token: everything up to it is known.
    pub(super) since: String,
    /// When it was given, in milliseconds of the server's clock.
    pub(super) at: i64,
}

/// A walk, at the place where its next page begins.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum Walk {
    /// Through all history, back from the time of the mark that it ends with.
    Back {
        /// The mark.
        next: Watermark,
        /// The next page's token.
        from: String,
        /// How often it began again.
        restarts: u32,
        /// What was seen.
        count: Count,
    },
    /// Through what did not fit into an answer about what is new.
    Gap {
        /// The mark it ends with.
        next: Watermark,
        /// The next page's token.
        from: String,
    },
}

/// What a walk back has seen; servers count nothing.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Count {
    /// The time of the earliest event, where the server tells.
    pub(super) earliest: Option<i64>,
    /// How far back it came.
    pub(super) reached: Option<i64>,
    /// Messages so far.
    pub(super) messages: u64,
}

impl Count {
    /// With the times of a page's events and how many messages came of them.
    pub(super) fn and(self, times: impl Iterator<Item = i64>, messages: usize) -> Self {
        Self {
            reached: times.chain(self.reached).min(),
            messages: self.messages.saturating_add(messages as u64),
            ..self
        }
    }

    /// How many messages there are, if they are as dense as those that were seen since `began`.
    pub(super) fn expected(&self, began: i64) -> Option<u64> {
        let (earliest, reached) = (self.earliest?, self.reached?);
        let seen = began.checked_sub(reached).filter(|seen| *seen > 0)?;
        let left = reached.saturating_sub(earliest).max(0);
        #[expect(
            clippy::cast_precision_loss,
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a guess, within bounds"
        )]
        let more = (self.messages as f64 * (left as f64 / seen as f64)).clamp(0.0, MOST) as u64;
        Some(self.messages + more)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_room_is_expected_to_be_as_dense_as_what_was_seen_of_it() {
        let count = Count { earliest: Some(0), ..Count::default() };
        assert_eq!(count.expected(1_000), None, "nothing was seen");
        let count = count.and([900, 950].into_iter(), 50);
        assert_eq!(count.expected(1_000), Some(500));
        let count = count.and([0].into_iter(), 10);
        assert_eq!(count.expected(1_000), Some(60), "all of it was seen");
        let count = Count { earliest: None, ..count };
        assert_eq!(count.expected(1_000), None, "the server tells nothing");
        let count = Count { earliest: Some(i64::MIN), reached: Some(i64::MAX), messages: 1 };
        assert_eq!(count.expected(0), None, "clocks may say anything");
    }
}
