//! One slice of a walk.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::{Connector, ConnectorError, Next, PageRequest};
use domain::{Channel, Failure, Stage as StageName, task::ClaimedTask, task::TaskInput};
use store::{Effect, PageEffect, PageNext, Store};
use worker::{Context, Stage};

use crate::known::StoredChannel;

/// Longest slice; the page that passes it is its last.
const SLICE: Duration = Duration::from_secs(60);

/// Fetches messages.
pub struct FetchStage {
    store: Arc<dyn Store>,
    connector: Arc<dyn Connector>,
}

impl FetchStage {
    /// A stage that walks channels of this source.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, connector: Arc<dyn Connector>) -> Self {
        Self { store, connector }
    }

    async fn channel(&self, task: &ClaimedTask) -> Result<Channel, Failure> {
        let channel = self.store.channel(&task.channel_id).await?;
        channel.ok_or_else(|| {
            ConnectorError::ChannelNotFound("it is no longer registered here".into()).into()
        })
    }
}

#[async_trait]
impl Stage for FetchStage {
    fn stage(&self) -> StageName {
        StageName::FetchingMessages
    }

    async fn run(&self, task: &ClaimedTask, context: &Context) -> Result<Effect, Failure> {
        let TaskInput::Fetch { cursor } = &task.input else {
            return Err(ConnectorError::InvalidMark.into());
        };
        if cursor.is_none() && self.store.any_pending(&task.channel_id).await? {
            while context.commit(Effect::Leftovers).await?.more {}
        }
        let watermark = match task.force {
            true => None,
            false => self.store.watermark(&task.channel_id).await?,
        };
        let channel = self.channel(task).await?;
        let mut request = PageRequest { channel, watermark, cursor: cursor.clone() };
        let known = StoredChannel::new(self.store.clone(), task.channel_id.clone());
        let mut begins = cursor.is_none();
        let begun = Instant::now();
        loop {
            let page = self.connector.page(&request, &known).await?;
            let next = match page.next {
                Next::End(watermark) => PageNext::End(watermark),
                Next::Cursor(next) if request.cursor.as_ref() == Some(&next) => {
                    return Err(ConnectorError::Platform("the walk stands still".into()).into());
                }
                Next::Cursor(next) if begun.elapsed() > SLICE || context.closing() => {
                    PageNext::NewSlice(next)
                }
                Next::Cursor(next) => {
                    request.cursor = Some(next.clone());
                    PageNext::SameSlice(next)
                }
            };
            let goes_on = matches!(next, PageNext::SameSlice(_));
            let effect = Effect::Page(PageEffect {
                messages: page.messages,
                estimate: page.estimate,
                begins: std::mem::take(&mut begins),
                sightings: page.sightings,
                walked: page.walked,
                marks: page.marks,
                next,
            });
            if !goes_on {
                return Ok(effect);
            }
            context.commit(effect).await?;
        }
    }
}
