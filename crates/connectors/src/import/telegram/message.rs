//! One message of Telegram's export.

use domain::{
    Message, Timestamp,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde::Deserialize;
use serde_json::{Map, Value, value::RawValue};

use crate::{
    import::{json, words},
    text::{Text, id, shown},
};

/// Reactions that are kept of one message.
const MAX_REACTIONS: usize = 100;

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawMessage {
    id: Option<i64>,
    #[serde(rename = "type")]
    kind: String,
    date_unixtime: Option<String>,
    edited_unixtime: Option<String>,
    from: Option<String>,
    from_id: Option<String>,
    actor: Option<String>,
    actor_id: Option<String>,
    action: Option<String>,
    text: Value,
    file: Option<String>,
    file_name: Option<String>,
    file_size: Option<u64>,
    mime_type: Option<String>,
    photo: Option<String>,
    via_bot: Option<String>,
    reactions: Vec<RawReaction>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawReaction {
    emoji: Option<String>,
    document_id: Option<String>,
    count: u32,
}

pub(super) fn message(record: &RawValue) -> Result<Message, &'static str> {
    let raw: RawMessage = serde_json::from_str(record.get())
        .map_err(|_| "a field has another type than in any export")?;
    let id = raw.id.ok_or("a message without an id")?;
    let sent_at = time(raw.date_unixtime.as_deref()).ok_or("a message without a date_unixtime")?;
    let prose = prose(&raw);
    Ok(Message {
        id: id.to_string().as_str().into(),
        thread_id: None,
        author: author(&raw),
        kind: if raw.kind == "message" { MessageKind::Text } else { MessageKind::System },
        text: prose.text,
        mentions: prose.mentions,
        links: prose.links,
        sent_at,
        edited_at: time(raw.edited_unixtime.as_deref()).filter(|edited| *edited > sent_at),
        deleted_at: None,
        permalink: None,
        reactions: reactions(raw.reactions),
        attachments: attachment(
            raw.file.or(raw.photo),
            raw.file_name,
            raw.mime_type,
            raw.file_size,
        ),
    })
}

fn time(seconds: Option<&str>) -> Option<Timestamp> {
    let seconds: i64 = seconds?.parse().ok()?;
    (0..=99_999_999_999).contains(&seconds).then(|| Timestamp::from_micros(seconds * 1_000_000))
}

fn author(raw: &RawMessage) -> Author {
    let known = raw.from_id.as_deref().or(raw.actor_id.as_deref()).and_then(id);
    let name = raw.from.as_deref().or(raw.actor.as_deref()).and_then(shown);
    let id = known.unwrap_or_else(|| "unknown".to_owned());
    // A channel speaks for itself; what a bot was asked to say is the bot's.
    let kind = match raw.via_bot.is_some() || id.starts_with("channel") {
        true => AuthorKind::Bot,
        false => AuthorKind::Person,
    };
    Author {
        id: id.as_str().into(),
        name: name.unwrap_or_else(|| "Deleted account".to_owned()),
        kind,
    }
}

/// A text, or a list of texts and of marked texts.
fn prose(raw: &RawMessage) -> Text {
    let mut prose = Text::default();
    let parts = match &raw.text {
        Value::Array(parts) => parts.as_slice(),
        single => std::slice::from_ref(single),
    };
    for part in parts {
        match part {
            Value::String(text) => prose.append(words(text)),
            Value::Object(marked) => push_marked(&mut prose, marked),
            _ => {}
        }
    }
    if prose.text.is_empty()
        && let Some(action) = &raw.action
    {
        prose.push(&action.replace('_', " "));
    }
    prose
}

fn push_marked(prose: &mut Text, marked: &Map<String, Value>) {
    let text = json::text(marked, "text").unwrap_or_default();
    match (json::text(marked, "type").as_deref(), json::text(marked, "href")) {
        (Some("text_link"), Some(href)) => prose.push_link(&text, &href),
        (Some("mention"), _) => {
            let name = text.trim_start_matches('@');
            prose.push_mention(name, name);
        }
        (Some("mention_name"), _) => {
            let id = json::text(marked, "user_id").map(|id| format!("user{id}"));
            prose.push_mention(&id.unwrap_or_default(), text.trim_start_matches('@'));
        }
        (Some("pre" | "code"), _) => {
            prose.push("`");
            prose.push(&text);
            prose.push("`");
        }
        _ => prose.append(words(&text)),
    }
}

fn reactions(raw: Vec<RawReaction>) -> Vec<Reaction> {
    let mut reactions: Vec<_> = raw
        .into_iter()
        .take(MAX_REACTIONS)
        .filter_map(|raw| {
            let name = shown(&raw.emoji.or(raw.document_id)?)?;
            Some(Reaction { name, count: raw.count, users: Vec::new() })
        })
        .collect();
    reactions.sort_by(|a, b| a.name.cmp(&b.name));
    reactions.dedup_by(|a, b| a.name == b.name);
    reactions
}

fn attachment(
    path: Option<String>,
    name: Option<String>,
    media_type: Option<String>,
    bytes: Option<u64>,
) -> Vec<Attachment> {
    let Some(path) = path else { return Vec::new() };
    // Files that were left out are described in brackets.
    let base = path.rsplit('/').next().unwrap_or_default().trim_start_matches('(');
    let name = name.as_deref().and_then(shown).or_else(|| shown(base));
    let media_type = media_type.as_deref().and_then(shown);
    let name = name.unwrap_or_else(|| "file".to_owned());
    vec![Attachment { id: name.clone(), name, media_type, bytes }]
}
