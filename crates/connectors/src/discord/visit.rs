//! The last steps of a walk: the threads that are to be visited, and an older page in turn.

use domain::{Message, MessageId};
use serde::{Deserialize, Serialize};

use super::{
    api::Bot,
    dialect::GONE,
    snowflake,
    steps::seen,
    threads::{self, FAILED, KNOWN, State, TODO},
    walk::{LOOKBACK, Step, Walk, at},
};
use crate::{ConnectorError, Known, Mark, Page, Stream, Window, mark};

/// The mark of the page that is compared in turn.
const SWEEP: &str = "sweep";

/// Where the sweep stands: in the channel (`thread` is `None`) or in a thread, before a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sweep {
    thread: Option<u64>,
    before: Option<u64>,
}

impl Bot {
    pub(super) async fn next_thread(
        &self,
        channel: &str,
        walk: &Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let todo = known.marks_under(TODO, None, 1).await?;
        let id = todo.first().and_then(|(name, _)| snowflake::read(name.strip_prefix(TODO)?));
        match id {
            Some(id) => self.thread(channel, walk, id, None, known).await,
            None => self.sweep(channel, walk, known).await,
        }
    }

    pub(super) async fn thread(
        &self,
        channel: &str,
        walk: &Walk,
        id: u64,
        before: Option<u64>,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let name = id.to_string();
        let todo = known.marks(&[format!("{TODO}{name}")]).await?.into_iter().flatten().next();
        let state = todo.as_deref().map(State::read).unwrap_or_default();
        let (messages, extent) =
            match self.slice(walk, channel, Some(id), before, state.down_to).await {
                Ok(page) => page,
                Err(error) => {
                    let lost = lost(walk, id, &error, known, before.is_some()).await?;
                    return lost.ok_or(error.at(name));
                }
            };
        if let Some(before) = extent.behind(state.down_to) {
            let next = walk.then(Step::Thread { id, before: Some(before) })?;
            return Ok(seen(messages, next));
        }
        let from = extent.seen_from();
        let mut page = seen(messages, walk.then(Step::Threads)?);
        let of = Stream::Thread(name.as_str().into());
        page.walked = walk.window(of, from, i64::MAX);
        if walk.is_forum {
            if extent.is_last && extent.earliest != Some(id) {
                page.messages.extend(first_gone(walk, id, known).await?);
            }
        } else {
            page.messages.extend(first_of(id, known).await?);
        }
        let visited = State { down_to: 0, ..state };
        page.marks = vec![
            threads::mark(KNOWN, &name, Some(&visited))?,
            threads::mark(TODO, &name, None)?,
            threads::mark(FAILED, &name, None)?,
        ];
        Ok(page)
    }

    /// Compares one older page, in turn: first of the channel, then of one thread after the other.
    pub(super) async fn sweep(
        &self,
        channel: &str,
        walk: &Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let mut page = Page::new(Vec::new(), walk.end()?);
        // A walk through everything has just compared everything.
        if walk.since.is_none() {
            return Ok(page);
        }
        let mark = known.marks(&[SWEEP.to_owned()]).await?.into_iter().flatten().next();
        let mut sweep: Sweep = mark.and_then(|mark| mark::read(&mark).ok()).unwrap_or_default();
        if walk.is_forum && sweep.thread.is_none() {
            sweep = after(None, known).await?;
        }
        let of = match sweep.thread {
            None if walk.is_forum => return Ok(page),
            None => Stream::TopLevel,
            Some(thread) => Stream::Thread(thread.to_string().into()),
        };
        // One page, and none behind it.
        let compared = self.slice(walk, channel, sweep.thread, sweep.before, u64::MAX);
        let (messages, extent) = match compared.await {
            Ok(page) => page,
            Err(error) => {
                let Some(thread) = sweep.thread else { return Err(error) };
                let lost = lost(walk, thread, &error, known, true).await?;
                let Some(lost) = lost else { return Err(error.at(thread.to_string())) };
                let next = after(Some(thread), known).await?;
                let mut page = Page { next: walk.end()?, ..lost };
                page.marks.push(Mark { stream: SWEEP.into(), mark: Some(mark::written(&next)?) });
                return Ok(page);
            }
        };
        let to = sweep.before.map_or(i64::MAX, |before| snowflake::millis(before) - 1);
        let from = extent.seen_from();
        page = seen(messages, page.next);
        page.walked = walk.window(of, from, to);
        let lacks_first = |thread: &u64| extent.is_last && extent.earliest != Some(*thread);
        if let Some(thread) = sweep.thread.filter(lacks_first) {
            page.messages.extend(first_gone(walk, thread, known).await?);
        }
        let next = match extent.behind(0) {
            Some(before) => Sweep { before: Some(before), ..sweep },
            None => after(sweep.thread, known).await?,
        };
        page.marks.push(Mark { stream: SWEEP.into(), mark: Some(mark::written(&next)?) });
        Ok(page)
    }
}

/// The stream that is swept after a thread, or after the channel's own messages.
async fn after(thread: Option<u64>, known: &dyn Known) -> Result<Sweep, ConnectorError> {
    let after = thread.map(|thread| format!("{KNOWN}{thread}"));
    let next = known.marks_under(KNOWN, after.as_deref(), 1).await?;
    let thread = next.first().and_then(|(name, _)| snowflake::read(name.strip_prefix(KNOWN)?));
    Ok(Sweep { thread, before: None })
}

/// What to do about a thread that cannot be read: one that is gone is deleted with all its messages, one
/// that is refused is tried again by the next walk. `None` when it is not for this thread that it failed.
async fn lost(
    walk: &Walk,
    thread: u64,
    error: &ConnectorError,
    known: &dyn Known,
    is_seen: bool,
) -> Result<Option<Page>, ConnectorError> {
    let mut page = Page::new(Vec::new(), walk.then(Step::Threads)?);
    let name = &thread.to_string();
    page.marks.push(threads::mark(TODO, name, None)?);
    match error {
        ConnectorError::ChannelNotFound(reason) if reason == GONE => {
            // Nothing can be sent there any more, so nothing is too new to be missing.
            let (from, to) = (at(0), at(walk.began + LOOKBACK));
            page.walked = vec![Window { of: Stream::Thread(name.as_str().into()), from, to }];
            page.messages.extend(first_gone(walk, thread, known).await?);
            // What this walk has seen of it before is not missing yet: the next one comes again.
            let left = is_seen.then(State::default);
            page.marks.push(threads::mark(KNOWN, name, left.as_ref())?);
            page.marks.push(threads::mark(FAILED, name, left.as_ref())?);
        }
        ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_) => {
            page.marks.push(threads::mark(FAILED, name, Some(&State::default()))?);
        }
        _ => return Ok(None),
    }
    Ok(Some(page))
}

/// A forum's thread begins with a message of its own id, which is its first one and not of its replies.
async fn first_gone(
    walk: &Walk,
    thread: u64,
    known: &dyn Known,
) -> Result<Option<Message>, ConnectorError> {
    if !walk.is_forum {
        return Ok(None);
    }
    let stored = known.messages(&[MessageId::from(thread.to_string())]).await?;
    let stored = stored.into_iter().find(|message| message.deleted_at.is_none());
    Ok(stored.map(|message| message.deleted(at(walk.began))))
}

/// The message that began a thread may lie further back than this walk reads: it learns that it has one.
async fn first_of(thread: u64, known: &dyn Known) -> Result<Option<Message>, ConnectorError> {
    let id = MessageId::from(thread.to_string());
    let stored = known.messages(std::slice::from_ref(&id)).await?;
    let stored = stored.into_iter().find(|m| m.deleted_at.is_none() && m.thread_id.is_none());
    Ok(stored.map(|message| Message { thread_id: Some(id), ..message }))
}
