//! One slice of a walk: first through what was imported of the channel, then through its platform.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::{Connector, ConnectorError, Next, Page, PageRequest};
use domain::{Failure, Stage as StageName, task::ClaimedTask, task::TaskInput};
use store::{Effect, PageEffect, PageNext, Store, WalkStart};
use worker::{Context, Stage};

use crate::known::StoredChannel;

/// Longest slice; the page that passes it is its last.
const SLICE: Duration = Duration::from_secs(60);

/// Fetches messages.
pub struct FetchStage {
    store: Arc<dyn Store>,
    imported: Arc<dyn Connector>,
    live: Arc<dyn Connector>,
}

/// A walk through one source.
struct Walk<'w> {
    source: &'w dyn Connector,
    request: PageRequest,
    live: bool,
    /// Whether the platform is walked after it.
    then_live: bool,
    begun: Instant,
}

impl FetchStage {
    /// A stage that walks what was imported, and platforms.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        imported: Arc<dyn Connector>,
        live: Arc<dyn Connector>,
    ) -> Self {
        Self { store, imported, live }
    }

    async fn start(&self, task: &ClaimedTask) -> Result<WalkStart, Failure> {
        let start = self.store.walk_start(&task.channel_id).await?;
        start.ok_or_else(|| {
            ConnectorError::ChannelNotFound("it is no longer registered here".into()).into()
        })
    }

    /// Walks a source; `None` when it is walked to its end and the platform comes next.
    async fn walk(&self, mut walk: Walk<'_>, context: &Context) -> Result<Option<Effect>, Failure> {
        let known = StoredChannel::new(self.store.clone(), walk.request.channel.id.clone());
        let mut begins = walk.request.cursor.is_none();
        loop {
            let page = walk.source.page(&walk.request, &known).await?;
            if begins && walk.then_live && is_nothing_new(&page, &walk.request) {
                return Ok(None);
            }
            let next = walk.next(page.next, context)?;
            let goes_on = match &next {
                PageNext::SameSlice(_) => true,
                PageNext::Live(_) | PageNext::NewSlice(_) | PageNext::End(_) => false,
            };
            let then_live = matches!(next, PageNext::Live(_));
            let effect = Effect::Page(PageEffect {
                messages: page.messages,
                estimate: page.estimate,
                begins: std::mem::take(&mut begins),
                sightings: page.sightings,
                walked: page.walked,
                marks: page.marks,
                live: walk.live,
                next,
            });
            if !goes_on && !then_live {
                return Ok(Some(effect));
            }
            context.commit(effect).await?;
            if then_live {
                return Ok(None);
            }
        }
    }
}

impl Walk<'_> {
    fn next(&mut self, next: Next, context: &Context) -> Result<PageNext, Failure> {
        Ok(match next {
            Next::End(watermark) if self.then_live => PageNext::Live(watermark),
            Next::End(watermark) => PageNext::End(watermark),
            Next::Cursor(next) if self.request.cursor.as_ref() == Some(&next) => {
                return Err(ConnectorError::Platform("the walk stands still".into()).into());
            }
            Next::Cursor(next) if self.begun.elapsed() > SLICE || context.closing() => {
                PageNext::NewSlice(next)
            }
            Next::Cursor(next) => {
                self.request.cursor = Some(next.clone());
                PageNext::SameSlice(next)
            }
        })
    }
}

fn not_chosen() -> ConnectorError {
    ConnectorError::ChannelNotFound("it is no longer chosen: choose it again".into())
}

/// Whether a first page is the last and changes nothing: the usual, when little is imported.
fn is_nothing_new(page: &Page, request: &PageRequest) -> bool {
    page.messages.is_empty() && page.next == Next::End(request.watermark.clone())
}

#[async_trait]
impl Stage for FetchStage {
    fn stage(&self) -> StageName {
        StageName::FetchingMessages
    }

    async fn run(&self, task: &ClaimedTask, context: &Context) -> Result<Effect, Failure> {
        let begun = Instant::now();
        let (imported, cursor) = match &task.input {
            TaskInput::Fetch { cursor } => (true, cursor.clone()),
            TaskInput::FetchLive { cursor } => (false, cursor.clone()),
            _ => return Err(ConnectorError::InvalidMark.into()),
        };
        let start = self.start(task).await?;
        if imported && cursor.is_none() && start.any_pending {
            while context.commit(Effect::Leftovers).await?.more {}
        }
        if start.not_chosen {
            return Err(not_chosen().into());
        }
        let WalkStart { channel, live, .. } = start;
        let mut live_cursor = cursor.clone();
        if imported {
            let watermark = start.watermark.filter(|_| !task.force);
            let request = PageRequest { channel: channel.clone(), watermark, cursor };
            let then_live = live.is_some();
            let walk = Walk { source: &*self.imported, request, live: false, then_live, begun };
            if let Some(effect) = self.walk(walk, context).await? {
                return Ok(effect);
            }
            live_cursor = None;
        }
        let live = live.ok_or_else(not_chosen)?;
        let watermark = live.watermark.filter(|_| !task.force);
        let request = PageRequest { channel, watermark, cursor: live_cursor };
        let walk = Walk { source: &*self.live, request, live: true, then_live: false, begun };
        let effect = self.walk(walk, context).await?;
        effect.ok_or_else(|| ConnectorError::InvalidMark.into())
    }
}
