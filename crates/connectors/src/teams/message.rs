//! From a message of Teams to ours.

use std::collections::BTreeMap;

use chrono::DateTime;
use domain::{
    Message, Timestamp, UserId,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde_json::Value;

use super::raw::{RawAttachment, RawFrom, RawIdentity, RawMention, RawMessage, RawReaction};
use crate::text::{
    self, Text,
    html::{self, Element},
};

/// Attachments, reactions and users of a reaction that are kept of one message.
const MAX_LISTED: usize = 100;

/// Parts of a card that are looked at.
const MAX_PARTS: usize = 200;

/// What a message is in its thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// The first, as far as known without replies.
    Alone,
    /// The first, with replies.
    First,
    /// A reply.
    Reply,
}

/// An id as Graph gives them: a number.
pub(super) fn number(id: &str) -> Option<&str> {
    let fits = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    fits.then_some(id)
}

pub(super) fn time(time: &str) -> Option<Timestamp> {
    let time = DateTime::parse_from_rfc3339(time).ok()?;
    Some(Timestamp::from_micros(time.timestamp_micros()))
}

/// Turns a message of the thread `root` into ours. Graph's ids of replies are unique in their thread only.
pub(super) fn message(raw: &RawMessage<'_>, root: &str, role: Role) -> Option<Message> {
    let own = number(&raw.id)?;
    let sent_at = time(&raw.created_date_time)?;
    let mut message = Message {
        id: match role {
            Role::Alone | Role::First => own.into(),
            Role::Reply => format!("{root}/{own}").into(),
        },
        thread_id: (role != Role::Alone).then(|| root.into()),
        author: author(&raw.from),
        kind: match &*raw.message_type {
            "" | "message" => MessageKind::Text,
            _ => MessageKind::System,
        },
        text: String::new(),
        mentions: Vec::new(),
        links: Vec::new(),
        sent_at,
        edited_at: None,
        deleted_at: None,
        permalink: None,
        reactions: Vec::new(),
        attachments: Vec::new(),
    };
    if !raw.deleted_date_time.is_empty() {
        let told = time(&raw.deleted_date_time).or_else(|| time(&raw.last_modified_date_time));
        message.deleted_at = Some(told.unwrap_or(sent_at).max(sent_at));
        return Some(message);
    }
    let rendered = words(raw);
    message.text = rendered.text;
    message.mentions = rendered.mentions;
    message.links = rendered.links;
    message.edited_at = time(&raw.last_edited_date_time).map(|edited| edited.max(sent_at));
    message.permalink = Some(&raw.web_url)
        .filter(|link| link.starts_with("https://") && link.len() <= 2_000)
        .map(ToString::to_string);
    message.reactions = reactions(&raw.reactions);
    message.attachments = raw.attachments.iter().filter_map(attachment).take(MAX_LISTED).collect();
    Some(message)
}

/// `from` is empty for what Teams itself reports; names may be missing.
fn author(from: &RawFrom) -> Author {
    let of = |identity: &RawIdentity, kind| {
        let id = text::id(&identity.id)?;
        let name = text::shown(&identity.display_name).unwrap_or_else(|| id.clone());
        Some(Author { id: id.into(), name, kind })
    };
    let person = of(&from.user, AuthorKind::Person);
    let programs = [&from.application, &from.device];
    let program = || programs.into_iter().find_map(|program| of(program, AuthorKind::Bot));
    person.or_else(program).unwrap_or_else(|| Author {
        id: "teams".into(),
        name: "Microsoft Teams".to_owned(),
        kind: AuthorKind::Bot,
    })
}

/// The subject, then the body; of a message without words, those of its cards.
fn words(raw: &RawMessage<'_>) -> Text {
    let mut text = Text::default();
    if let Some(subject) = text::line(&raw.subject, 500) {
        text.push(&subject);
        text.push("\n");
    }
    if raw.body.content_type.eq_ignore_ascii_case("text") {
        text.push(&raw.body.content);
    } else {
        text.append(html::render(&raw.body.content, |tag| meaning(tag, &raw.mentions)));
    }
    if text.text.trim().is_empty() {
        let mut lines = Vec::new();
        for card in raw.attachments.iter().filter(|card| card.content_type.contains(".card.")) {
            // A card is JSON, written as a text.
            let parsed = card.content.as_str().and_then(|json| serde_json::from_str(json).ok());
            card_lines(&parsed.unwrap_or_else(|| card.content.clone()), &mut lines, 0);
        }
        text.append(html::render(&lines.join("<br>"), |_| Element::Plain));
    }
    let end = text.text.trim_end().len();
    text.cut_from(end);
    text
}

fn meaning(tag: html::Tag<'_>, mentions: &[RawMention]) -> Element {
    if tag.is("systemEventMessage") {
        return Element::Hidden;
    }
    let Some(id) = tag.attribute("id").filter(|_| tag.is("at")) else { return Element::Plain };
    let mention = mentions.iter().find(|m| m.id.is_some_and(|of| of.to_string() == id));
    let person = mention.map(|mention| &mention.mentioned.user);
    match (person, person.and_then(|person| text::id(&person.id))) {
        (Some(person), Some(id)) => {
            let name = text::shown(&person.display_name);
            let told = mention.and_then(|mention| text::shown(&mention.mention_text));
            Element::Mention { id, name: name.or(told) }
        }
        // A tag, a channel or a team.
        _ => Element::Plain,
    }
}

fn card_lines(card: &Value, lines: &mut Vec<String>, depth: usize) {
    if depth > 8 || lines.len() > MAX_PARTS {
        return;
    }
    match card {
        Value::Object(fields) => {
            for name in ["title", "subtitle", "text"] {
                let words = fields.get(name).and_then(Value::as_str).map(str::trim);
                lines.extend(words.filter(|words| !words.is_empty()).map(str::to_owned));
            }
            for name in ["body", "items", "columns", "sections", "facts", "inlines"] {
                if let Some(inner) = fields.get(name) {
                    card_lines(inner, lines, depth + 1);
                }
            }
        }
        Value::Array(parts) => parts.iter().for_each(|part| card_lines(part, lines, depth + 1)),
        _ => {}
    }
}

fn reactions(raw: &[RawReaction]) -> Vec<Reaction> {
    let mut by_name = BTreeMap::<String, (u32, Vec<UserId>)>::new();
    for reaction in raw {
        let Some(name) = text::id(&reaction.reaction_type) else { continue };
        let (count, users) = by_name.entry(name).or_default();
        *count += 1;
        let user = text::id(&reaction.user.user.id);
        users.extend(user.filter(|_| users.len() < MAX_LISTED).map(UserId::from));
    }
    let reactions = by_name.into_iter().take(MAX_LISTED).map(|(name, (count, mut users))| {
        users.sort();
        users.dedup();
        Reaction { name, count, users }
    });
    reactions.collect()
}

/// Files; cards and quoted messages are words, not files.
fn attachment(attached: &RawAttachment) -> Option<Attachment> {
    if attached.content_type.contains(".card.") || attached.content_type == "messageReference" {
        return None;
    }
    Some(Attachment {
        id: text::id(&attached.id)?,
        name: text::shown(&attached.name).unwrap_or_else(|| "file".to_owned()),
        // `reference` says where it lies, not what it is.
        media_type: text::line(&attached.content_type, 128).filter(|kind| kind.contains('/')),
        bytes: None,
    })
}

#[cfg(test)]
mod tests;
