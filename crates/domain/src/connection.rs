//! Accounts of ours at platforms.

use serde::{Deserialize, Serialize};

use crate::{ConnectionId, Platform, SyncError, Timestamp};

/// An account of ours at a platform, or a set of imported files of one workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Connection {
    /// Our id.
    pub id: ConnectionId,
    /// The name people gave it, or the workspace's.
    pub name: String,
    /// The platform.
    pub platform: Platform,
    /// The platform's id of the workspace: with it an import finds its connection again.
    pub workspace: String,
    /// Where its server is, for platforms that people run themselves.
    pub base_url: Option<String>,
    /// How it stands.
    pub status: ConnectionStatus,
    /// What the platform last said to it, when that was a refusal.
    pub error: Option<SyncError>,
    /// When it was made.
    pub created_at: Timestamp,
}

/// How a connection stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConnectionStatus {
    /// Nothing is known against it. One of imported files needs no more.
    Connected,
    /// Its credentials were taken away.
    Disconnected,
    /// The platform refuses its credentials.
    Error,
}

impl ConnectionStatus {
    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Connected => "connected",
            Self::Disconnected => "disconnected",
            Self::Error => "error",
        }
    }
}
