//! Which column holds what.

use super::rows::Row;
use crate::{ImportError, import::Columns};

/// The columns of a file, by their place.
#[derive(Debug, Clone, Default)]
pub(super) struct Found {
    names: Vec<String>,
    content: Option<usize>,
    timestamp: Option<usize>,
    author: Option<usize>,
    author_id: Option<usize>,
    id: Option<usize>,
    thread: Option<usize>,
    channel: Option<usize>,
}

const CONTENT: &[&str] = &["content", "text", "message", "body", "msg"];
const TIMESTAMP: &[&str] =
    &["timestamp", "date", "time", "datetime", "ts", "created_at", "sent_at", "created"];
const AUTHOR: &[&str] = &["author", "user", "username", "user_name", "from", "sender", "name"];
const AUTHOR_ID: &[&str] = &["author_id", "authorid", "user_id", "userid", "sender_id", "from_id"];
const ID: &[&str] = &["id", "message_id", "messageid", "msg_id"];
const THREAD: &[&str] = &["thread_id", "thread_ts", "thread", "root_id", "parent_id"];
const CHANNEL: &[&str] = &["channel", "channel_name", "room", "chat", "conversation"];

impl Found {
    /// Finds the columns of a header; a declared one that is missing is an error, and so is a file without
    /// texts or times.
    pub(super) fn find(names: &[String], declared: &Columns) -> Result<Self, ImportError> {
        let place = |declared: &Option<String>, usual: &[&str]| match declared {
            Some(name) => {
                let at = names.iter().position(|known| known == name);
                at.map(Some).ok_or_else(|| ImportError::NoColumn(name.clone()))
            }
            None => Ok(usual.iter().find_map(|usual| {
                names.iter().position(|known| known.trim().eq_ignore_ascii_case(usual))
            })),
        };
        let found = Self {
            names: names.to_vec(),
            content: place(&declared.content, CONTENT)?,
            timestamp: place(&declared.timestamp, TIMESTAMP)?,
            author: place(&declared.author, AUTHOR)?,
            author_id: place(&declared.author_id, AUTHOR_ID)?,
            id: place(&declared.id, ID)?,
            thread: place(&declared.thread, THREAD)?,
            channel: place(&declared.channel, CHANNEL)?,
        };
        match (found.content, found.timestamp) {
            (Some(_), Some(_)) => Ok(found),
            (None, _) => Err(ImportError::NoColumn("content".to_owned())),
            (_, None) => Err(ImportError::NoColumn("timestamp".to_owned())),
        }
    }

    pub(super) fn names(&self) -> &[String] {
        &self.names
    }

    pub(super) fn content(&self, row: &Row) -> String {
        cell(row, self.content).unwrap_or_default()
    }

    pub(super) fn timestamp(&self, row: &Row) -> Option<String> {
        cell(row, self.timestamp)
    }

    pub(super) fn author(&self, row: &Row) -> Option<String> {
        cell(row, self.author)
    }

    pub(super) fn author_id(&self, row: &Row) -> Option<String> {
        cell(row, self.author_id)
    }

    pub(super) fn id(&self, row: &Row) -> Option<String> {
        cell(row, self.id)
    }

    pub(super) fn thread(&self, row: &Row) -> Option<String> {
        cell(row, self.thread)
    }

    pub(super) fn channel(&self, row: &Row) -> Option<String> {
        cell(row, self.channel)
    }
}

fn cell(row: &Row, place: Option<usize>) -> Option<String> {
    row.get(place?).filter(|cell| !cell.trim().is_empty()).cloned()
}
