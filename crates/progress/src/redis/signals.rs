//! Hearing what is published on a channel.

use async_trait::async_trait;
use domain::JobId;
use futures_util::StreamExt as _;
use redis::{Client, aio::PubSubStream};

use super::{WITHIN, unavailable};
use crate::{Cancels, ProgressError, Result};

/// A subscription with a connection of its own.
pub(super) struct Signals {
    messages: PubSubStream,
}

impl Signals {
    /// Whatever is published after this is heard.
    pub(super) async fn subscribe(client: &Client, channel: &str) -> Result<Self> {
        let connected = async {
            let mut connection = client.get_async_pubsub().await?;
            connection.subscribe(channel).await?;
            Ok(connection.into_on_message())
        };
        match tokio::time::timeout(WITHIN, connected).await {
            Ok(messages) => Ok(Self { messages: messages.map_err(unavailable)? }),
            Err(late) => Err(ProgressError::Unavailable(Box::new(late))),
        }
    }

    /// The next message; fails when the connection is gone.
    pub(super) async fn text(&mut self) -> Result<String> {
        match self.messages.next().await {
            Some(message) => {
                message.get_payload().map_err(|error| ProgressError::Unavailable(error.into()))
            }
            None => Err(ProgressError::Unavailable("the connection has ended".into())),
        }
    }
}

#[async_trait]
impl Cancels for Signals {
    async fn next(&mut self) -> Result<JobId> {
        loop {
            if let Ok(id) = self.text().await?.parse() {
                return Ok(id);
            }
        }
    }
}
