//! What an upload says about its file.

use serde::{Deserialize, Serialize};

/// What is declared about a file beside its content.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ImportOptions {
    /// The file's own name; a table without a column for channels is the channel of this name.
    pub file_name: Option<String>,
    /// Which columns (fields of JSON lines) hold what; those left out are recognised by their usual names.
    pub columns: Columns,
    /// The zone of times that name none, by its IANA name; UTC when left out.
    pub timezone: Option<String>,
    /// Whether `03/04/2026` is the third of April. Without it such a time is an error, never a guess.
    pub day_first: Option<bool>,
    /// The encoding, by its label (`gb18030`); recognised when left out.
    pub encoding: Option<String>,
    /// The character between columns; recognised when left out.
    pub delimiter: Option<char>,
    /// How many of a hundred rows may be unreadable before the file is refused; 50 when left out.
    pub max_error_percent: Option<u8>,
}

/// Names of columns.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Columns {
    /// The text of a message.
    pub content: Option<String>,
    /// When it was sent.
    pub timestamp: Option<String>,
    /// Who wrote it, as shown.
    pub author: Option<String>,
    /// Who wrote it, by an id.
    pub author_id: Option<String>,
    /// Its id.
    pub id: Option<String>,
    /// The id of the first message of its thread.
    pub thread: Option<String>,
    /// Its channel.
    pub channel: Option<String>,
}
