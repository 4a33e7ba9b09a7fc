//! From a message of Discord's to ours.

use chrono::DateTime;
use domain::{
    Message, MessageId, Timestamp,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde_json::Value;

use super::{
    markup,
    raw::{RawAttachment, RawMessage, RawReaction},
    snowflake,
};
use crate::text;

/// Attachments, reactions, embeds and answers that are kept of one message.
const MAX_LISTED: usize = 100;

/// In a thread: a pointer to the message that began it, which lies in the channel above.
const STARTER: u64 = 21;

/// The reference of a message that was forwarded; others are answered to.
const FORWARD: u64 = 1;

/// Where a message lies.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'p> {
    pub(super) guild: &'p str,
    /// The channel or thread.
    pub(super) channel: &'p str,
    pub(super) is_thread: bool,
}

/// Turns a message into ours; `None` for what is none. A message that answers another is in no thread for
/// that; a thread is a channel.
pub(super) fn message(raw: &RawMessage, place: Place<'_>) -> Option<Message> {
    let id = snowflake::read(&raw.id)?;
    if raw.kind == STARTER {
        return None;
    }
    let rendered = markup::render(&words(raw), markup::one_of(&raw.mentions));
    Some(Message {
        id: raw.id.as_str().into(),
        thread_id: thread(raw, place),
        author: author(raw),
        kind: if is_said(raw) { MessageKind::Text } else { MessageKind::System },
        text: rendered.text,
        mentions: rendered.mentions,
        links: rendered.links,
        sent_at: snowflake::time(id),
        edited_at: edited_at(&raw.edited_timestamp, snowflake::time(id)),
        deleted_at: None,
        permalink: Some(format!(
            "https://discord.com/channels/{}/{}/{}",
            place.guild, place.channel, raw.id
        )),
        reactions: reactions(&raw.reactions),
        attachments: files(raw).filter_map(attachment).take(MAX_LISTED).collect(),
    })
}

/// What people and programs say, as opposed to what Discord reports.
fn is_said(raw: &RawMessage) -> bool {
    matches!(raw.kind, 0 | 19 | 20 | 23)
}

/// A person's message with nothing in it: Discord does not take such, so it has kept the content from us.
pub(super) fn is_kept_from_us(raw: &RawMessage) -> Option<bool> {
    let is_persons = matches!(raw.kind, 0 | 19) && !raw.author.bot && raw.webhook_id.is_empty();
    is_persons.then(|| {
        raw.content.is_empty()
            && raw.embeds.is_empty()
            && raw.attachments.is_empty()
            && raw.components.is_empty()
            && raw.sticker_items.is_empty()
            && raw.message_snapshots.is_empty()
            && raw.poll.is_none()
    })
}

fn thread(raw: &RawMessage, place: Place<'_>) -> Option<MessageId> {
    if place.is_thread {
        return Some(place.channel.into());
    }
    // The thread that a message begins has its id.
    raw.thread.as_ref().map(|_| raw.id.as_str().into())
}

fn author(raw: &RawMessage) -> Author {
    let is_bot = raw.author.bot || raw.author.system || !raw.webhook_id.is_empty();
    let id = text::id(&raw.author.id).unwrap_or_else(|| "unknown".to_owned());
    let name = markup::name(&raw.author).unwrap_or_else(|| id.clone());
    let kind = if is_bot { AuthorKind::Bot } else { AuthorKind::Person };
    Author { id: id.into(), name, kind }
}

fn edited_at(time: &str, sent_at: Timestamp) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(time).ok()?;
    Some(Timestamp::from_micros(time.timestamp_micros()).max(sent_at))
}

/// The words of a message: its own, else those of what it forwards, shows or asks.
fn words(raw: &RawMessage) -> String {
    if !raw.content.trim().is_empty() {
        return raw.content.clone();
    }
    let mut lines = Vec::new();
    if raw.message_reference.r#type == FORWARD {
        for forwarded in raw.message_snapshots.iter().take(1) {
            lines.push(forwarded.message.content.clone());
            lines.extend(forwarded.message.embeds.iter().take(MAX_LISTED).flat_map(embed));
        }
    }
    lines.extend(raw.embeds.iter().take(MAX_LISTED).flat_map(embed));
    lines.extend(raw.poll.iter().flat_map(poll));
    if lines.iter().all(|line| line.trim().is_empty()) {
        lines.extend(raw.sticker_items.iter().take(3).map(|sticker| sticker.name.clone()));
    }
    lines.retain(|line| !line.trim().is_empty());
    lines.join("\n")
}

fn field(of: &Value, path: &[&str]) -> Option<String> {
    let found = path.iter().try_fold(of, |of, name| of.get(name))?;
    Some(found.as_str()?.trim().to_owned()).filter(|words| !words.is_empty())
}

fn entries<'v>(of: &'v Value, name: &str) -> impl Iterator<Item = &'v Value> {
    of.get(name).and_then(Value::as_array).into_iter().flatten().take(MAX_LISTED)
}

fn embed(embed: &Value) -> Vec<String> {
    let mut lines: Vec<String> =
        ["title", "description"].into_iter().filter_map(|name| field(embed, &[name])).collect();
    for of in entries(embed, "fields") {
        match (field(of, &["name"]), field(of, &["value"])) {
            (Some(name), Some(value)) => lines.push(format!("{name}: {value}")),
            (name, value) => lines.extend(name.or(value)),
        }
    }
    lines
}

fn poll(poll: &Value) -> Vec<String> {
    let question = field(poll, &["question", "text"]).into_iter();
    let answers = entries(poll, "answers").filter_map(|a| field(a, &["poll_media", "text"]));
    question.chain(answers.map(|answer| format!("- {answer}"))).collect()
}

/// Discord tells how many reacted, not who.
fn reactions(raw: &[RawReaction]) -> Vec<Reaction> {
    let named = raw.iter().filter_map(|reaction| {
        let name = text::id(&reaction.emoji.name)?;
        Some(Reaction { name, count: reaction.count, users: Vec::new() })
    });
    let mut reactions: Vec<Reaction> = named.take(MAX_LISTED).collect();
    reactions.sort_by(|a, b| a.name.cmp(&b.name));
    reactions
}

fn files(raw: &RawMessage) -> impl Iterator<Item = &RawAttachment> {
    let forwarded = raw.message_snapshots.iter().take(1).flat_map(|of| &of.message.attachments);
    raw.attachments.iter().chain(forwarded)
}

/// Addresses of files are signed and end within a day: not kept.
fn attachment(file: &RawAttachment) -> Option<Attachment> {
    let named = [&file.title, &file.filename];
    let name = named.into_iter().find_map(|name| text::shown(name));
    Some(Attachment {
        id: text::id(&file.id)?,
        name: name.unwrap_or_else(|| "file".to_owned()),
        media_type: text::line(&file.content_type, 128),
        bytes: file.size,
    })
}

#[cfg(test)]
mod tests;
