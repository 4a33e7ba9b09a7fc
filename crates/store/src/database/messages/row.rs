//! The row of a message.

use domain::{
    ChannelId, Message,
    message::{Author, AuthorKind, MessageKind},
};
use serde::Serialize;

use crate::{
    Result, StoreError,
    database::{
        json,
        row::{Columns as _, Row},
    },
    lanes::Stored,
};

/// A message as it is stored.
pub(in crate::database) fn message(row: &Row) -> Result<Message> {
    Ok(Message {
        id: row.id("message_id")?,
        thread_id: row.optional_id("thread_id")?,
        author: Author {
            id: row.id("author_id")?,
            name: row.column("author_name")?,
            kind: match row.column("author_kind")? {
                "person" => AuthorKind::Person,
                "bot" => AuthorKind::Bot,
                _ => return Err(StoreError::Unreadable { what: "author_kind" }),
            },
        },
        kind: match row.column("kind")? {
            "text" => MessageKind::Text,
            "system" => MessageKind::System,
            _ => return Err(StoreError::Unreadable { what: "kind" }),
        },
        text: row.column("text")?,
        mentions: row.json("mentions")?,
        links: row.json("links")?,
        sent_at: row.time("sent_at")?,
        edited_at: row.optional_time("edited_at")?,
        deleted_at: row.optional_time("deleted_at")?,
        permalink: row.column("permalink")?,
        reactions: row.json("reactions")?,
        attachments: row.json("attachments")?,
    })
}

pub(super) fn stored(row: &Row) -> Result<Stored> {
    Ok(Stored { message: message(row)?, content_hash: row.column("content_hash")? })
}

/// A message on its way into the table.
#[derive(Serialize)]
pub(super) struct NewRow<'m> {
    channel_id: &'m str,
    message_id: &'m str,
    thread_id: Option<&'m str>,
    author_id: &'m str,
    author_name: &'m str,
    author_kind: AuthorKind,
    kind: MessageKind,
    text: &'m str,
    mentions: String,
    links: String,
    reactions: String,
    attachments: String,
    permalink: Option<&'m str>,
    sent_at: i64,
    edited_at: Option<i64>,
    deleted_at: Option<i64>,
    revised_at: i64,
    content_hash: String,
}

impl<'m> NewRow<'m> {
    pub(super) fn new(channel: &'m ChannelId, message: &'m Message) -> Result<Self> {
        Ok(Self {
            channel_id: channel.as_str(),
            message_id: message.id.as_str(),
            thread_id: message.thread_id.as_ref().map(domain::MessageId::as_str),
            author_id: message.author.id.as_str(),
            author_name: &message.author.name,
            author_kind: message.author.kind,
            kind: message.kind,
            text: &message.text,
            mentions: json::encode(&message.mentions)?,
            links: json::encode(&message.links)?,
            reactions: json::encode(&message.reactions)?,
            attachments: json::encode(&message.attachments)?,
            permalink: message.permalink.as_deref(),
            sent_at: message.sent_at.micros(),
            edited_at: message.edited_at.map(domain::Timestamp::micros),
            deleted_at: message.deleted_at.map(domain::Timestamp::micros),
            revised_at: message.revised_at().micros(),
            content_hash: message.content_hash(),
        })
    }
}
