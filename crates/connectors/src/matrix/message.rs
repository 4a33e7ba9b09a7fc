//! From an event to a message.

use domain::{
    Message,
    message::{Author, AuthorKind, MessageKind},
};

use super::{
    body,
    content::Content,
    event::{self, ENCRYPTED, Edit, related},
    id,
    people::People,
    raw::RawEvent,
};

/// A message as it was first said; the caller applies what came after.
pub(super) fn said(raw: &RawEvent, room: &str, people: &People) -> Option<Message> {
    let own = id::event(&raw.event_id)?;
    let sender = id::user(&raw.sender)?;
    let in_thread = related(&raw.content, "m.thread").filter(|root| *root != own);
    let began = raw.unsigned.relations.thread.is_some().then_some(own);
    let is_encrypted = raw.kind == ENCRYPTED;
    let is_notice = body::is_notice(&raw.content);
    let mut message = Message {
        id: own.into(),
        thread_id: in_thread.or(began).map(Into::into),
        author: Author {
            id: sender.into(),
            name: people.shown(sender),
            kind: if is_notice { AuthorKind::Bot } else { AuthorKind::Person },
        },
        kind: if is_encrypted { MessageKind::System } else { MessageKind::Text },
        text: body::UNREADABLE.to_owned(),
        mentions: Vec::new(),
        links: Vec::new(),
        sent_at: event::time(raw.origin_server_ts),
        edited_at: None,
        deleted_at: None,
        permalink: Some(permalink(room, own, sender)),
        reactions: Vec::new(),
        attachments: Vec::new(),
    };
    if !is_encrypted {
        write(&mut message, &raw.content, people);
    }
    Some(message)
}

/// A link for people; `via` names a server that knows the room.
fn permalink(room: &str, event: &str, sender: &str) -> String {
    let mut link = String::with_capacity(40 + 2 * room.len() + event.len() + sender.len());
    let parts = [("https://matrix.to/#/", room), ("/", event), ("?via=", id::server(sender))];
    for (before, id) in parts {
        link.push_str(before);
        id::push_part(&mut link, id);
    }
    link
}

fn write(message: &mut Message, content: &Content, people: &People) {
    let words = body::words(content, people);
    message.text = words.text;
    message.mentions = words.mentions;
    message.links = words.links;
    message.attachments = body::attachment(content).into_iter().collect();
}

/// Applies an edit, if it is one of the same person.
pub(super) fn apply(message: &mut Message, edit: &Edit<'_>, people: &People) -> bool {
    if message.author.id.as_str() != edit.by || message.deleted_at.is_some() {
        return false;
    }
    write(message, edit.content, people);
    let at = event::time(edit.at).max(message.sent_at);
    message.edited_at = Some(message.edited_at.map_or(at, |known| known.max(at)));
    true
}

/// What is left of a message that was redacted.
pub(super) fn gone(message: Message, at: i64) -> Message {
    let at = event::time(at).max(message.sent_at);
    message.deleted(at)
}

#[cfg(test)]
mod tests;
