//! From a post to our message.

use std::collections::HashSet;

use domain::{
    Message, MessageId, Timestamp, UserId,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde_json::{Map, Value};

use super::{
    people::{People, Person},
    raw::{RawFile, RawPost, RawReaction},
};
use crate::text::{self, Text, markdown};

/// Files, reactions, users of a reaction and boxes of an integration that are kept of one post.
const MAX_LISTED: usize = 100;

/// Words behind an `@` that name nobody in particular.
const EVERYBODY: [&str; 3] = ["all", "channel", "here"];

/// Longest name behind an `@`.
const MAX_USERNAME: usize = 64;

/// The time of a post: milliseconds.
pub(super) const fn time(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis.saturating_mul(1_000))
}

/// Ids of the people who wrote posts, and names that are addressed in them.
pub(super) fn people_of<'p>(
    posts: impl Iterator<Item = &'p RawPost>,
) -> (HashSet<String>, HashSet<String>) {
    let mut ids = HashSet::new();
    let mut names = HashSet::new();
    for post in posts {
        ids.extend(text::id(&post.user_id));
        if is_deleted(post) {
            continue;
        }
        for (at, _) in post.message.match_indices('@') {
            let before = post.message[..at].chars().next_back();
            names.extend(
                candidates(before, &post.message[at + 1..]).map(|name| name.to_lowercase()),
            );
        }
    }
    (ids, names)
}

/// Turns a post into a message; `None` where it is none: an earlier version of an edited post, or nothing
/// that has an id and a time.
pub(super) fn message(post: &RawPost, people: &People, base: &str) -> Option<Message> {
    let id = text::id(&post.id)?;
    if post.create_at <= 0 || !post.original_id.is_empty() {
        return None;
    }
    let mut message = Message {
        thread_id: thread(post, &id),
        author: author(post, people),
        kind: match post.kind.starts_with("system_") {
            true => MessageKind::System,
            false => MessageKind::Text,
        },
        text: String::new(),
        mentions: Vec::new(),
        links: Vec::new(),
        sent_at: time(post.create_at),
        edited_at: None,
        deleted_at: None,
        permalink: None,
        reactions: Vec::new(),
        attachments: Vec::new(),
        id: id.as_str().into(),
    };
    if is_deleted(post) {
        message.deleted_at = Some(time(post.delete_at.max(post.update_at).max(post.create_at)));
        return Some(message);
    }
    let rendered = render(&words(post), people);
    message.text = rendered.text;
    message.mentions = rendered.mentions;
    message.links = rendered.links;
    message.edited_at = (post.edit_at >= post.create_at).then(|| time(post.edit_at));
    message.permalink = Some(format!("{base}/_redirect/pl/{id}"));
    message.reactions = reactions(&post.metadata.reactions);
    message.attachments = attachments(post);
    Some(message)
}

fn is_deleted(post: &RawPost) -> bool {
    post.delete_at > 0 || post.state == "DELETED"
}

fn thread(post: &RawPost, id: &str) -> Option<MessageId> {
    match text::id(&post.root_id) {
        Some(root) => Some(root.into()),
        None => (post.reply_count > 0).then(|| id.into()),
    }
}

/// Integrations post in the name of the person who set them up: that person has said nothing.
fn author(post: &RawPost, people: &People) -> Author {
    let prop = |name: &str| post.props.get(name).and_then(Value::as_str);
    let is_set = |name: &str| prop(name) == Some("true");
    let known = people.with_id(&post.user_id);
    let id = text::id(&post.user_id).unwrap_or_else(|| "unknown".to_owned());
    if is_set("from_webhook") {
        let names = [prop("override_username"), prop("webhook_display_name")];
        let name = names.into_iter().flatten().find_map(text::shown);
        let name = name.unwrap_or_else(|| "webhook".to_owned());
        return Author { id: format!("webhook:{id}").into(), name, kind: AuthorKind::Bot };
    }
    let is_bot = ["from_bot", "from_plugin", "from_oauth_app"].into_iter().any(is_set)
        || known.is_some_and(|person| person.is_bot);
    let name = known.map_or_else(|| id.clone(), |person| person.name.clone());
    let kind = if is_bot { AuthorKind::Bot } else { AuthorKind::Person };
    Author { id: id.into(), name, kind }
}

/// The words of a post: its own, else those of what an integration attached.
fn words(post: &RawPost) -> String {
    if !post.message.trim().is_empty() {
        return post.message.clone();
    }
    let boxes = post.props.get("attachments").and_then(Value::as_array);
    let boxes = boxes.into_iter().flatten().take(MAX_LISTED).filter_map(Value::as_object);
    boxes.flat_map(box_lines).collect::<Vec<_>>().join("\n")
}

fn box_lines(attached: &Map<String, Value>) -> Vec<String> {
    let field = |of: &Map<String, Value>, name: &str| -> Option<String> {
        let words = of.get(name)?.as_str()?.trim();
        (!words.is_empty()).then(|| words.to_owned())
    };
    let mut lines: Vec<String> =
        ["pretext", "title", "text"].iter().filter_map(|name| field(attached, name)).collect();
    let fields = attached.get("fields").and_then(Value::as_array);
    for of in fields.into_iter().flatten().take(MAX_LISTED).filter_map(Value::as_object) {
        match (field(of, "title"), field(of, "value")) {
            (Some(title), Some(value)) => lines.push(format!("{title}: {value}")),
            (title, value) => lines.extend(title.or(value)),
        }
    }
    if lines.is_empty() {
        lines.extend(field(attached, "fallback"));
    }
    lines
}

fn render(source: &str, people: &People) -> Text {
    markdown::render(source, |place, text| {
        let behind = place.rest.strip_prefix('@')?;
        candidates(place.before, behind).find_map(|name| {
            let Person { id, name: shown, .. } = people.called(&name.to_lowercase())?;
            text.push_mention(id, shown);
            Some(1 + name.len())
        })
    })
}

/// Names that can stand behind an `@`, the longest first: a name may end in a dot, and a sentence as well.
fn candidates<'t>(before: Option<char>, behind: &'t str) -> impl Iterator<Item = &'t str> {
    let of_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let begins = before.is_none_or(|before| !before.is_alphanumeric());
    let length = behind.bytes().take_while(|byte| of_name(*byte)).take(MAX_USERNAME).count();
    let longest = if begins { &behind[..length] } else { "" };
    let shorter = |name: &&'t str| -> Option<&'t str> { name.strip_suffix(['.', '-', '_']) };
    std::iter::successors(Some(longest), shorter)
        .filter(|name| !name.is_empty() && !EVERYBODY.contains(&name.to_lowercase().as_str()))
        .take(4)
}

fn reactions(raw: &[RawReaction]) -> Vec<Reaction> {
    let mut by_name = std::collections::BTreeMap::<String, HashSet<String>>::new();
    for reaction in raw {
        if let (Some(name), Some(user)) =
            (text::id(&reaction.emoji_name), text::id(&reaction.user_id))
        {
            by_name.entry(name).or_default().insert(user);
        }
    }
    let reactions = by_name.into_iter().take(MAX_LISTED).map(|(name, users)| {
        let count = u32::try_from(users.len()).unwrap_or(u32::MAX);
        let mut users: Vec<UserId> = users.into_iter().map(UserId::from).collect();
        users.sort();
        users.truncate(MAX_LISTED);
        Reaction { name, count, users }
    });
    reactions.collect()
}

fn attachments(post: &RawPost) -> Vec<Attachment> {
    let known = post.metadata.files.iter().filter_map(attachment);
    let mut files: Vec<Attachment> = known.take(MAX_LISTED).collect();
    for id in post.file_ids.iter().filter_map(|id| text::id(id)) {
        if files.len() < MAX_LISTED && !files.iter().any(|file| file.id == id) {
            files.push(Attachment { id, name: "file".to_owned(), media_type: None, bytes: None });
        }
    }
    files
}

fn attachment(file: &RawFile) -> Option<Attachment> {
    Some(Attachment {
        id: text::id(&file.id)?,
        name: text::shown(&file.name).unwrap_or_else(|| "file".to_owned()),
        media_type: text::id(&file.mime_type),
        bytes: file.size,
    })
}

#[cfg(test)]
mod tests;
