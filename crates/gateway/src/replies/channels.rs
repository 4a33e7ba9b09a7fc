//! Channels and their messages.

use domain::{
    Message, Timestamp,
    message::{Attachment, Reaction},
};
use serde::Serialize;
use store::{ChannelSummary, Totals};
use utoipa::ToSchema;

use super::Author;

/// A channel with what there is of it.
#[derive(Serialize, ToSchema)]
pub(crate) struct ChannelReply {
    id: String,
    name: String,
    platform: &'static str,
    connection_id: String,
    connected: bool,
    #[schema(value_type = Option<String>)]
    last_sync: Option<Timestamp>,
    message_count: u64,
    fact_count: u64,
    entity_count: u64,
    wiki_page_count: u64,
}

impl From<&ChannelSummary> for ChannelReply {
    fn from(summary: &ChannelSummary) -> Self {
        let channel = &summary.channel;
        Self {
            id: channel.id.to_string(),
            name: channel.name.clone(),
            platform: channel.platform.as_str(),
            connection_id: channel.connection_id.to_string(),
            connected: summary.connected,
            last_sync: channel.last_sync,
            message_count: summary.messages,
            fact_count: summary.facts,
            entity_count: summary.entities,
            wiki_page_count: summary.pages,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Channels {
    pub(crate) channels: Vec<ChannelReply>,
    pub(crate) next_cursor: Option<String>,
}

/// A message as it is stored.
#[derive(Serialize, ToSchema)]
pub(crate) struct MessageReply {
    id: String,
    text: String,
    author: Author,
    #[schema(value_type = String)]
    timestamp: Timestamp,
    thread_id: Option<String>,
    #[schema(value_type = Option<String>)]
    edited_at: Option<Timestamp>,
    permalink: Option<String>,
    #[schema(value_type = Vec<Object>)]
    reactions: Vec<Reaction>,
    #[schema(value_type = Vec<Object>)]
    attachments: Vec<Attachment>,
}

impl From<Message> for MessageReply {
    fn from(message: Message) -> Self {
        let author =
            domain::fact::Person { id: Some(message.author.id), name: message.author.name };
        Self {
            id: message.id.to_string(),
            text: message.text,
            author: Author::from(&author),
            timestamp: message.sent_at,
            thread_id: message.thread_id.map(String::from),
            edited_at: message.edited_at,
            permalink: message.permalink,
            reactions: message.reactions,
            attachments: message.attachments,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct Messages {
    pub(crate) messages: Vec<MessageReply>,
    pub(crate) next_cursor: Option<String>,
}

/// Totals over everything.
#[derive(Serialize, ToSchema)]
pub(crate) struct Stats {
    channels: u64,
    messages: u64,
    facts: u64,
    entities: u64,
    relationships: u64,
    wiki_pages: u64,
    active_jobs: u64,
    /// The program's version.
    version: &'static str,
}

impl From<Totals> for Stats {
    fn from(totals: Totals) -> Self {
        Self {
            channels: totals.channels,
            messages: totals.messages,
            facts: totals.facts,
            entities: totals.entities,
            relationships: totals.relationships,
            wiki_pages: totals.pages,
            active_jobs: totals.active_jobs,
            version: env!("CARGO_PKG_VERSION"),
        }
    }
}
