//! The steps of a walk: the list of threads, the changes since it began, the replies that were left over.

use domain::{Message, MessageId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use super::{
    dialect::EXPIRED,
    graph::Graph,
    message::{self, Role, number},
    raw::{self, RawMessages},
};
use crate::{ConnectorError, Known, Mark, Next, Page, Stream, Window, mark};

/// Threads of one page: the most that Graph gives.
const PAGE: &str = "50";

/// How far before a walk the changes begin that it asks for, in milliseconds.
const OVERLAP: i64 = 10 * 60 * 1_000;

/// How long before a walk began a message must have been sent to count as deleted when it is not seen.
const MARGIN: i64 = 10_000;

/// Longest link of Graph's that is kept.
const MAX_LINK: usize = 16 * 1024;

/// Threads that failed before and are tried again in one walk.
const RETRIED: u32 = 20;

/// A thread with more replies than came with it; its mark is the link to them.
const TODO: &str = "todo:";

/// A thread whose replies could not be read, to be tried again by the next walk.
const FAILED: &str = "failed:";

/// The link to the changes since the last walk.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) changes: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    step: Step,
    /// When a walk through everything began.
    whole: Option<i64>,
    /// The link to the changes after this walk, once it is known.
    changes: Option<String>,
    /// Not all has been seen.
    is_partial: bool,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    List { link: Option<String> },
    Changes { link: String },
    Replies,
}

impl Walk {
    pub(super) const fn whole() -> Self {
        Self { step: Step::List { link: None }, whole: None, changes: None, is_partial: false }
    }

    pub(super) fn changes(mark: Watermark) -> Self {
        Self { step: Step::Changes { link: mark.changes }, ..Self::whole() }
    }

    fn then(self, step: Step) -> Result<Next, ConnectorError> {
        Ok(Next::Cursor(mark::written(&Self { step, ..self })?))
    }
}

fn link(link: &str) -> Result<Option<String>, ConnectorError> {
    match link {
        "" => Ok(None),
        link if link.len() <= MAX_LINK => Ok(Some(link.to_owned())),
        _ => Err(ConnectorError::Platform("a link that is too long".into())),
    }
}

/// A channel of a team.
#[derive(Debug, Clone)]
pub(super) struct Place {
    /// The path of its messages.
    pub(super) messages: String,
}

impl Graph {
    pub(super) async fn step(
        &self,
        place: &Place,
        walk: Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        match walk.step.clone() {
            Step::List { link } => self.list(place, walk, link).await,
            Step::Changes { link } => self.changes(place, walk, &link, known).await,
            Step::Replies => self.replies(place, walk, known).await,
        }
    }

    async fn list(
        &self,
        place: &Place,
        mut walk: Walk,
        from: Option<String>,
    ) -> Result<Page, ConnectorError> {
        let first = || format!("{}?$top={PAGE}&$expand=replies", place.messages);
        let path = from.unwrap_or_else(first);
        let reply = self.of_channel(walk.whole, &path).await?;
        let list: RawMessages<'_> = reply.json()?;
        let now = reply.served_at().unwrap_or(reply.asked_at).micros() / 1_000;
        let began = *walk.whole.get_or_insert(now);
        let step = match link(&list.next)? {
            Some(next) => {
                self.look_ahead(walk.whole, &next);
                Step::List { link: Some(next) }
            }
            None => {
                // What happened meanwhile may have moved threads between pages.
                let since =
                    chrono::DateTime::from_timestamp_millis(began - OVERLAP).unwrap_or_default();
                let since = since.format("%Y-%m-%dT%H:%M:%S.000Z");
                let filter = format!("$filter=lastModifiedDateTime%20gt%20{since}");
                let link = format!("{}/delta?$top={PAGE}&$expand=replies&{filter}", place.messages);
                self.look_ahead(walk.whole, &link);
                Step::Changes { link }
            }
        };
        Ok(Page { next: walk.then(step)?, ..read(&list)?.0 })
    }

    async fn changes(
        &self,
        place: &Place,
        walk: Walk,
        from: &str,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let reply = match self.of_channel(walk.whole, from).await {
            Ok(reply) => reply,
            Err(ConnectorError::Request(why)) if why == EXPIRED && walk.whole.is_none() => {
                return self.list(place, Walk::whole(), None).await;
            }
            Err(error) => return Err(error),
        };
        let list: RawMessages<'_> = reply.json()?;
        let next = link(&list.next)?;
        if let Some(next) = &next {
            self.look_ahead(walk.whole, next);
        }
        let (mut page, gone) = read(&list)?;
        page.messages.extend(removed(&gone, known).await?);
        page.next = match (next, link(&list.delta)?) {
            (Some(next), _) => walk.then(Step::Changes { link: next })?,
            (None, Some(delta)) => {
                let walk = Walk { changes: Some(delta), ..walk };
                let failed = known.marks_under(FAILED, None, RETRIED).await?;
                for (name, _) in failed {
                    let root = name.strip_prefix(FAILED).unwrap_or_default();
                    page.marks
                        .push(Mark { stream: format!("{TODO}{root}"), mark: Some(String::new()) });
                }
                if page.marks.is_empty() && known.marks_under(TODO, None, 1).await?.is_empty() {
                    return ended(page, &walk);
                }
                walk.then(Step::Replies)?
            }
            (None, None) => {
                return Err(ConnectorError::Platform("a list of changes without an end".into()));
            }
        };
        Ok(page)
    }

    async fn replies(
        &self,
        place: &Place,
        walk: Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let todo = known.marks_under(TODO, None, 1).await?;
        let Some((name, at)) = todo.into_iter().next() else {
            return ended(Page::new(Vec::new(), Next::End(None)), &walk);
        };
        let root = name.strip_prefix(TODO).and_then(number).unwrap_or_default().to_owned();
        let first = || format!("{}/{root}/replies?$top={PAGE}", place.messages);
        let path = Some(at.clone()).filter(|at| !at.is_empty()).unwrap_or_else(first);
        let reply = match self.of_channel(walk.whole, &path).await {
            Ok(reply) => reply,
            // A link into the middle that has expired: from the beginning.
            Err(ConnectorError::Request(_)) if !at.is_empty() => {
                let again = Mark { stream: name, mark: Some(String::new()) };
                let page = Page::new(Vec::new(), walk.then(Step::Replies)?);
                return Ok(Page { marks: vec![again], ..page });
            }
            Err(ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_)) => {
                let walk = Walk { is_partial: true, ..walk };
                let page = Page::new(Vec::new(), walk.then(Step::Replies)?);
                let failed = Mark { stream: format!("{FAILED}{root}"), mark: Some("1".into()) };
                return Ok(Page { marks: vec![failed, Mark { stream: name, mark: None }], ..page });
            }
            Err(error) => return Err(error.at(root)),
        };
        let list: RawMessages<'_> = reply.json()?;
        let next = link(&list.next)?;
        if let Some(next) = &next {
            self.look_ahead(walk.whole, next);
        }
        let mut page = seen(replies(&list.value, &root).collect(), walk.then(Step::Replies)?);
        if next.is_none() {
            page.marks.push(Mark { stream: format!("{FAILED}{root}"), mark: None });
        }
        page.marks.push(Mark { stream: name, mark: next });
        Ok(page)
    }
}

fn seen(messages: Vec<Message>, next: Next) -> Page {
    let sightings = messages.iter().map(|message| message.id.clone()).collect();
    Page { sightings, ..Page::new(messages, next) }
}

/// Threads of a list, with the replies that came with them; those that did not are noted. And the ids of what a
/// list of changes tells to be gone, without saying more of it.
fn read(list: &RawMessages<'_>) -> Result<(Page, Vec<MessageId>), ConnectorError> {
    let (mut messages, mut marks, mut gone) = (Vec::new(), Vec::new(), Vec::new());
    for thread in list.value.iter().filter_map(|thread| raw::read(thread)) {
        if thread.removed.is_some() {
            gone.extend(number(&thread.id).map(MessageId::from));
            continue;
        }
        // Changes may bring a reply by itself.
        let (root, role) = match number(&thread.reply_to_id) {
            Some(root) => (root, Role::Reply),
            None if thread.replies.is_empty() => (&*thread.id, Role::Alone),
            None => (&*thread.id, Role::First),
        };
        let Some(root) = number(root) else { continue };
        messages.extend(message::message(&thread, root, role));
        messages.extend(replies(&thread.replies, root));
        if let Some(more) = link(&thread.more_replies)? {
            marks.push(Mark { stream: format!("{TODO}{root}"), mark: Some(more) });
        }
    }
    Ok((Page { marks, ..seen(messages, Next::End(None)) }, gone))
}

fn replies(raw: &[&RawValue], root: &str) -> impl Iterator<Item = Message> {
    raw.iter().filter_map(move |reply| message::message(&raw::read(reply)?, root, Role::Reply))
}

/// Messages that are gone, as far as they are there.
async fn removed(gone: &[MessageId], known: &dyn Known) -> Result<Vec<Message>, ConnectorError> {
    let mut messages = Vec::new();
    for ids in gone.chunks(1_000) {
        let stored = known.messages(ids).await?;
        let there = stored.into_iter().filter(|message| message.deleted_at.is_none());
        messages.extend(there.map(|message| {
            let at = message.revised_at();
            message.deleted(at)
        }));
    }
    Ok(messages)
}

/// The last page: what was not seen by a walk through everything is gone.
fn ended(mut page: Page, walk: &Walk) -> Result<Page, ConnectorError> {
    if let Some(began) = walk.whole.filter(|_| !walk.is_partial) {
        let to = Timestamp::from_micros((began - MARGIN).saturating_mul(1_000));
        page.walked = vec![Window { of: Stream::Everything, from: Timestamp::from_micros(0), to }];
    }
    let changes = walk.changes.clone().ok_or(ConnectorError::InvalidMark)?;
    page.next = Next::End(Some(mark::written(&Watermark { changes })?));
    Ok(page)
}
