//! The pages of walks.

use async_trait::async_trait;
use domain::Channel;

use super::{
    api::{History, Server},
    fold::Folded,
    id,
    walk::{Count, MAX_RESTARTS, Walk, Watermark},
};
use crate::{Connector, ConnectorError, Known, Next, Page, PageRequest, mark};

/// Events that an estimate looks at.
const SAMPLE: usize = 100;

fn room(channel: &Channel) -> Result<&str, ConnectorError> {
    id::room(&channel.external_id)
        .ok_or_else(|| ConnectorError::ChannelNotFound("its id is none that Matrix gives".into()))
}

fn not_joined() -> ConnectorError {
    ConnectorError::ChannelNotFound("let the account of the connection join the room".into())
}

fn page(folded: Folded, next: Next) -> Page {
    Page { marks: folded.marks, ..Page::new(folded.messages, next) }
}

/// How a walk goes on behind a page that was read from a token.
fn behind(
    read: &History,
    from: &str,
    on: impl FnOnce(String) -> Walk,
    end: &Watermark,
) -> Result<Next, ConnectorError> {
    match &read.end {
        // A server that repeats itself has nothing more, or is broken.
        Some(token) if token == from && !read.events.is_empty() => {
            Err(ConnectorError::Platform("the server shows the same page again".into()))
        }
        Some(token) if token != from && !token.is_empty() => {
            Ok(Next::Cursor(mark::written(&on(token.clone()))?))
        }
        _ => Ok(Next::End(Some(mark::written(end)?))),
    }
}

impl Server {
    /// The mark of now: taken before history is read, so that nothing falls between.
    async fn now(&self, room: &str) -> Result<Watermark, ConnectorError> {
        let (news, at) = self.news(room, None).await?;
        if !news.rooms.join.contains_key(room) {
            return Err(not_joined());
        }
        Ok(Watermark { since: news.next_batch, at })
    }

    async fn begin(&self, room: &str, known: &dyn Known) -> Result<Page, ConnectorError> {
        let next = self.now(room).await?;
        let earliest = self.earliest(room).await?;
        let from = next.since.clone();
        self.back(room, next, from, 0, Count { earliest, ..Count::default() }, known).await
    }

    async fn back(
        &self,
        room: &str,
        next: Watermark,
        from: String,
        restarts: u32,
        count: Count,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let read = match self.history(room, &from, None).await {
            Err(ConnectorError::Request(_)) if restarts < MAX_RESTARTS => {
                let (next, restarts) = (self.now(room).await?, restarts + 1);
                let count = Count { earliest: count.earliest, ..Count::default() };
                let from = next.since.clone();
                let again = Walk::Back { next, from, restarts, count };
                return Ok(Page::new(Vec::new(), Next::Cursor(mark::written(&again)?)));
            }
            read => read?,
        };
        let folded = self.fold(room, &read.events, known).await?;
        let times = read.events.iter().map(|event| event.origin_server_ts);
        let count = count.and(times, folded.messages.len());
        let on = |from| Walk::Back { next: next.clone(), from, restarts, count };
        let after = behind(&read, &from, on, &next)?;
        let estimate = match after {
            Next::Cursor(_) => count.expected(next.at),
            Next::End(_) => Some(count.messages),
        };
        Ok(Page { estimate, ..page(folded, after) })
    }

    async fn increment(
        &self,
        room: &str,
        last: &Watermark,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let (mut news, at) = match self.news(room, Some(&last.since)).await {
            Err(ConnectorError::Request(_)) => return self.again(room).await,
            news => news?,
        };
        if news.rooms.leave.contains_key(room) {
            return Err(not_joined());
        }
        let next = Watermark { since: news.next_batch, at };
        let Some(room_news) = news.rooms.join.remove(room) else {
            return Ok(Page::new(Vec::new(), Next::End(Some(mark::written(&next)?))));
        };
        let timeline = room_news.timeline;
        let folded = self.fold(room, &timeline.events, known).await?;
        Ok(match (timeline.limited, timeline.prev_batch) {
            (false, _) => {
                let estimate = Some(folded.messages.len() as u64);
                Page { estimate, ..page(folded, Next::End(Some(mark::written(&next)?))) }
            }
            (true, Some(from)) => {
                page(folded, Next::Cursor(mark::written(&Walk::Gap { next, from })?))
            }
            // Nothing says where the gap is.
            (true, None) => Page { marks: folded.marks, ..self.again(room).await? },
        })
    }

    /// Everything again: a token that leads nowhere says nothing of what has come since, and times do
    /// not either, as every sender's clock is its own.
    async fn again(&self, room: &str) -> Result<Page, ConnectorError> {
        let next = self.now(room).await?;
        let from = next.since.clone();
        let walk = Walk::Back { next, from, restarts: 0, count: Count::default() };
        Ok(Page::new(Vec::new(), Next::Cursor(mark::written(&walk)?)))
    }

    async fn gap(
        &self,
        request: &PageRequest,
        next: Watermark,
        from: String,
        known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        let room = room(&request.channel)?;
        let last = request.watermark.as_deref().ok_or(ConnectorError::InvalidMark)?;
        let last: Watermark = mark::read(last)?;
        let to = Some(last.since.as_str());
        let read = match self.history(room, &from, to).await {
            Err(ConnectorError::Request(_)) => return self.again(room).await,
            read => read?,
        };
        let folded = self.fold(room, &read.events, known).await?;
        let on = |from| Walk::Gap { next: next.clone(), from };
        let after = behind(&read, &from, on, &next)?;
        Ok(page(folded, after))
    }
}

#[async_trait]
impl Connector for Server {
    async fn page(&self, request: &PageRequest, known: &dyn Known) -> Result<Page, ConnectorError> {
        let room = room(&request.channel)?;
        let Some(cursor) = &request.cursor else {
            return match &request.watermark {
                Some(last) => self.increment(room, &mark::read(last)?, known).await,
                None => self.begin(room, known).await,
            };
        };
        match mark::read(cursor)? {
            Walk::Back { next, from, restarts, count } => {
                self.back(room, next, from, restarts, count, known).await
            }
            Walk::Gap { next, from } => self.gap(request, next, from, known).await,
        }
    }

    /// From how dense the newest events are, and how old the room is.
    async fn total(&self, channel: &Channel) -> Result<Option<u64>, ConnectorError> {
        let room = room(channel)?;
        let newest = Server::newest(self, room, SAMPLE).await?;
        let said = |raw| matches!(super::event::read(raw), Some(super::event::Seen::Said(_)));
        let messages = newest.events.iter().filter(|raw| said(raw)).count();
        if newest.end.is_none() {
            return Ok(Some(messages as u64));
        }
        let earliest = self.earliest(room).await?;
        let times = newest.events.iter().map(|event| event.origin_server_ts);
        let count = Count { earliest, ..Count::default() }.and(times, messages);
        Ok(count.expected(chrono::Utc::now().timestamp_millis()))
    }
}
