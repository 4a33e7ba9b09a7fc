//! The steps of a walk: the channel's own messages, the lists of threads, the threads, an older page.

use std::collections::BTreeSet;

use domain::{Message, MessageId, Timestamp};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    api::{Bot, PAGE},
    dialect::GONE,
    message::{self, Place},
    raw::{RawChannel, RawMessage, RawThreads},
    snowflake,
    threads::{self, FAILED, KNOWN, State, TODO},
};
use crate::{ConnectorError, Known, Mark, Next, Page, Stream, Window};

/// How far back an increment compares, in milliseconds.
pub(super) const LOOKBACK: i64 = 24 * 60 * 60 * 1_000;

/// How long before a walk began a message must have been sent to count as deleted when it is not seen.
const MARGIN: i64 = 10_000;

/// Threads that are put on the list at once though no list of Discord's names them.
const UNLISTED: u32 = 500;

/// Threads that failed before and are tried again in one walk: each costs a refusal, and those are counted.
const RETRIED: u32 = 20;

/// The mark of the page that is compared in turn.
const SWEEP: &str = "sweep";

/// When the last whole walk began, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Watermark {
    pub(super) began: i64,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Walk {
    guild: String,
    /// A forum has threads only.
    is_forum: bool,
    began: i64,
    /// When the walk before began; a walk without goes through everything.
    since: Option<i64>,
    step: Step,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Step {
    Top { before: Option<u64> },
    Active,
    Archived { before: Option<String> },
    Private { before: Option<u64> },
    Unlisted { after: Option<String> },
    Threads,
    Thread { id: u64, before: Option<u64> },
    Sweep,
}

/// Where the sweep stands: in the channel (`thread` is `None`) or in a thread, before a message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Sweep {
    thread: Option<u64>,
    before: Option<u64>,
}

pub(super) fn read<T: DeserializeOwned>(mark: &str) -> Result<T, ConnectorError> {
    serde_json::from_str(mark).map_err(|_| ConnectorError::InvalidMark)
}

pub(super) fn written<T: Serialize>(mark: &T) -> Result<String, ConnectorError> {
    serde_json::to_string(mark).map_err(|_| ConnectorError::InvalidMark)
}

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis.saturating_mul(1_000))
}

/// What a page of messages holds.
struct Slice {
    messages: Vec<Message>,
    /// Its earliest message; `None` on an empty page.
    earliest: Option<u64>,
    /// Nothing comes before. Discord fills its pages, all but the last one.
    is_last: bool,
}

impl Slice {
    fn of(raw: &[RawMessage], place: Place<'_>) -> Self {
        let earliest = raw.iter().filter_map(|message| snowflake::read(&message.id)).min();
        Self {
            messages: raw.iter().filter_map(|raw| message::message(raw, place)).collect(),
            earliest,
            is_last: raw.len() < PAGE || earliest.is_none(),
        }
    }

    /// The first moment of which this page and those after it show everything.
    fn seen_from(&self) -> i64 {
        match self.earliest {
            Some(earliest) if !self.is_last => snowflake::millis(earliest) + 1,
            _ => 0,
        }
    }
}

impl Walk {
    /// A walk that begins now, by Discord's clock.
    pub(super) fn begin(channel: &RawChannel, since: Option<i64>, now: i64) -> Self {
        let is_forum = matches!(channel.r#type, 15 | 16);
        let step = if is_forum { Step::Active } else { Step::Top { before: None } };
        Self { guild: channel.guild_id.clone(), is_forum, began: now, since, step }
    }

    fn then(&self, step: Step) -> Result<Next, ConnectorError> {
        Ok(Next::Cursor(written(&Self { step, ..self.clone() })?))
    }

    fn end(&self) -> Result<Next, ConnectorError> {
        Ok(Next::End(Some(written(&Watermark { began: self.began })?)))
    }

    /// The id down to which an increment compares.
    fn bound(&self) -> u64 {
        self.since.map_or(0, |since| snowflake::first_of(since - LOOKBACK))
    }

    fn window(&self, of: Stream, from: i64, to: i64) -> Vec<Window> {
        let to = to.min(self.began - MARGIN);
        let window = Window { of, from: at(from), to: at(to) };
        if from <= to { vec![window] } else { Vec::new() }
    }
}

impl Bot {
    pub(super) async fn step(
        &self,
        channel: &str,
        walk: Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        match walk.step.clone() {
            Step::Top { before } => self.top(channel, &walk, before).await,
            Step::Active => self.active(channel, &walk, known).await,
            Step::Archived { before } => self.archived(channel, &walk, before, known).await,
            Step::Private { before } => self.private(channel, &walk, before, known).await,
            Step::Unlisted { after } => unlisted(&walk, after.as_deref(), known).await,
            Step::Threads => self.next_thread(channel, &walk, known).await,
            Step::Thread { id, before } => self.thread(channel, &walk, id, before, known).await,
            Step::Sweep => self.sweep(channel, &walk, known).await,
        }
    }

    async fn slice(
        &self,
        walk: &Walk,
        channel: &str,
        thread: Option<u64>,
        before: Option<u64>,
    ) -> Result<Slice, ConnectorError> {
        let before = before.map(|before| before.to_string());
        let of = thread.map_or_else(|| channel.to_owned(), |thread| thread.to_string());
        let raw = self.messages(&walk.guild, channel, &of, before.as_deref()).await?;
        let place = Place { guild: &walk.guild, channel: &of, is_thread: thread.is_some() };
        Ok(Slice::of(&raw, place))
    }

    /// From the newest message back, at least a page and at least a day before the walk before.
    async fn top(
        &self,
        channel: &str,
        walk: &Walk,
        before: Option<u64>,
    ) -> Result<Page, ConnectorError> {
        let slice = self.slice(walk, channel, None, before).await?;
        let earliest = slice.earliest.filter(|earliest| !slice.is_last && *earliest > walk.bound());
        if let Some(before) = earliest {
            let next = walk.then(Step::Top { before: Some(before) })?;
            return Ok(Page::new(slice.messages, next));
        }
        let walked = walk.window(Stream::TopLevel, slice.seen_from(), i64::MAX);
        let next = walk.then(Step::Active)?;
        Ok(Page { walked, ..Page::new(slice.messages, next) })
    }

    async fn active(
        &self,
        channel: &str,
        walk: &Walk,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let guild = &walk.guild;
        let path = format!("guilds/{guild}/threads/active");
        let list: RawThreads = self.of_channel(channel, self.get(&path, "active", guild)).await?;
        let marks = threads::to_visit(channel, &list.threads, walk.since, known).await?;
        let next = walk.then(Step::Archived { before: None })?;
        Ok(Page { marks, ..Page::new(Vec::new(), next) })
    }

    /// The list is in order of archiving: what was archived before the walk before has not changed since.
    async fn archived(
        &self,
        channel: &str,
        walk: &Walk,
        before: Option<String>,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let path = format!("channels/{channel}/threads/archived/public");
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(before.clone().map(|before| ("before", before)));
        let call = self.get(&path, "archived", channel).query(&query);
        let list: RawThreads = self.of_channel(channel, call).await?;
        let marks = threads::to_visit(channel, &list.threads, walk.since, known).await?;
        let times = list.threads.iter().map(|thread| &thread.thread_metadata.archive_timestamp);
        let times: BTreeSet<&String> = times.filter(|time| !time.is_empty()).collect();
        let is_known = times
            .first()
            .and_then(|time| millis(time))
            .is_none_or(|archived| walk.since.is_some_and(|since| archived < since - LOOKBACK));
        // Threads of the very same time would be left out: the next page begins a time later.
        let next = times.iter().nth(1).or(times.first()).map(|time| (*time).clone());
        let next = match next {
            Some(next) if list.has_more && !is_known && before.as_ref() != Some(&next) => {
                walk.then(Step::Archived { before: Some(next) })?
            }
            _ => walk.then(Step::Private { before: None })?,
        };
        Ok(Page { marks, ..Page::new(Vec::new(), next) })
    }

    /// Private threads that the bot has joined, in order of id; an increment looks at the newest.
    async fn private(
        &self,
        channel: &str,
        walk: &Walk,
        before: Option<u64>,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let path = format!("channels/{channel}/users/@me/threads/archived/private");
        let mut query = vec![("limit", PAGE.to_string())];
        query.extend(before.map(|before| ("before", before.to_string())));
        let call = self.get(&path, "archived-private", channel).query(&query);
        let list = match self.send(call).await {
            Ok(reply) => reply.json()?,
            // Announcements have none.
            Err(ConnectorError::ChannelNotFound(_) | ConnectorError::Request(_)) => {
                RawThreads::default()
            }
            Err(error) => return Err(error),
        };
        let marks = threads::to_visit(channel, &list.threads, walk.since, known).await?;
        let earliest = list.threads.iter().filter_map(|thread| snowflake::read(&thread.id)).min();
        let next = match earliest {
            Some(earliest) if list.has_more && walk.since.is_none() => {
                walk.then(Step::Private { before: Some(earliest) })?
            }
            _ => walk.then(Step::Unlisted { after: None })?,
        };
        Ok(Page { marks, ..Page::new(Vec::new(), next) })
    }

    async fn next_thread(
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

    async fn thread(
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
        let slice = match self.slice(walk, channel, Some(id), before).await {
            Ok(slice) => slice,
            Err(error) => {
                let lost = lost(walk, id, &error, known, Step::Threads).await?;
                return lost.ok_or(error);
            }
        };
        let goes_on = |earliest: &u64| !slice.is_last && *earliest > state.down_to;
        if let Some(before) = slice.earliest.filter(goes_on) {
            let next = walk.then(Step::Thread { id, before: Some(before) })?;
            return Ok(Page::new(slice.messages, next));
        }
        let mut page = Page::new(Vec::new(), walk.then(Step::Threads)?);
        let of = Stream::Thread(name.as_str().into());
        page.walked = walk.window(of, slice.seen_from(), i64::MAX);
        page.messages = slice.messages;
        if slice.is_last && slice.earliest != Some(id) {
            page.messages.extend(first_gone(walk, id, known).await?);
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
    async fn sweep(
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
        let mut sweep: Sweep = mark.and_then(|mark| read(&mark).ok()).unwrap_or_default();
        if walk.is_forum && sweep.thread.is_none() {
            sweep = after(None, known).await?;
        }
        let of = match sweep.thread {
            None if walk.is_forum => return Ok(page),
            None => Stream::TopLevel,
            Some(thread) => Stream::Thread(thread.to_string().into()),
        };
        let slice = match self.slice(walk, channel, sweep.thread, sweep.before).await {
            Ok(slice) => slice,
            Err(error) => {
                let Some(thread) = sweep.thread else { return Err(error) };
                let lost = lost(walk, thread, &error, known, Step::Sweep).await?;
                let Some(lost) = lost else { return Err(error) };
                let next = after(Some(thread), known).await?;
                let mut page = Page { next: walk.end()?, ..lost };
                page.marks.push(Mark { stream: SWEEP.into(), mark: Some(written(&next)?) });
                return Ok(page);
            }
        };
        let to = sweep.before.map_or(i64::MAX, |before| snowflake::millis(before) - 1);
        page.walked = walk.window(of, slice.seen_from(), to);
        page.messages = slice.messages;
        if let (true, Some(thread)) = (slice.is_last, sweep.thread) {
            if slice.earliest != Some(thread) {
                page.messages.extend(first_gone(walk, thread, known).await?);
            }
        }
        let next = match slice.earliest.filter(|_| !slice.is_last) {
            Some(before) => Sweep { before: Some(before), ..sweep },
            None => after(sweep.thread, known).await?,
        };
        page.marks.push(Mark { stream: SWEEP.into(), mark: Some(written(&next)?) });
        Ok(page)
    }
}

fn millis(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis())
}

/// The stream that is swept after a thread, or after the channel's own messages.
async fn after(thread: Option<u64>, known: &dyn Known) -> Result<Sweep, ConnectorError> {
    let after = thread.map(|thread| format!("{KNOWN}{thread}"));
    let next = known.marks_under(KNOWN, after.as_deref(), 1).await?;
    let thread = next.first().and_then(|(name, _)| snowflake::read(name.strip_prefix(KNOWN)?));
    Ok(Sweep { thread, before: None })
}

async fn unlisted(
    walk: &Walk,
    after: Option<&str>,
    known: &dyn Known,
) -> Result<Page, ConnectorError> {
    let (prefix, limit) = match walk.since {
        None => (KNOWN, UNLISTED),
        Some(_) => (FAILED, RETRIED),
    };
    let (marks, next) = threads::unlisted(prefix, after, limit, known).await?;
    let step = match next.filter(|_| walk.since.is_none()) {
        Some(name) => Step::Unlisted { after: Some(name) },
        None => Step::Threads,
    };
    Ok(Page { marks, ..Page::new(Vec::new(), walk.then(step)?) })
}

/// What to do about a thread that cannot be read: one that is gone is deleted with all its messages, one
/// that is refused is tried again by the next walk. `None` when it is not for this thread that it failed.
async fn lost(
    walk: &Walk,
    thread: u64,
    error: &ConnectorError,
    known: &dyn Known,
    step: Step,
) -> Result<Option<Page>, ConnectorError> {
    let mut page = Page::new(Vec::new(), walk.then(step)?);
    let name = &thread.to_string();
    page.marks.push(threads::mark(TODO, name, None)?);
    match error {
        ConnectorError::ChannelNotFound(reason) if reason == GONE => {
            page.walked = walk.window(Stream::Thread(name.as_str().into()), 0, i64::MAX);
            page.messages.extend(first_gone(walk, thread, known).await?);
            page.marks.push(threads::mark(KNOWN, name, None)?);
            page.marks.push(threads::mark(FAILED, name, None)?);
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
    Ok(stored.map(|message| Message {
        deleted_at: Some(at(walk.began)),
        text: String::new(),
        mentions: Vec::new(),
        links: Vec::new(),
        reactions: Vec::new(),
        attachments: Vec::new(),
        permalink: None,
        edited_at: None,
        ..message
    }))
}
