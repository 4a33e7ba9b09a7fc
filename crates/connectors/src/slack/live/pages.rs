//! Pages of messages: asked for, perhaps before they are wanted, and read.

use std::{borrow::Cow, collections::BTreeSet};

use domain::{Message, MessageId};
use serde::Deserialize;

use super::{
    api::{Home, Question, Workspace, read},
    reply::Messages,
    ts,
    walk::{Extent, Walk},
};
use crate::{
    ConnectorError, Page,
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

impl Workspace {
    /// Sends a question for messages; a limit is explained with what is left of the walk.
    pub(super) async fn reading(
        &self,
        walk: &Walk,
        question: &Question<'_>,
    ) -> Result<Reply, ConnectorError> {
        self.pace.known(walk.slow);
        let now = async {
            let reply = self.send(question).await;
            reply.map_err(|error| self.pace.explained(error, walk.left()))
        };
        self.ahead.wanted(&question.name(), now).await
    }

    /// Asks for messages that will be wanted next, so that Slack works on them while we work on what it gave
    /// before; not where every page counts.
    pub(super) fn look_ahead(&self, question: &Question<'_>) {
        if !self.pace.is_slow() {
            self.ahead.ask(question.name(), self.call(question).send());
        }
    }

    /// What a reply says of itself; its messages are still to be read.
    pub(super) fn page<'j>(&self, reply: &'j Reply) -> Result<Messages<'j>, ConnectorError> {
        let page: Messages<'_> = read(reply)?;
        self.pace.page(page.messages.len(), page.next().is_some());
        Ok(page)
    }

    /// Reads a page, without what lies outside the window: no server's word is taken for that.
    pub(super) async fn listing(
        &self,
        channel: &str,
        home: &Home,
        page: Messages<'_>,
        window: (i64, i64),
    ) -> Result<Listing, ConnectorError> {
        let mut listing = Listing::default();
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
                if !people.contains(id) {
                    people.extend(crate::text::id(id));
                }
            });
        }
        (listing.next, listing.is_limited) = (page.next(), page.is_limited);
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
}

/// A page in which all of a listing has been seen.
pub(super) fn seen_all(listing: &mut Listing) -> Page {
    let sightings = std::mem::take(&mut listing.ids);
    Page { sightings, ..Page::new(Vec::new(), crate::Next::End(None)) }
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

/// Slack's address of a message, which need not be asked for.
fn shown(mut message: Message, channel: &str, home: &Home) -> Message {
    if message.permalink.is_some() || message.deleted_at.is_some() || home.url.is_empty() {
        return message;
    }
    let mut link = [&home.url, "archives/", channel, "/p"].concat();
    link.extend(message.id.as_str().split('.'));
    if let Some(root) = message.thread_id.as_ref().filter(|root| **root != message.id) {
        link.extend(["?thread_ts=", root.as_str(), "&cid=", channel]);
    }
    message.permalink = Some(link);
    message
}
