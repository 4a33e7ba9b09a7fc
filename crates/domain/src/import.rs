//! Uploaded exports.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::{ChannelId, ConnectionId, ImportId, SyncError, Timestamp, fact::Unknown};

/// The file formats that can be imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportFormat {
    /// Not declared: recognised by the content.
    Auto,
    /// The zip that Slack's workspace export makes.
    SlackExport,
    /// JSON files of DiscordChatExporter, one or a zip of them.
    DiscordChatExporter,
    /// Mattermost's bulk export: JSON lines, plain or in a zip.
    MattermostBulk,
    /// `result.json` of Telegram's desktop export, plain or in a zip.
    Telegram,
    /// A room in JSON as Element exports it, plain or in a zip with attachments.
    ElementExport,
    /// A table with a header.
    Csv,
    /// A JSON object a line.
    Jsonl,
}

impl ImportFormat {
    /// All of them.
    pub const ALL: [Self; 8] = [
        Self::Auto,
        Self::SlackExport,
        Self::DiscordChatExporter,
        Self::MattermostBulk,
        Self::Telegram,
        Self::ElementExport,
        Self::Csv,
        Self::Jsonl,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::SlackExport => "slack_export",
            Self::DiscordChatExporter => "discord_chat_exporter",
            Self::MattermostBulk => "mattermost_bulk",
            Self::Telegram => "telegram",
            Self::ElementExport => "element_export",
            Self::Csv => "csv",
            Self::Jsonl => "jsonl",
        }
    }
}

impl FromStr for ImportFormat {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|format| format.as_str() == name).ok_or(Unknown("import format"))
    }
}

/// Where an import stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ImportStatus {
    /// Its bytes are arriving; not yet accepted.
    Uploading,
    /// Durable, not yet read.
    Queued,
    /// Being read.
    Running,
    /// Its rows are there to be synchronised.
    Completed,
    /// Could not be read.
    Failed,
}

impl ImportStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Uploading => "uploading",
            Self::Queued => "queued",
            Self::Running => "running",
            Self::Completed => "completed",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for ImportStatus {
    type Err = Unknown;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        [Self::Uploading, Self::Queued, Self::Running, Self::Completed, Self::Failed]
            .into_iter()
            .find(|status| status.as_str() == name)
            .ok_or(Unknown("import status"))
    }
}

/// An uploaded export.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Import {
    /// Its id.
    pub id: ImportId,
    /// Its format.
    pub format: ImportFormat,
    /// Where it stands.
    pub status: ImportStatus,
    /// The connection its channels belong to; known once it has been read.
    pub connection_id: Option<ConnectionId>,
    /// The channels that were found in it.
    pub channels: Vec<ChannelId>,
    /// Messages read.
    pub rows: u64,
    /// What could not be read; the first hundred.
    pub row_errors: Vec<RowError>,
    /// Why it failed.
    pub error: Option<SyncError>,
    /// When it was accepted.
    pub created_at: Timestamp,
}

/// A place in an export that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowError {
    /// The file within the export.
    pub file: String,
    /// Line, or number of the record in the file, from 1; 0 for the file as a whole.
    pub line: u64,
    /// What is wrong.
    pub message: String,
}

/// Row errors that are kept of one import.
pub const MAX_ROW_ERRORS: usize = 100;
