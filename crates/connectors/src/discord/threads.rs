//! Which threads there are, and which of them have changed: kept in marks, one a thread.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{raw::RawChannel, snowflake, walk::LOOKBACK};
use crate::{ConnectorError, Known, Mark, mark as text};

/// What is known of a thread whose messages we have: `thread:<id>`.
pub(super) const KNOWN: &str = "thread:";

/// A thread that this walk has yet to visit: `todo:<id>`.
pub(super) const TODO: &str = "todo:";

/// A thread that could not be read, to be tried again by the next walk: `failed:<id>`.
pub(super) const FAILED: &str = "failed:";

/// How a thread was when it was listed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Its last message, which may be deleted by now.
    pub(super) last: u64,
    /// How many messages it has.
    pub(super) count: i64,
    /// How many it ever had.
    pub(super) total: i64,
    /// On a thread to be visited: the message down to which it is read; 0 reads all of it.
    #[serde(default)]
    pub(super) down_to: u64,
}

impl State {
    pub(super) fn read(mark: &str) -> Self {
        // A mark that is not understood is one of nothing: the thread is read again.
        serde_json::from_str(mark).unwrap_or_default()
    }

    fn of(thread: &RawChannel) -> Self {
        let last = thread.last_message_id.as_deref().and_then(snowflake::read);
        let (count, total) = (thread.message_count, thread.total_message_sent);
        Self { last: last.unwrap_or_default(), count, total, down_to: 0 }
    }

    /// What is to be done about a thread that stood so when it was last visited.
    fn visit(self, before: Option<&Self>, since: Option<i64>) -> Option<Self> {
        let (Some(before), Some(since)) = (before, since) else { return Some(self) };
        let is_same = Self { down_to: 0, ..before.clone() } == self;
        let is_recent = snowflake::millis(self.last) >= since - LOOKBACK;
        if is_same && !is_recent {
            return None;
        }
        let sent = self.total - before.total;
        let is_whole = self.count - before.count == sent;
        // Fewer than were sent: some are gone, and nothing tells which.
        let down_to = if is_whole { before.last } else { 0 };
        Some(Self { down_to, ..self })
    }
}

pub(super) fn mark(
    prefix: &str,
    thread: &str,
    state: Option<&State>,
) -> Result<Mark, ConnectorError> {
    let mark = state.map(text::written).transpose()?;
    Ok(Mark { stream: format!("{prefix}{thread}"), mark })
}

/// Marks of the listed threads of a channel that are to be visited.
pub(super) async fn to_visit(
    channel: &str,
    threads: &[RawChannel],
    since: Option<i64>,
    known: &dyn Known,
) -> Result<Vec<Mark>, ConnectorError> {
    let ours =
        |thread: &&RawChannel| snowflake::read(&thread.id).is_some() && thread.parent_id == channel;
    let threads: Vec<&RawChannel> = threads.iter().filter(ours).collect();
    let mut marks = Vec::new();
    for threads in threads.chunks(1_000) {
        let names: Vec<_> = threads.iter().map(|thread| format!("{KNOWN}{}", thread.id)).collect();
        let before = known.marks(&names).await?;
        for (thread, before) in threads.iter().zip(before) {
            let before = before.as_deref().map(State::read);
            if let Some(state) = State::of(thread).visit(before.as_ref(), since) {
                marks.push(mark(TODO, &thread.id, Some(&state))?);
            }
        }
    }
    Ok(marks)
}

/// Threads that a walk visits though no list names them: those that failed, and in a walk through
/// everything all that are known. At most `limit`, after a given one; the last one's name goes on.
pub(super) async fn unlisted(
    prefix: &str,
    after: Option<&str>,
    limit: u32,
    known: &dyn Known,
) -> Result<(Vec<Mark>, Option<String>), ConnectorError> {
    let found = known.marks_under(prefix, after, limit).await?;
    let next = (found.len() >= limit as usize).then(|| found.last().map(|(name, _)| name.clone()));
    let ids: Vec<&str> = found.iter().filter_map(|(name, _)| name.strip_prefix(prefix)).collect();
    let todo: Vec<String> = ids.iter().map(|id| format!("{TODO}{id}")).collect();
    let listed = known.marks(&todo).await?;
    let listed: BTreeSet<&str> =
        ids.iter().zip(&listed).filter(|(_, todo)| todo.is_some()).map(|(id, _)| *id).collect();
    let mut marks = Vec::new();
    for id in ids.iter().filter(|id| !listed.contains(*id)) {
        marks.push(mark(TODO, id, Some(&State::default()))?);
    }
    Ok((marks, next.flatten()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(last: u64, count: i64, total: i64) -> State {
        State { last, count, total, down_to: 0 }
    }

    #[test]
    fn only_threads_that_changed_or_are_recent_are_visited() {
        let since = Some(snowflake::millis(0) + 10 * LOOKBACK);
        let before = at(7, 3, 3);
        assert_eq!(at(7, 3, 3).visit(Some(&before), since), None);
        assert_eq!(at(9, 4, 4).visit(Some(&before), since).map(|s| s.down_to), Some(7));
        assert_eq!(at(7, 2, 3).visit(Some(&before), since).map(|s| s.down_to), Some(0), "deleted");
        assert_eq!(at(9, 3, 4).visit(Some(&before), since).map(|s| s.down_to), Some(0), "both");
        assert_eq!(at(7, 3, 3).visit(None, since), Some(at(7, 3, 3)), "a new one");
        assert_eq!(at(7, 3, 3).visit(Some(&before), None), Some(at(7, 3, 3)), "everything again");
        let recent = snowflake::first_of(snowflake::millis(0) + 10 * LOOKBACK);
        assert!(at(recent, 3, 3).visit(Some(&at(recent, 3, 3)), since).is_some());
    }
}
