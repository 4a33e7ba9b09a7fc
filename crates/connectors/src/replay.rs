//! A connector that replays what it is given: the double of a platform.
//!
//! It behaves as a live platform does: it knows watermarks, has pages, fails as told, and can be made
//! to hang until it is released.

use std::{
    collections::{HashMap, VecDeque},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{Channel, ChannelId, Message};
use tokio::sync::Semaphore;

use crate::{Connector, ConnectorError, Known, Next, Page, PageRequest};

/// What happens before a page is served, in the order given.
#[derive(Debug, Clone)]
pub enum Step {
    /// The page is refused.
    Fail(ConnectorError),
    /// The page comes once [`Replay::release`] is called.
    Hang,
}

/// Replays messages a channel at a time.
pub struct Replay {
    page_size: usize,
    state: Mutex<State>,
    released: Semaphore,
}

#[derive(Default)]
struct State {
    /// Every revision of every message, in the order in which the platform learnt of it.
    said: HashMap<ChannelId, Vec<Message>>,
    steps: VecDeque<Step>,
    pages_served: u64,
}

impl Replay {
    /// An empty platform that serves pages of at most `page_size` messages.
    #[must_use]
    pub fn new(page_size: usize) -> Self {
        Self { page_size: page_size.max(1), state: Mutex::default(), released: Semaphore::new(0) }
    }

    /// Adds messages, or newer revisions of messages.
    pub fn say(&self, channel: &ChannelId, messages: impl IntoIterator<Item = Message>) {
        self.lock().said.entry(channel.clone()).or_default().extend(messages);
    }

    /// What is to happen before the next pages.
    pub fn script(&self, steps: impl IntoIterator<Item = Step>) {
        self.lock().steps.extend(steps);
    }

    /// Lets one hanging page go on.
    pub fn release(&self) {
        self.released.add_permits(1);
    }

    /// How many pages were served.
    #[must_use]
    pub fn pages_served(&self) -> u64 {
        self.lock().pages_served
    }

    /// How many steps of the script are still to come.
    #[must_use]
    pub fn steps_left(&self) -> usize {
        self.lock().steps.len()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn play_step(&self) -> Result<(), ConnectorError> {
        let step = self.lock().steps.pop_front();
        match step {
            Some(Step::Fail(error)) => Err(error),
            Some(Step::Hang) => {
                // Never closed.
                if let Ok(released) = self.released.acquire().await {
                    released.forget();
                }
                Ok(())
            }
            None => Ok(()),
        }
    }
}

fn mark(mark: Option<&str>) -> Result<usize, ConnectorError> {
    mark.map_or(Ok(0), |mark| mark.parse().map_err(|_| ConnectorError::InvalidMark))
}

#[async_trait]
impl Connector for Replay {
    async fn page(
        &self,
        request: &PageRequest,
        _known: &dyn Known,
    ) -> Result<Page, ConnectorError> {
        self.play_step().await?;
        let mut state = self.lock();
        state.pages_served += 1;
        let said = state.said.get(&request.channel.id).map_or(&[][..], Vec::as_slice);
        let walk_start = mark(request.watermark.as_deref())?.min(said.len());
        let start = match request.cursor.as_deref() {
            Some(cursor) => mark(Some(cursor))?.min(said.len()),
            None => walk_start,
        };
        let end = (start + self.page_size).min(said.len());
        let next = match end == said.len() {
            true => Next::End(Some(end.to_string())),
            false => Next::Cursor(end.to_string()),
        };
        let estimate = Some((said.len() - walk_start) as u64);
        Ok(Page { estimate, ..Page::new(said[start..end].to_vec(), next) })
    }

    async fn estimate(
        &self,
        channel: &Channel,
        watermark: Option<&str>,
    ) -> Result<Option<u64>, ConnectorError> {
        let said = self.lock().said.get(&channel.id).map_or(0, Vec::len);
        Ok(Some(said.saturating_sub(mark(watermark)?) as u64))
    }
}

#[cfg(test)]
mod tests;
