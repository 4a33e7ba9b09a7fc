//! Reading one thread.

use serde::{Deserialize, Serialize};

use super::{
    api::{Home, PAGE, Question, Workspace, kept, refusal},
    dialect::Refusal,
    history::Asked,
    pace::Method,
    pages::Listing,
    threads::{FAILED, HOT, KNOWN, State, TODO},
    ts,
    walk::{Walk, moved, stream},
};
use crate::{ConnectorError, Mark, Page, Stream, mark};

/// Where the reading of a thread stands.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Visit {
    /// When its first message was sent: the thread's name.
    pub(super) root: i64,
    /// From where on it is read; all of it without.
    oldest: Option<i64>,
    cursor: Option<String>,
    /// How it was when it was read before.
    before: Option<State>,
    /// What its first message says on the first page.
    stated: Option<(u64, Option<String>)>,
    /// Replies that were not there when it was read before.
    new: u64,
    /// The last reply that was read.
    read: i64,
    restarts: u8,
}

impl Visit {
    pub(super) fn new(walk: &Walk, root: i64, is_whole: bool, before: Option<State>) -> Self {
        // Replies of the last days are compared again: an edit shows nowhere else.
        let oldest = before.as_ref().map(|before| before.read.min(walk.recent()));
        let oldest = oldest.filter(|oldest| !is_whole && *oldest > root);
        let (cursor, stated, new, read, restarts) = (None, None, 0, 0, 0);
        Self { root, oldest, cursor, before, stated, new, read, restarts }
    }

    fn question<'q>(&self, channel: &str, home: &'q Home) -> Question<'q> {
        let mut form = vec![
            ("channel", channel.to_owned()),
            ("ts", ts::written(self.root)),
            ("limit", PAGE.to_string()),
        ];
        if let Some(oldest) = self.oldest {
            form.extend([("oldest", ts::written(oldest)), ("inclusive", "true".into())]);
        }
        form.extend(self.cursor.clone().map(|cursor| ("cursor", cursor)));
        Question { method: Method::Replies, form, home }
    }

    /// From its first page again.
    fn again(&self, oldest: Option<i64>) -> Self {
        let (cursor, stated, new, read) = (None, None, 0, 0);
        let restarts = self.restarts + 1;
        Self { oldest, cursor, stated, new, read, restarts, ..self.clone() }
    }

    fn note(&mut self, listing: &Listing) {
        let known = self.before.as_ref().map_or(0, |before| before.read);
        let here = listing.replies.iter().filter(|(root, _)| *root == self.root).map(|(_, at)| *at);
        for at in here {
            self.new += u64::from(at > known);
            self.read = self.read.max(at);
        }
        let root = listing.roots.iter().find(|root| root.at == self.root);
        if let (None, Some(root)) = (&self.stated, root) {
            self.stated = Some((root.count, root.latest.clone()));
        }
    }

    /// Whether nothing was deleted before where it was read: the new ones make up the difference.
    fn adds_up(&self) -> bool {
        let (Some(_), Some(before)) = (self.oldest, &self.before) else { return true };
        self.stated.as_ref().is_some_and(|(count, _)| before.count + self.new == *count)
    }

    fn end(&self, walk: &Walk, page: &mut Page) -> Result<(), ConnectorError> {
        let (count, latest) = self.stated.clone().unwrap_or((self.new, None));
        let known = self.before.as_ref().map_or(0, |before| before.read);
        let read = if self.oldest.is_some() { self.read.max(known) } else { self.read };
        page.walked.extend(walk.window(self.stream(), self.oldest.unwrap_or(self.root), i64::MAX));
        let state = match (count, read) {
            (0, 0) => self.emptied(walk),
            _ => Some(State { count, latest, read, empty: None }),
        };
        let hot = (read >= walk.recent()).then(|| ts::written(read));
        page.marks.extend(self.marks(state, hot)?);
        Ok(())
    }

    /// The thread with all its replies is gone.
    fn gone(&self, walk: &Walk, page: &mut Page) -> Result<(), ConnectorError> {
        page.walked.extend(walk.window(self.stream(), self.root, i64::MAX));
        page.marks.extend(self.marks(self.emptied(walk), None)?);
        Ok(())
    }

    /// A thread without replies is forgotten when all that it had has been compared.
    fn emptied(&self, walk: &Walk) -> Option<State> {
        let before = self.before.as_ref().and_then(|before| before.empty);
        let since = before.unwrap_or(walk.began);
        (!walk.compares(since)).then(|| State { empty: Some(since), ..State::default() })
    }

    fn stream(&self) -> Stream {
        Stream::Thread(ts::written(self.root).as_str().into())
    }

    fn marks(
        &self,
        state: Option<State>,
        hot: Option<String>,
    ) -> Result<[Mark; 4], ConnectorError> {
        let root = self.root;
        let state = state.as_ref().map(mark::written).transpose()?;
        Ok([
            moved(stream(KNOWN, root), state),
            moved(stream(HOT, root), hot),
            moved(stream(FAILED, root), None),
            moved(stream(TODO, root), None),
        ])
    }
}

impl Workspace {
    /// Reads a page of a thread, before another one; answers with how it goes on, if it does.
    pub(super) async fn visit(
        &self,
        channel: &str,
        walk: &Walk,
        mut visit: Visit,
        next: Option<&Visit>,
        page: &mut Page,
    ) -> Result<Option<Visit>, ConnectorError> {
        let reply = self.reading(walk, &visit.question(channel, &walk.home)).await?;
        if let Some(next) = next {
            self.look_ahead(&next.question(channel, &walk.home));
        }
        match refusal(&reply)? {
            Some(Refusal::StaleCursor) if visit.restarts < 3 => {
                return Ok(Some(visit.again(visit.oldest)));
            }
            Some(Refusal::NoThread) => return self.missing(channel, walk, &visit, page).await,
            Some(refusal) => return Err(refusal.error()),
            None => {}
        }
        let shown = self.page(&reply)?;
        let listing = self.listing(channel, &walk.home, shown, (0, i64::MAX)).await?;
        if listing.ids.is_empty() && visit.cursor.is_none() {
            return self.missing(channel, walk, &visit, page).await;
        }
        visit.note(&listing);
        page.sightings.extend(listing.ids);
        page.messages.extend(listing.messages);
        if let Some(next) = kept(listing.next, visit.cursor.as_deref())? {
            visit.cursor = Some(next);
            return Ok(Some(visit));
        }
        if visit.adds_up() {
            visit.end(walk, page)?;
            return Ok(None);
        }
        Ok(Some(visit.again(None)))
    }

    /// Slack knows no such thread. If its first message is there, that is a failure; else it is gone.
    async fn missing(
        &self,
        channel: &str,
        walk: &Walk,
        visit: &Visit,
        page: &mut Page,
    ) -> Result<Option<Visit>, ConnectorError> {
        let at = visit.root;
        let asked = Asked { from: at, to: at, cursor: None };
        let listing = match self.history(channel, walk, asked).await? {
            Ok(reply) => {
                let shown = self.page(&reply)?;
                self.listing(channel, &walk.home, shown, (at, at)).await?
            }
            Err(refusal) => return Err(refusal.error()),
        };
        match listing.roots.first() {
            Some(root) if root.count > 0 => Err(Refusal::NoThread.error()),
            _ => {
                visit.gone(walk, page)?;
                Ok(None)
            }
        }
    }
}
