//! From a row to a message.

use domain::{
    Message,
    message::{Author, AuthorKind, MessageKind},
};

use super::{columns::Found, rows::Row, times::Times};
use crate::{
    import::{made_id::MadeIds, words},
    text::{id, shown},
};

/// Reads rows of one file.
pub(super) struct Reading<'t> {
    times: &'t Times,
    ids: MadeIds,
}

impl<'t> Reading<'t> {
    pub(super) fn new(times: &'t Times) -> Self {
        Self { times, ids: MadeIds::default() }
    }

    pub(super) fn message(
        &mut self,
        found: &Found,
        row: &Row,
        channel: &str,
    ) -> Result<Message, String> {
        let told = found.timestamp(row).ok_or("a row without a time")?;
        let sent_at = self.times.read(&told)?;
        let content = found.content(row);
        let author = author(found, row);
        let own = found.id(row);
        let prose = words(&content);
        // Of messages without ids the text is part of what they are: times are often told in minutes.
        let made = [channel, author.id.as_str(), &sent_at.micros().to_string(), content.trim()];
        let id_of = |text: &str| id(text).map(|id| domain::MessageId::from(id.as_str()));
        let own = match own {
            Some(own) => id_of(&own).ok_or("an id that is too long")?,
            None => self.ids.of(&made),
        };
        Ok(Message {
            id: own,
            thread_id: found.thread(row).as_deref().and_then(id_of),
            author,
            kind: MessageKind::Text,
            text: prose.text,
            mentions: prose.mentions,
            links: prose.links,
            sent_at,
            edited_at: None,
            deleted_at: None,
            permalink: None,
            reactions: Vec::new(),
            attachments: Vec::new(),
        })
    }
}

fn author(found: &Found, row: &Row) -> Author {
    let name = found.author(row).as_deref().and_then(shown);
    let own = found.author_id(row);
    let own = own.as_deref().and_then(id);
    let id = own.or_else(|| name.clone()).unwrap_or_else(|| "unknown".to_owned());
    Author {
        name: name.unwrap_or_else(|| format!("Unknown ({id})")),
        id: id.as_str().into(),
        kind: AuthorKind::Person,
    }
}
