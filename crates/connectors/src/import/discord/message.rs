//! One message of DiscordChatExporter's.

use std::collections::HashMap;

use chrono::DateTime;
use domain::{
    Message, MessageId, Timestamp,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::{
    discord::markup,
    text::{Text, id, shown},
};

/// Files, reactions and users of a reaction that are kept of one message.
const MAX_LISTED: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawMessage {
    id: Option<String>,
    #[serde(rename = "type")]
    kind: String,
    timestamp: Option<String>,
    timestamp_edited: Option<String>,
    content: String,
    author: RawAuthor,
    attachments: Vec<RawAttachment>,
    embeds: Vec<RawEmbed>,
    reactions: Vec<RawReaction>,
    mentions: Vec<RawAuthor>,
    forwarded_message: Option<RawForward>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAuthor {
    id: Option<String>,
    name: Option<String>,
    nickname: Option<String>,
    is_bot: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct RawAttachment {
    id: Option<String>,
    file_name: Option<String>,
    file_size_bytes: Option<u64>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawEmbed {
    title: Option<String>,
    description: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawReaction {
    emoji: RawEmoji,
    count: u32,
    users: Vec<RawAuthor>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawEmoji {
    name: Option<String>,
    code: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawForward {
    content: String,
}

/// `None` for a thread's reference to the message it began with: that is in its channel's file.
pub(super) fn message(
    record: &RawValue,
    thread: Option<&MessageId>,
) -> Result<Option<Message>, &'static str> {
    let raw: RawMessage = serde_json::from_str(record.get())
        .map_err(|_| "a field has another type than in any export")?;
    if raw.kind == "ThreadStarterMessage" || raw.kind == "21" {
        return Ok(None);
    }
    let own = raw.id.as_deref().and_then(id).ok_or("a message without an id")?;
    let own = own.as_str();
    let sent_at = time(raw.timestamp.as_deref()).ok_or("a message without a timestamp")?;
    let prose = prose(&raw);
    let text = matches!(raw.kind.as_str(), "Default" | "Reply" | "0" | "19" | "20" | "23");
    Ok(Some(Message {
        id: own.into(),
        thread_id: thread.cloned(),
        author: author(&raw.author),
        kind: if text { MessageKind::Text } else { MessageKind::System },
        text: prose.text,
        mentions: prose.mentions,
        links: prose.links,
        sent_at,
        edited_at: time(raw.timestamp_edited.as_deref()).filter(|edited| *edited > sent_at),
        deleted_at: None,
        permalink: None,
        reactions: reactions(raw.reactions),
        attachments: raw.attachments.into_iter().take(MAX_LISTED).filter_map(attachment).collect(),
    }))
}

/// With the exporter's own offset.
fn time(text: Option<&str>) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(text?).ok()?;
    Some(Timestamp::from_micros(time.timestamp_micros()))
}

fn author(raw: &RawAuthor) -> Author {
    let name = raw.nickname.as_deref().and_then(shown).or(raw.name.as_deref().and_then(shown));
    let kind = if raw.is_bot { AuthorKind::Bot } else { AuthorKind::Person };
    let id = raw.id.as_deref().and_then(id).unwrap_or_else(|| "unknown".to_owned());
    Author { id: id.as_str().into(), name: name.unwrap_or_else(|| format!("Unknown ({id})")), kind }
}

/// Mentions are written as names already, or as `<@id>`.
fn prose(raw: &RawMessage) -> Text {
    let names: HashMap<&str, &RawAuthor> =
        raw.mentions.iter().filter_map(|person| Some((person.id.as_deref()?, person))).collect();
    let render =
        |source: &str| markup::render(source, |id| names.get(id).map(|person| author(person).name));
    let mut prose = render(&raw.content);
    if prose.text.is_empty()
        && let Some(forward) = &raw.forwarded_message
    {
        prose = render(&forward.content);
    }
    if prose.text.is_empty() {
        let lines = raw.embeds.iter().flat_map(|embed| [&embed.title, &embed.description]);
        for line in lines.flatten() {
            if !prose.text.is_empty() {
                prose.push("\n");
            }
            prose.append(render(line));
        }
    }
    prose
}

fn reactions(raw: Vec<RawReaction>) -> Vec<Reaction> {
    let mut reactions: Vec<_> = raw
        .into_iter()
        .take(MAX_LISTED)
        .filter_map(|raw| {
            let name = shown(&raw.emoji.code.or(raw.emoji.name)?)?;
            let users = raw.users.iter().filter_map(|user| id(user.id.as_deref()?));
            let mut users: Vec<_> = users.take(MAX_LISTED).map(|id| id.as_str().into()).collect();
            users.sort();
            Some(Reaction { name, count: raw.count, users })
        })
        .collect();
    reactions.sort_by(|a, b| a.name.cmp(&b.name));
    reactions.dedup_by(|a, b| a.name == b.name);
    reactions
}

fn attachment(raw: RawAttachment) -> Option<Attachment> {
    let id = raw.id.as_deref().and_then(id)?;
    let name = raw.file_name.as_deref().and_then(shown).unwrap_or_else(|| id.clone());
    Some(Attachment { id, name, media_type: None, bytes: raw.file_size_bytes })
}
