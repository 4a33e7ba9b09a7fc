//! A channel as pages make it, in memory: the store's rules for what a walk brings, without a store.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{Channel, Message, MessageId, Timestamp};

use crate::{Connector, ConnectorError, Known, Next, Page, PageRequest, Stream, Window};

/// One channel, its marks and its watermark.
pub struct Mirror {
    channel: Channel,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    messages: BTreeMap<MessageId, Message>,
    marks: BTreeMap<String, String>,
    sightings: BTreeSet<MessageId>,
    watermark: Option<String>,
    cursor: Option<String>,
    pages: u64,
}

impl Mirror {
    /// An empty one.
    #[must_use]
    pub fn new(channel: Channel) -> Self {
        Self { channel, state: Mutex::default() }
    }

    /// Walks to the end, as a sync does; after an error the next call goes on behind the last page.
    pub async fn walk(&self, connector: &dyn Connector) -> Result<(), ConnectorError> {
        while !self.step(connector).await? {}
        Ok(())
    }

    /// Forgets how far walks came, as `force` does.
    pub fn begin_again(&self) {
        let mut state = self.lock();
        state.watermark = None;
        state.cursor = None;
    }

    /// Reads one page; `true` after the last.
    pub async fn step(&self, connector: &dyn Connector) -> Result<bool, ConnectorError> {
        let request = {
            let mut state = self.lock();
            if state.cursor.is_none() {
                state.sightings.clear();
            }
            PageRequest {
                channel: self.channel.clone(),
                watermark: state.watermark.clone(),
                cursor: state.cursor.clone(),
            }
        };
        let page = connector.page(&request, self).await?;
        Ok(self.lock().apply(page))
    }

    /// The messages that are there, by id.
    #[must_use]
    pub fn live(&self) -> BTreeMap<MessageId, Message> {
        let state = self.lock();
        let live = state.messages.iter().filter(|(_, message)| message.deleted_at.is_none());
        live.map(|(id, message)| (id.clone(), message.clone())).collect()
    }

    /// All messages, deleted ones included.
    #[must_use]
    pub fn messages(&self) -> BTreeMap<MessageId, Message> {
        self.lock().messages.clone()
    }

    /// How many pages were read.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.lock().pages
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn apply(&mut self, page: Page) -> bool {
        self.pages += 1;
        self.sightings.extend(page.sightings);
        for message in page.messages {
            self.upsert(message);
        }
        for window in &page.walked {
            self.delete_unseen(window);
        }
        for mark in page.marks {
            match mark.mark {
                Some(mark_at) => self.marks.insert(mark.stream, mark_at),
                None => self.marks.remove(&mark.stream),
            };
        }
        match page.next {
            Next::Cursor(cursor) => {
                self.cursor = Some(cursor);
                false
            }
            Next::End(watermark) => {
                self.watermark = watermark;
                self.cursor = None;
                true
            }
        }
    }

    /// Only newer revisions replace; a message that is seen again has not been deleted.
    fn upsert(&mut self, mut message: Message) {
        if let Some(stored) = self.messages.get(&message.id) {
            message.thread_id = message.thread_id.or_else(|| stored.thread_id.clone());
            let undeleted = stored.deleted_at.is_some() && message.deleted_at.is_none();
            if message.deleted_at.is_none()
                && message.revised_at() < stored.revised_at()
                && !undeleted
            {
                return;
            }
        }
        self.messages.insert(message.id.clone(), message);
    }

    fn delete_unseen(&mut self, window: &Window) {
        let sightings = &self.sightings;
        let unseen = self.messages.values_mut().filter(|message| {
            message.deleted_at.is_none()
                && message.sent_at >= window.from
                && message.sent_at <= window.to
                && is_of(message, &window.of)
                && !sightings.contains(&message.id)
        });
        for message in unseen {
            message.deleted_at = Some(message.revised_at());
            message.text.clear();
        }
    }
}

fn is_of(message: &Message, stream: &Stream) -> bool {
    match stream {
        Stream::Everything => true,
        Stream::TopLevel => message.thread_id.as_ref().is_none_or(|root| *root == message.id),
        Stream::Thread(root) => message.id != *root && message.thread_id.as_ref() == Some(root),
    }
}

#[async_trait]
impl Known for Mirror {
    async fn marks(&self, streams: &[String]) -> Result<Vec<Option<String>>, ConnectorError> {
        let state = self.lock();
        Ok(streams.iter().map(|stream| state.marks.get(stream).cloned()).collect())
    }

    async fn marks_under(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>, ConnectorError> {
        let state = self.lock();
        let marks = state.marks.iter().filter(|(stream, _)| {
            stream.starts_with(prefix) && after.is_none_or(|after| stream.as_str() > after)
        });
        let marks = marks.map(|(stream, mark)| (stream.clone(), mark.clone()));
        Ok(marks.take(limit as usize).collect())
    }

    async fn newest(&self, of: &Stream) -> Result<Option<(MessageId, Timestamp)>, ConnectorError> {
        let state = self.lock();
        let live = state.messages.values();
        let live = live.filter(|message| message.deleted_at.is_none() && is_of(message, of));
        let newest = live.max_by_key(|message| (message.sent_at, message.id.clone()));
        Ok(newest.map(|message| (message.id.clone(), message.sent_at)))
    }

    async fn messages(&self, ids: &[MessageId]) -> Result<Vec<Message>, ConnectorError> {
        let state = self.lock();
        Ok(ids.iter().filter_map(|id| state.messages.get(id).cloned()).collect())
    }
}
