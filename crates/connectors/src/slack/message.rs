//! From a message as an export writes it to ours.

use std::borrow::Cow;

use domain::{
    Message, Timestamp, UserId,
    message::{Attachment, Author, AuthorKind, MessageKind, Reaction},
};
use serde_json::{Value, value::RawValue};

use super::{
    blocks, mrkdwn,
    raw::{RawFile, RawMessage, RawProfile, RawReaction},
    users::{self, User, Users, shown},
};

/// Files, reactions and users of a reaction that are kept of one message.
const MAX_LISTED: usize = 100;

/// What a record that is no message of ours is.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Unread {
    /// Something that is not a message.
    Skipped,
    /// A message that cannot be understood, and why.
    Broken(&'static str),
}

/// Turns a record into a message.
pub(super) fn message(raw: RawMessage<'_>, users: &Users) -> Result<Message, Unread> {
    if raw.kind.as_deref().is_some_and(|kind| kind != "message") {
        return Err(Unread::Skipped);
    }
    match raw.subtype.as_deref() {
        // Events that carry the message they are about.
        Some("message_changed") => {
            let inner = raw.message.ok_or(Unread::Broken("an edit without its message"))?;
            message(*inner, users)
        }
        Some("message_deleted") => deleted_by_event(&raw, users),
        Some("message_replied") => Err(Unread::Skipped),
        Some("tombstone") => {
            let at = time(raw.ts.as_deref())?;
            Ok(base(&raw, users)?.deleted(at))
        }
        _ if raw.hidden => Err(Unread::Skipped),
        _ => base(&raw, users),
    }
}

fn deleted_by_event(raw: &RawMessage<'_>, users: &Users) -> Result<Message, Unread> {
    let ts = raw.deleted_ts.clone().ok_or(Unread::Broken("a deletion without its message"))?;
    let at = time(raw.ts.as_deref()).or_else(|_| time(Some(&ts)))?;
    let gone = match &raw.previous_message {
        Some(previous) if previous.ts.as_deref() == Some(&*ts) => base(previous, users)?,
        _ => base(&RawMessage { ts: Some(ts), ..RawMessage::default() }, users)?,
    };
    Ok(gone.deleted(at))
}

fn base(raw: &RawMessage<'_>, users: &Users) -> Result<Message, Unread> {
    let ts = raw.ts.as_deref().ok_or(Unread::Broken("a message without ts"))?;
    let sent_at = time(Some(ts))?;
    let author = author(raw, users);
    let source = source(raw);
    let rendered = mrkdwn::render(&source, |id| users.get(id).map(|user| user.name.as_str()));
    Ok(Message {
        id: ts.into(),
        thread_id: thread(raw, ts),
        author,
        kind: kind(raw.subtype.as_deref()),
        text: rendered.text,
        mentions: rendered.mentions,
        links: rendered.links,
        sent_at,
        edited_at: edited_at(raw, sent_at),
        deleted_at: None,
        permalink: permalink(raw),
        reactions: reactions(&raw.reactions),
        attachments: attachments(raw),
    })
}

/// Who must be known to show a message: its author, and those whom its words name.
pub(super) fn people(raw: &RawMessage<'_>, found: &mut dyn FnMut(&str)) {
    for raw in [&raw.message, &raw.previous_message].into_iter().flatten() {
        people(raw, found);
    }
    let is_named = raw.username.is_some() || raw.bot_profile.is_some();
    let ids = [raw.user.as_deref(), raw.bot_id.as_deref().filter(|_| !is_named)];
    ids.into_iter().flatten().for_each(&mut *found);
    for named in source(raw).split("<@").skip(1) {
        let id = named.split(['|', '>', '<']).next().unwrap_or_default();
        found(id);
    }
}

/// `1355517523.000005`: seconds and microseconds.
pub(super) fn time(ts: Option<&str>) -> Result<Timestamp, Unread> {
    let broken = || Unread::Broken("a ts that is no time");
    let ts = ts.ok_or(Unread::Broken("a message without ts"))?;
    let (seconds, fraction) = ts.split_once('.').unwrap_or((ts, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if seconds.len() > 11 || fraction.len() > 6 || !digits(seconds) || !digits(fraction) {
        return Err(broken());
    }
    let seconds: i64 = seconds.parse().map_err(|_| broken())?;
    let micros = fraction.bytes().chain(std::iter::repeat(b'0')).take(6);
    let micros = micros.fold(0, |micros, digit| 10 * micros + i64::from(digit - b'0'));
    Ok(Timestamp::from_micros(seconds * 1_000_000 + micros))
}

fn thread(raw: &RawMessage<'_>, ts: &str) -> Option<domain::MessageId> {
    let thread = raw.thread_ts.as_deref().filter(|thread| time(Some(thread)).is_ok());
    match thread {
        Some(thread) => Some(thread.into()),
        None => (raw.reply_count.unwrap_or(0) > 0).then(|| ts.into()),
    }
}

/// What people say is text; so are uploads, `/me` and what programs post. All else the platform reports.
fn kind(subtype: Option<&str>) -> MessageKind {
    match subtype {
        None
        | Some(
            "bot_message" | "me_message" | "file_share" | "file_comment" | "thread_broadcast"
            | "reply_broadcast" | "slackbot_response" | "tombstone",
        ) => MessageKind::Text,
        Some(_) => MessageKind::System,
    }
}

fn author(raw: &RawMessage<'_>, users: &Users) -> Author {
    let [user, bot] = [&raw.user, &raw.bot_id].map(|id| users.get(id.as_deref()?));
    let known = user.or(bot);
    let is_bot = raw.bot_id.is_some()
        || raw.subtype.as_deref() == Some("bot_message")
        || known.is_some_and(|user| user.kind == AuthorKind::Bot);
    let kind = if is_bot { AuthorKind::Bot } else { AuthorKind::Person };
    let id = [&raw.user, &raw.bot_id].into_iter().find_map(|id| users::id(id.as_deref()?));
    let name = shown_name(raw, known).or_else(|| id.clone());
    let name = name.unwrap_or_else(|| "unknown".to_owned());
    let id = id.unwrap_or_else(|| format!("name:{name}"));
    Author { id: UserId::from(id), name, kind }
}

/// A bot may post under a name of the moment; a person's own name counts, and an account that has left
/// the list is still named by its messages.
fn shown_name(raw: &RawMessage<'_>, known: Option<&User>) -> Option<String> {
    let of_profile = |profile: &RawProfile<'_>| {
        [&profile.display_name, &profile.real_name, &profile.name]
            .into_iter()
            .find_map(|name| name.as_deref().and_then(shown))
    };
    let known_name = || known.map(|user| user.name.clone());
    let posted_as = || raw.username.as_deref().and_then(shown);
    let of_bot = || raw.bot_profile.as_ref().and_then(of_profile);
    let of_user = || raw.user_profile.as_ref().and_then(of_profile);
    if raw.bot_id.is_some() {
        posted_as().or_else(of_bot).or_else(known_name).or_else(of_user)
    } else {
        known_name().or_else(of_user).or_else(posted_as)
    }
}

/// The words of a message: its text, else its blocks, else its attachments.
fn source<'r>(raw: &'r RawMessage<'_>) -> Cow<'r, str> {
    let parsed =
        |raw: Option<&RawValue>| -> Option<Value> { serde_json::from_str(raw?.get()).ok() };
    let text = raw.text.as_deref().unwrap_or_default();
    if !text.trim().is_empty() {
        return Cow::Borrowed(text);
    }
    let words = parsed(raw.blocks).map(|value| blocks::blocks(&value)).unwrap_or_default();
    if !words.is_empty() {
        return Cow::Owned(words);
    }
    let attached = parsed(raw.attachments).map(|value| blocks::attachments(&value));
    Cow::Owned(attached.unwrap_or_default())
}

fn edited_at(raw: &RawMessage<'_>, sent_at: Timestamp) -> Option<Timestamp> {
    let edited = time(raw.edited.as_ref()?.ts.as_deref()).ok()?;
    (edited > sent_at).then_some(edited)
}

fn permalink(raw: &RawMessage<'_>) -> Option<String> {
    let link = raw.permalink.as_deref()?;
    (link.starts_with("https://") && link.len() <= 2_000).then(|| link.to_owned())
}

fn reactions(raw: &[RawReaction]) -> Vec<Reaction> {
    let mut reactions: Vec<_> = raw
        .iter()
        .filter_map(|reaction| Some((users::id(&reaction.name)?, reaction)))
        .take(MAX_LISTED)
        .map(|(name, reaction)| {
            let ids = reaction.users.iter().filter_map(|id| users::id(id));
            let mut users: Vec<UserId> = ids.take(MAX_LISTED).map(UserId::from).collect();
            users.sort();
            let listed = u32::try_from(users.len()).unwrap_or(u32::MAX);
            let count = reaction.count.unwrap_or(listed).max(listed);
            Reaction { name, count, users }
        })
        .collect();
    reactions.sort_by(|a, b| a.name.cmp(&b.name));
    reactions
}

fn attachments(raw: &RawMessage<'_>) -> Vec<Attachment> {
    raw.files.iter().chain(&raw.file).take(MAX_LISTED).filter_map(attachment).collect()
}

/// A deleted file leaves a tombstone with an id only.
fn attachment(file: &RawFile) -> Option<Attachment> {
    if file.mode.as_deref() == Some("tombstone") {
        return None;
    }
    let named = [&file.title, &file.name];
    let name = named.into_iter().find_map(|name| name.as_deref().and_then(shown));
    Some(Attachment {
        id: file.id.as_deref().and_then(users::id).unwrap_or_default(),
        name: name.unwrap_or_else(|| "file".to_owned()),
        media_type: file.mimetype.as_deref().and_then(users::id),
        bytes: file.size,
    })
}

#[cfg(test)]
mod tests;
