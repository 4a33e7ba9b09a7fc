//! The steps of a walk: the channel's own messages, then the lists of threads.

use std::collections::BTreeSet;

use domain::Message;

use super::{
    api::{Asked, Bot, PAGE},
    message::{self, Place},
    raw::RawThreads,
    snowflake,
    threads::{self, FAILED, KNOWN},
    walk::{Extent, LOOKBACK, Step, Walk},
};
use crate::{ConnectorError, Known, Next, Page, Stream};

/// Threads that are put on the list at once though no list of Discord's names them.
const UNLISTED: u32 = 500;

/// Threads that failed before and are tried again in one walk: each costs a refusal, and those are counted.
const RETRIED: u32 = 20;

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

    /// A page of messages; where the walk goes on behind it, down to a message, that is asked for meanwhile.
    pub(super) async fn slice(
        &self,
        walk: &Walk,
        channel: &str,
        thread: Option<u64>,
        before: Option<u64>,
        down_to: u64,
    ) -> Result<(Vec<Message>, Extent), ConnectorError> {
        let of = thread.map_or_else(|| channel.to_owned(), |thread| thread.to_string());
        let asked = Asked { channel: &of, before, began: walk.began };
        let raw = self.messages(&walk.guild, channel, asked).await?;
        let extent = Extent::of(&raw);
        if let before @ Some(_) = extent.behind(down_to) {
            self.look_ahead(Asked { before, ..asked });
        }
        let place = Place { guild: &walk.guild, channel: &of, is_thread: thread.is_some() };
        let messages = raw.iter().filter_map(|raw| message::message(raw, place)).collect();
        Ok((messages, extent))
    }

    /// From the newest message back, at least a page and at least a day before the walk before.
    async fn top(
        &self,
        channel: &str,
        walk: &Walk,
        before: Option<u64>,
    ) -> Result<Page, ConnectorError> {
        let (messages, extent) = self.slice(walk, channel, None, before, walk.bound()).await?;
        if let Some(before) = extent.behind(walk.bound()) {
            let next = walk.then(Step::Top { before: Some(before) })?;
            return Ok(seen(messages, next));
        }
        let walked = walk.window(Stream::TopLevel, extent.seen_from(), i64::MAX);
        let next = walk.then(Step::Active)?;
        Ok(Page { walked, ..seen(messages, next) })
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
}

/// A page of messages that all lie in windows of the walk.
pub(super) fn seen(messages: Vec<Message>, next: Next) -> Page {
    let sightings = messages.iter().map(|message| message.id.clone()).collect();
    Page { sightings, ..Page::new(messages, next) }
}

fn millis(time: &str) -> Option<i64> {
    chrono::DateTime::parse_from_rfc3339(time).ok().map(|time| time.timestamp_millis())
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
