//! Pages of messages, and the walk through the window.

use std::{borrow::Cow, collections::BTreeSet};

use domain::{Message, MessageId};
use serde::Deserialize;

use super::{
    api::{Home, PAGE, Question, Workspace, kept, read, refusal},
    dialect::Refusal,
    pace::Method,
    reply::Messages,
    sweep, threads, ts,
    walk::{Extent, Step, Walk},
};
use crate::{
    ConnectorError, Known, Page, Stream,
    http::Reply,
    slack::{
        message::{self, Unread},
        raw::RawMessage,
    },
};

/// What a page of messages holds.
#[derive(Default)]
pub(super) struct Listing {
    pub(super) messages: Vec<Message>,
    /// All ids, those that are no messages of ours included.
    pub(super) ids: Vec<MessageId>,
    /// Messages outside threads, and first messages of threads.
    pub(super) roots: Vec<Root>,
    /// Replies, by the thread's first message and themselves.
    pub(super) replies: Vec<(i64, i64)>,
    pub(super) extent: Option<Extent>,
    pub(super) next: Option<String>,
    pub(super) is_limited: bool,
}

/// What a thread's first message tells of its replies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Root {
    pub(super) at: i64,
    pub(super) count: u64,
    pub(super) latest: Option<String>,
}

/// A message that is not understood.
#[derive(Deserialize)]
struct Unknown<'j> {
    #[serde(borrow)]
    ts: Option<Cow<'j, str>>,
}

/// A window and where in it a page begins.
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
        asked: &Asked<'_>,
    ) -> Result<Result<Reply, Refusal>, ConnectorError> {
        let mut form = vec![
            ("channel", channel.to_owned()),
            ("limit", PAGE.to_string()),
            ("oldest", ts::written(asked.from)),
            ("latest", ts::written(asked.to)),
            ("inclusive", "true".to_owned()),
        ];
        form.extend(asked.cursor.map(|cursor| ("cursor", cursor.to_owned())));
        let question = Question { method: Method::History, form, home: &walk.home };
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

    /// Sends a question for messages; a limit is explained with what is left of the walk.
    pub(super) async fn reading(
        &self,
        walk: &Walk,
        question: &Question<'_>,
    ) -> Result<Reply, ConnectorError> {
        self.pace.known(walk.slow);
        let reply = self.send(question).await;
        reply.map_err(|error| self.pace.explained(error, walk.left()))
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

    /// Reads a page, without what lies outside the window: no server's word is taken for that.
    pub(super) async fn listing(
        &self,
        channel: &str,
        home: &Home,
        reply: &Reply,
        window: (i64, i64),
    ) -> Result<Listing, ConnectorError> {
        let page: Messages<'_> = read(reply)?;
        self.pace.page(page.messages.len(), page.next().is_some());
        let mut listing =
            Listing { next: page.next(), is_limited: page.is_limited, ..Listing::default() };
        let mut found = Vec::with_capacity(page.messages.len());
        for raw in &page.messages {
            match serde_json::from_str::<RawMessage<'_>>(raw.get()) {
                Ok(raw) => found.push(raw),
                Err(_) => {
                    tracing::warn!(channel, "a message that is not understood is left out");
                    listing.note_unread(raw.get());
                }
            }
        }
        found.retain(|raw| listing.note(raw, window));
        let mut people = BTreeSet::new();
        for raw in &found {
            message::people(raw, &mut |id| {
                people.extend(crate::text::id(id));
            });
        }
        self.meet(home, &people).await?;
        let known = self.directory.read();
        for raw in found {
            match message::message(raw, &known.users) {
                Ok(message) => listing.messages.push(shown(message, channel, home)),
                Err(Unread::Skipped) => {}
                Err(Unread::Broken(why)) => tracing::warn!(channel, why, "a message is left out"),
            }
        }
        Ok(listing)
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
        let listing = match self.history(channel, &walk, &asked).await? {
            Ok(reply) => self.listing(channel, &walk.home, &reply, window).await?,
            Err(Refusal::StaleCursor) => {
                let again = walk.again(Step::Top { cursor: None, seen: None, limited: false })?;
                return Ok(Page::new(Vec::new(), again));
            }
            Err(refusal) => return Err(refusal.error()),
        };
        let following = kept(listing.next.clone(), cursor.as_deref())?;
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
        let mut page = Page { estimate, marks, ..seen_all(&listing) };
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

/// A page in which all of a listing has been seen.
pub(super) fn seen_all(listing: &Listing) -> Page {
    let mut page = Page::new(Vec::new(), crate::Next::End(None));
    page.sightings.clone_from(&listing.ids);
    page
}

impl Listing {
    /// A message of a shape that we do not know is there all the same: what is stored of it stays.
    fn note_unread(&mut self, json: &str) {
        let envelope = serde_json::from_str::<Unknown<'_>>(json).ok();
        let ts = envelope.and_then(|envelope| envelope.ts).filter(|ts| ts::micros(ts).is_some());
        self.ids.extend(ts.map(|ts| MessageId::from(&*ts)));
    }

    /// Notes what a message tells; `false` for one that lies outside the window.
    fn note(&mut self, raw: &RawMessage<'_>, (from, to): (i64, i64)) -> bool {
        let Some(ts) = raw.ts.as_deref() else { return true };
        let Some(at) = ts::micros(ts) else { return true };
        if at < from || at > to {
            return false;
        }
        self.ids.push(ts.into());
        let here = Extent { first: at, last: at };
        self.extent = Some(self.extent.map_or(here, |extent| extent.with(here)));
        match raw.thread_ts.as_deref().and_then(ts::micros) {
            Some(root) if root != at => self.replies.push((root, at)),
            _ => self.roots.push(Root {
                at,
                count: raw.reply_count.unwrap_or(0),
                latest: raw.latest_reply.as_deref().map(str::to_owned),
            }),
        }
        true
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

/// Slack's address of a message, which need not be asked for.
fn shown(mut message: Message, channel: &str, home: &Home) -> Message {
    if message.permalink.is_some() || message.deleted_at.is_some() || home.url.is_empty() {
        return message;
    }
    let id = message.id.as_str().replace('.', "");
    let mut link = format!("{}archives/{channel}/p{id}", home.url);
    if let Some(root) = message.thread_id.as_ref().filter(|root| **root != message.id) {
        link.push_str(&format!("?thread_ts={root}&cid={channel}"));
    }
    message.permalink = Some(link);
    message
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
