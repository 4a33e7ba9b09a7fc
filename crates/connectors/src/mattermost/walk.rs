//! Where a walk stands: what is kept between pages, and between walks.

use serde::{Deserialize, Serialize};

/// How far back an increment looks behind its mark: clocks of servers differ, and replicas lag.
pub(super) const OVERLAP: i64 = 10 * 60 * 1_000;

/// How long before a walk began a message must have been sent to count as deleted when it is not seen.
pub(super) const MARGIN: i64 = 10 * 1_000;

/// Where the last whole walk ended; milliseconds of the server's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    /// All changes up to here are known.
    pub(super) changed: i64,
    /// All posts up to here are known; later than `changed` when the list of changes was not to be trusted.
    pub(super) posted: i64,
}

/// A walk from the newest post back to a fixed time.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    /// The first moment that belongs to it.
    pub(super) from: i64,
    /// When it began.
    pub(super) began: i64,
    /// What the watermark will say of changes.
    pub(super) changed: i64,
    /// Go on before this post; at the newest while `None`.
    pub(super) before: Option<String>,
    /// And so many pages before that.
    #[serde(default)]
    pub(super) page: u32,
}

/// What a page says about where the next one begins: ids and times of its posts, in any order.
pub(super) struct Seen<'p> {
    /// Id and time of each post of the page's list.
    pub(super) posts: Vec<(&'p str, i64)>,
    /// The server says that nothing comes before.
    pub(super) is_first: bool,
    /// As many as were asked for.
    pub(super) is_full: bool,
}

impl Walk {
    /// The walk behind a page; `None` when that was its last.
    ///
    /// "Before a post" means before its time: posts of the very same millisecond would be left out. So the
    /// next page begins before a post that is later than the page's earliest, and shows those again.
    pub(super) fn behind(&self, seen: &Seen<'_>) -> Option<Self> {
        let earliest = seen.posts.iter().map(|(_, at)| *at).min()?;
        if earliest < self.from || (seen.is_first && !seen.is_full) {
            return None;
        }
        let later = seen.posts.iter().filter(|(_, at)| *at > earliest).min_by_key(|(_, at)| *at);
        let of_earliest = seen.posts.iter().find(|(_, at)| *at == earliest);
        let next = |before: Option<&(&str, i64)>| Self {
            before: before.map(|(id, _)| (*id).to_owned()),
            page: 0,
            ..self.clone()
        };
        match (seen.is_full, later) {
            (true, Some(_)) => Some(next(later)),
            // A whole page of one millisecond, as bulk imports make them.
            (true, None) => Some(Self { page: self.page.saturating_add(1), ..self.clone() }),
            // The server left some out, but not for want of room: no tie goes on beyond.
            (false, _) => Some(next(of_earliest)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{ConnectorError, mark};

    fn walk() -> Walk {
        Walk { from: 0, began: 100, changed: 100, before: Some("x".into()), page: 0 }
    }

    fn behind(
        posts: &[(&str, i64)],
        is_first: bool,
        is_full: bool,
    ) -> Option<(Option<String>, u32)> {
        let next = walk().behind(&Seen { posts: posts.to_vec(), is_first, is_full })?;
        Some((next.before, next.page))
    }

    #[test]
    fn posts_of_the_same_millisecond_are_not_lost_between_pages() {
        let next = behind(&[("a", 9), ("c", 7), ("b", 8)], false, true);
        assert_eq!(next, Some((Some("b".into()), 0)));
        // Even when the server says that nothing is before: it looks at times only.
        assert_eq!(behind(&[("a", 9), ("c", 7)], true, true), Some((Some("a".into()), 0)));
        assert_eq!(behind(&[("a", 7), ("c", 7)], false, true), Some((Some("x".into()), 1)));
    }

    #[test]
    fn a_short_page_is_not_the_last_unless_the_server_says_so() {
        assert_eq!(behind(&[("a", 9), ("c", 7)], false, false), Some((Some("c".into()), 0)));
        assert_eq!(behind(&[("a", 9), ("c", 7)], true, false), None);
        assert_eq!(behind(&[], false, false), None);
    }

    #[test]
    fn a_walk_ends_beyond_its_first_moment() {
        let walk = Walk { from: 8, ..walk() };
        let seen = Seen { posts: vec![("a", 9), ("c", 7)], is_first: false, is_full: true };
        assert_eq!(walk.behind(&seen), None);
    }

    #[test]
    fn a_mark_of_another_kind_is_told() {
        for text in ["", "{}", "null", "[1]", "{\"changed\":\"x\"}"] {
            assert_eq!(mark::read::<Watermark>(text), Err(ConnectorError::InvalidMark), "{text}");
        }
    }
}
