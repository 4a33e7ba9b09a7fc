//! Which threads there are, and which of them are to be visited: kept in marks, one a thread.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{
    api::{PAGE, Workspace},
    pages::{Listing, Root},
    ts,
    visit::Visit,
    walk::{Step, Walk, moved, stream},
};
use crate::{ConnectorError, Known, Mark, Next, Page};

/// What is known of a thread whose replies we have.
pub(super) const KNOWN: &str = "thread:";

/// A thread that this walk has yet to visit.
pub(super) const TODO: &str = "todo:";

/// A thread that could not be read, to be tried again by the next walk.
pub(super) const FAILED: &str = "failed:";

/// A thread with recent replies, and when the last of them was sent.
pub(super) const HOT: &str = "hot:";

/// To be read as a whole, and to be read from the last known reply on.
pub(super) const WHOLE: &str = "whole";
const CHANGED: &str = "changed";

/// Threads that are looked up at once.
const BATCH: u32 = 1_000;

/// Threads that one page may visit.
const VISITS: u32 = 8;

/// Threads that may fail in a row before it is the platform that fails.
const FAILURES: u8 = 3;

/// Threads that are read again in one walk though nothing tells of a change, in turn.
const HOT_IN_TURN: u32 = 6;
const ALL_IN_TURN: u32 = 2;

/// Threads that failed before and are tried again in one walk, in turn.
const FAILED_IN_TURN: u32 = 20;

/// How a thread was when it was last read.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct State {
    /// Replies, by the word of its first message.
    pub(super) count: u64,
    /// The last reply, by that word.
    pub(super) latest: Option<String>,
    /// The last reply that was read; 0 without any.
    pub(super) read: i64,
    /// When a walk began that found no reply any more. What was sent shortly before that was not compared
    /// yet: the thread is visited once more.
    #[serde(default)]
    pub(super) empty: Option<i64>,
}

impl State {
    pub(super) fn of(mark: Option<&String>) -> Option<Self> {
        serde_json::from_str(mark?).ok()
    }

    fn is_still(&self, root: &Root) -> bool {
        self.empty.is_none()
            && self.count == root.count
            && (root.latest.is_none() || self.latest == root.latest)
    }
}

/// Threads of a page that are to be visited, since they differ from their marks.
pub(super) async fn changed(
    walk: &Walk,
    listing: &Listing,
    known: &dyn Known,
) -> Result<Vec<Mark>, ConnectorError> {
    let roots = listing.roots.iter().map(|root| root.at);
    let times: BTreeSet<i64> = roots.chain(listing.replies.iter().map(|(root, _)| *root)).collect();
    let times: Vec<i64> = times.into_iter().collect();
    let mut states = BTreeMap::new();
    for chunk in times.chunks(BATCH as usize) {
        let names: Vec<String> = chunk.iter().map(|at| stream(KNOWN, *at)).collect();
        let marks = known.marks(&names).await?;
        states.extend(chunk.iter().zip(marks).map(|(at, mark)| (*at, State::of(mark.as_ref()))));
    }
    let state = |at: &i64| states.get(at).and_then(Option::as_ref);
    let mut todo = BTreeSet::new();
    for root in &listing.roots {
        let before = state(&root.at);
        let differs = match (walk.since, before) {
            (None, before) => before.is_some() || root.count > 0,
            (_, Some(before)) => !before.is_still(root),
            (_, None) => root.count > 0,
        };
        if differs {
            todo.insert(root.at);
        }
    }
    // A reply that was sent to the channel as well tells of its thread, however old that is.
    let unread =
        listing.replies.iter().filter(|(root, at)| state(root).is_none_or(|s| s.read < *at));
    todo.extend(unread.map(|(root, _)| *root));
    let how = if walk.since.is_none() { WHOLE } else { CHANGED };
    Ok(todo.into_iter().map(|root| moved(stream(TODO, root), Some(how.into()))).collect())
}

/// Threads whose first message is no longer there.
pub(super) async fn gone(
    spans: &[(i64, i64)],
    listing: &Listing,
    known: &dyn Known,
) -> Result<Vec<Mark>, ConnectorError> {
    let listed: BTreeSet<i64> = listing.roots.iter().map(|root| root.at).collect();
    let mut marks = Vec::new();
    for (first, last) in spans {
        let mut after = stream(KNOWN, first - 1);
        loop {
            let threads = known.marks_under(KNOWN, Some(&after), BATCH).await?;
            let is_full = threads.len() >= BATCH as usize;
            let roots: Vec<i64> = threads.iter().filter_map(|(name, _)| root(name)).collect();
            let here = roots.iter().filter(|root| **root >= *first && **root <= *last);
            let missing = here.filter(|root| !listed.contains(root));
            marks.extend(missing.map(|root| moved(stream(TODO, *root), Some(WHOLE.into()))));
            match threads.into_iter().next_back() {
                Some((name, _)) if is_full && roots.iter().all(|root| root <= last) => after = name,
                _ => break,
            }
        }
    }
    Ok(marks)
}

/// The time of a thread's first message, by the name of its stream.
fn root(stream: &str) -> Option<i64> {
    ts::micros(stream.split_once(':')?.1)
}

/// Threads that are visited though nothing tells of a change: those that failed, and a few in turn.
pub(super) async fn in_turn(walk: &Walk, known: &dyn Known) -> Result<Vec<Mark>, ConnectorError> {
    let mut marks = Vec::new();
    for (thread, _) in turn(FAILED, FAILED_IN_TURN, known, &mut marks).await? {
        marks.extend(root(&thread).map(|at| moved(stream(TODO, at), Some(WHOLE.into()))));
    }
    if walk.since.is_none() {
        return Ok(marks);
    }
    let hot = if walk.slow { 1 } else { HOT_IN_TURN };
    for (thread, last) in turn(HOT, hot, known, &mut marks).await? {
        match root(&thread).zip(ts::micros(&last)) {
            Some((at, last)) if last >= walk.recent() => {
                marks.push(moved(stream(TODO, at), Some(CHANGED.into())));
            }
            _ => marks.push(moved(thread, None)),
        }
    }
    let all = if walk.slow { 1 } else { ALL_IN_TURN };
    for (thread, _) in turn(KNOWN, all, known, &mut marks).await? {
        marks.extend(root(&thread).map(|at| moved(stream(TODO, at), Some(WHOLE.into()))));
    }
    Ok(marks)
}

/// The next few of some streams, round and round.
async fn turn(
    prefix: &str,
    count: u32,
    known: &dyn Known,
    marks: &mut Vec<Mark>,
) -> Result<Vec<(String, String)>, ConnectorError> {
    let name = format!("turn:{prefix}");
    let after = known.marks(std::slice::from_ref(&name)).await?.into_iter().flatten().next();
    let mut next = known.marks_under(prefix, after.as_deref(), count).await?;
    if next.len() < count as usize && after.is_some() {
        let missing = count - u32::try_from(next.len()).unwrap_or(count);
        let first = known.marks_under(prefix, None, missing).await?;
        let again: Vec<_> = first.into_iter().filter(|thread| !next.contains(thread)).collect();
        next.extend(again);
    }
    if let Some((last, _)) = next.last() {
        marks.push(moved(name, Some(last.clone())));
    }
    Ok(next)
}

/// What is to be read of threads; nothing of what is none.
async fn visits(
    walk: &Walk,
    todo: &[(String, String)],
    known: &dyn Known,
) -> Result<Vec<Option<Visit>>, ConnectorError> {
    let roots: Vec<Option<i64>> = todo.iter().map(|(name, _)| root(name)).collect();
    let names: Vec<String> = roots.iter().map(|at| stream(KNOWN, at.unwrap_or(0))).collect();
    let states = known.marks(&names).await?;
    let visits = roots.into_iter().zip(todo).zip(&states).map(|((at, (_, how)), state)| {
        Some(Visit::new(walk, at?, how == WHOLE, State::of(state.as_ref())))
    });
    Ok(visits.collect())
}

impl Workspace {
    /// Visits the next few threads.
    pub(super) async fn threads(
        &self,
        channel: &str,
        walk: &Walk,
        mut after: Option<String>,
        mut failures: u8,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let mut page = Page::new(Vec::new(), walk.end()?);
        // And one that is asked for ahead.
        let todo = known.marks_under(TODO, after.as_deref(), VISITS + 1).await?;
        if todo.is_empty() {
            return Ok(page);
        }
        let visits = visits(walk, &todo, known).await?;
        let mut done = false;
        for (n, (name, _)) in todo.into_iter().take(VISITS as usize).enumerate() {
            let Some(visit) = visits[n].clone() else {
                page.marks.push(moved(&name, None));
                (after, done) = (Some(name), true);
                continue;
            };
            let at = visit.root;
            let next = visits.get(n + 1).and_then(Option::as_ref);
            match self.visit(channel, walk, visit, next, &mut page).await {
                Ok(Some(more)) => {
                    page.next = walk.then(Step::Thread { visit: more })?;
                    return Ok(page);
                }
                Ok(None) => failures = 0,
                Err(error) if is_of_thread(&error) && failures + 1 < FAILURES => {
                    failures += 1;
                    page.marks.extend(failed(at, &error));
                }
                // What was read is kept; the next page meets the failure again.
                Err(_) if done => break,
                Err(error) if is_of_thread(&error) => {
                    return Err(error.at(ts::written(at).as_str()));
                }
                Err(error) => return Err(error),
            }
            (after, done) = (Some(name), true);
            if page.messages.len() >= PAGE {
                break;
            }
        }
        page.next = walk.then(Step::Threads { after, failures })?;
        Ok(page)
    }

    /// Reads more of a thread.
    pub(super) async fn thread(
        &self,
        channel: &str,
        walk: &Walk,
        visit: Visit,
    ) -> Result<Page, ConnectorError> {
        let at = visit.root;
        let mut page = Page::new(Vec::new(), walk.end()?);
        let next = match self.visit(channel, walk, visit, None, &mut page).await {
            Ok(Some(visit)) => Step::Thread { visit },
            Ok(None) => Step::Threads { after: Some(stream(TODO, at)), failures: 0 },
            Err(error) if is_of_thread(&error) => {
                page.marks.extend(failed(at, &error));
                Step::Threads { after: Some(stream(TODO, at)), failures: 1 }
            }
            Err(error) => return Err(error),
        };
        let next: Next = walk.then(next)?;
        Ok(Page { next, ..page })
    }
}

/// Whether a failure may be that of one thread.
fn is_of_thread(error: &ConnectorError) -> bool {
    matches!(error, ConnectorError::Platform(_) | ConnectorError::Request(_))
}

/// A thread that failed is no longer to be visited by this walk, and its mark stays where it is.
fn failed(root: i64, error: &ConnectorError) -> [Mark; 2] {
    tracing::warn!(thread = ts::written(root), %error, "a thread cannot be read: the next sync tries again");
    [moved(stream(FAILED, root), Some(error.to_string())), moved(stream(TODO, root), None)]
}
