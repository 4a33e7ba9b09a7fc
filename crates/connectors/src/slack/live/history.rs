//! The walk through the window.

use super::{
    api::{Home, PAGE, Question, Workspace, kept, refusal},
    dialect::Refusal,
    pace::Method,
    pages::{Listing, seen_all},
    sweep, threads, ts,
    walk::{Extent, Step, Walk},
};
use crate::{ConnectorError, Known, Page, Stream, http::Reply};

/// A window and where in it a page begins.
#[derive(Clone, Copy)]
pub(super) struct Asked<'a> {
    pub(super) from: i64,
    pub(super) to: i64,
    pub(super) cursor: Option<&'a str>,
}

impl Workspace {
    /// A page of a channel's history. A public channel that the app is not in is joined, once.
    pub(super) async fn history(
        &self,
        channel: &str,
        walk: &Walk,
        asked: Asked<'_>,
    ) -> Result<Result<Reply, Refusal>, ConnectorError> {
        let question = asked.of(channel, &walk.home);
        let reply = self.reading(walk, &question).await?;
        match refusal(&reply)? {
            Some(Refusal::NotMember) => {
                self.join(channel, &walk.home).await?;
                let reply = self.reading(walk, &question).await?;
                Ok(refusal(&reply)?.map_or(Ok(reply), Err))
            }
            Some(refusal) => Ok(Err(refusal)),
            None => Ok(Ok(reply)),
        }
    }

    async fn join(&self, channel: &str, home: &Home) -> Result<(), ConnectorError> {
        let form = vec![("channel", channel.to_owned())];
        let joined = self.send(&Question { method: Method::Join, form, home }).await;
        match joined.and_then(|reply| refusal(&reply)) {
            Ok(None) => Ok(()),
            Ok(Some(Refusal::Archived)) => Err(Refusal::Archived.error()),
            // Whatever else keeps it out: private, or not allowed to join.
            Ok(Some(_)) | Err(ConnectorError::Auth(_) | ConnectorError::ChannelNotFound(_)) => {
                Err(Refusal::NotMember.error())
            }
            Err(ConnectorError::Platform(_) | ConnectorError::Request(_)) => {
                Err(Refusal::NotMember.error())
            }
            Err(error) => Err(error),
        }
    }

    /// The next page of the window.
    pub(super) async fn top(
        &self,
        channel: &str,
        mut walk: Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let Step::Top { cursor, seen, limited } = walk.step.clone() else {
            return Err(ConnectorError::InvalidMark);
        };
        let window = (walk.from, walk.began);
        let asked = Asked { from: walk.from, to: walk.began, cursor: cursor.as_deref() };
        let (mut listing, following) = match self.history(channel, &walk, asked).await? {
            Ok(reply) => {
                let page = self.page(&reply)?;
                let following = kept(page.next(), cursor.as_deref())?;
                if following.is_some() {
                    let next = Asked { cursor: following.as_deref(), ..asked };
                    self.look_ahead(&next.of(channel, &walk.home));
                }
                (self.listing(channel, &walk.home, page, window).await?, following)
            }
            Err(Refusal::StaleCursor) => {
                let again = walk.again(Step::Top { cursor: None, seen: None, limited: false })?;
                return Ok(Page::new(Vec::new(), again));
            }
            Err(refusal) => return Err(refusal.error()),
        };
        walk.slow = self.pace.is_slow();
        walk.count(&listing);
        let limited = limited || listing.is_limited;
        let mut marks = threads::changed(&walk, &listing, known).await?;
        let spans = spans(&walk, seen, &listing, limited);
        marks.extend(threads::gone(&spans, &listing, known).await?);
        let seen = match (seen, listing.extent) {
            (Some(seen), Some(extent)) => Some(seen.with(extent)),
            (seen, extent) => seen.or(extent),
        };
        // Of an increment it would tell how much is compared, not how much is new.
        let estimate = walk.expected().filter(|_| walk.since.is_none());
        let mut page = Page { estimate, marks, ..seen_all(&mut listing) };
        page.next = match following {
            Some(next) => walk.then(Step::Top { cursor: Some(next), seen, limited })?,
            None => {
                // What the workspace's plan hides has not been deleted.
                let from = if limited { seen.map_or(walk.began, |s| s.first) } else { walk.from };
                page.walked.extend(walk.window(Stream::TopLevel, from, walk.began));
                walk.behind_top(&mut page.marks)?
            }
        };
        Ok(Page { messages: listing.messages, ..page })
    }
}

impl Asked<'_> {
    fn of<'q>(&self, channel: &str, home: &'q Home) -> Question<'q> {
        let mut form = vec![
            ("channel", channel.to_owned()),
            ("limit", PAGE.to_string()),
            ("oldest", ts::written(self.from)),
            ("latest", ts::written(self.to)),
            ("inclusive", "true".to_owned()),
        ];
        form.extend(self.cursor.map(|cursor| ("cursor", cursor.to_owned())));
        Question { method: Method::History, form, home }
    }
}

/// The stretches of time in which this page, with those before it, has shown all there is: between pages is
/// nothing, whichever way they come.
fn spans(walk: &Walk, seen: Option<Extent>, listing: &Listing, limited: bool) -> Vec<(i64, i64)> {
    let mut spans = Vec::new();
    match (seen, listing.extent) {
        (Some(seen), Some(page)) if page.last < seen.first => {
            spans.push((page.first, seen.first - 1));
        }
        (Some(seen), Some(page)) if page.first > seen.last => {
            spans.push((seen.last + 1, page.last));
        }
        (_, Some(page)) => spans.push((page.first, page.last)),
        (_, None) => {}
    }
    if listing.next.is_none() {
        let all = seen.into_iter().chain(listing.extent).reduce(Extent::with);
        let all = all.unwrap_or(Extent { first: walk.began + 1, last: walk.began });
        spans.push((all.last + 1, walk.began));
        if !limited {
            spans.push((walk.from, all.first - 1));
        }
    }
    spans.retain(|(first, last)| first <= last);
    spans
}

impl Walk {
    /// Counts what was seen, and tells from the first page how much there may be.
    fn count(&mut self, listing: &Listing) {
        self.seen += listing.ids.len() as u64;
        if self.estimate.is_some() {
            return;
        }
        let (Some(_), Some(extent)) = (&listing.next, listing.extent) else {
            self.estimate = Some(self.seen);
            return;
        };
        self.estimate = Some(extrapolated(
            self.seen,
            self.began - extent.first,
            self.began - self.from.max(self.created),
        ));
    }

    /// How it goes on when the window has been walked.
    fn behind_top(&self, marks: &mut Vec<crate::Mark>) -> Result<crate::Next, ConnectorError> {
        if self.since.is_some() {
            return self.then(Step::Sweep { cursor: None });
        }
        marks.push(sweep::begin_again());
        self.then(Step::Threads { after: None, failures: 0 })
    }
}

/// As many in the whole time as in the part that was seen.
pub(super) fn extrapolated(seen: u64, part: i64, whole: i64) -> u64 {
    let part = u128::try_from(part.max(1)).unwrap_or(1);
    let whole = u128::try_from(whole.max(0)).unwrap_or(0).max(part);
    u64::try_from(u128::from(seen) * whole / part).unwrap_or(u64::MAX).max(seen)
}
