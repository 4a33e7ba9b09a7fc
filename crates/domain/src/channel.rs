//! Channels and the platforms they come from.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use crate::{ChannelId, ConnectionId, Timestamp};

/// Where messages come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Platform {
    /// Slack, live or by its export.
    Slack,
    /// Matrix, by any homeserver.
    Matrix,
    /// Mattermost, live or by its bulk export.
    Mattermost,
    /// Discord, live or by DiscordChatExporter's files.
    Discord,
    /// Microsoft Teams, by Microsoft Graph.
    Teams,
    /// Telegram, by its export.
    Telegram,
    /// Tables and lines of no platform we know.
    Files,
}

impl Platform {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Slack,
        Self::Matrix,
        Self::Mattermost,
        Self::Discord,
        Self::Teams,
        Self::Telegram,
        Self::Files,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Slack => "slack",
            Self::Matrix => "matrix",
            Self::Mattermost => "mattermost",
            Self::Discord => "discord",
            Self::Teams => "teams",
            Self::Telegram => "telegram",
            Self::Files => "files",
        }
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A platform that we do not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown platform")]
pub struct UnknownPlatform;

impl FromStr for Platform {
    type Err = UnknownPlatform;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|platform| platform.as_str() == name).ok_or(UnknownPlatform)
    }
}

/// A channel that we know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Channel {
    /// As our API names it.
    pub id: ChannelId,
    /// Where it comes from.
    pub connection_id: ConnectionId,
    /// The platform.
    pub platform: Platform,
    /// The platform's own id.
    pub external_id: String,
    /// Its name, without `#`.
    pub name: String,
    /// What it is about, in its members' words.
    pub topic: String,
    /// End of the newest completed sync.
    pub last_sync: Option<Timestamp>,
}
