//! Connections and the channels that their platforms offer.

use connectors::OfferedChannel;
use domain::{ErrorCode, SyncError, Timestamp, error::ErrorDetails};
use serde::Serialize;
use store::ConnectionSummary;
use utoipa::ToSchema;

/// A connection. What it opens accounts with is never told.
#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionReply {
    id: String,
    name: String,
    platform: &'static str,
    base_url: Option<String>,
    /// `connected`, `disconnected` or `error`.
    status: &'static str,
    error: Option<Refusal>,
    #[schema(value_type = String)]
    created_at: Timestamp,
    #[schema(value_type = Option<String>)]
    last_sync: Option<Timestamp>,
    channel_count: u64,
}

/// What the platform said.
#[derive(Serialize, ToSchema)]
pub(crate) struct Refusal {
    #[schema(value_type = String)]
    code: ErrorCode,
    message: String,
    #[schema(value_type = Object)]
    details: ErrorDetails,
}

impl From<SyncError> for Refusal {
    fn from(error: SyncError) -> Self {
        Self { code: error.code, message: error.message, details: error.details }
    }
}

impl From<ConnectionSummary> for ConnectionReply {
    fn from(summary: ConnectionSummary) -> Self {
        let connection = summary.connection;
        Self {
            id: connection.id.to_string(),
            name: connection.name,
            platform: connection.platform.as_str(),
            base_url: connection.base_url,
            status: connection.status.as_str(),
            error: connection.error.map(Refusal::from),
            created_at: connection.created_at,
            last_sync: summary.last_sync,
            channel_count: summary.channels,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct ConnectionList {
    pub(crate) connections: Vec<ConnectionReply>,
    pub(crate) next_cursor: Option<String>,
}

/// Whether the platform takes the credentials.
#[derive(Serialize, ToSchema)]
pub(crate) struct Validity {
    pub(crate) valid: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) error: Option<Refusal>,
}

/// A channel that the platform shows to the connection.
#[derive(Serialize, ToSchema)]
pub(crate) struct OfferedReply {
    /// As the API names it, or will name it once it is chosen, while no other has this name.
    id: String,
    name: String,
    topic: String,
    is_private: bool,
    member_count: Option<u64>,
    /// Whether it is chosen.
    sync_enabled: bool,
}

impl OfferedReply {
    pub(crate) fn new(channel: &OfferedChannel, id: String, sync_enabled: bool) -> Self {
        Self {
            id,
            name: channel.name.clone(),
            topic: channel.topic.clone(),
            is_private: channel.is_private,
            member_count: channel.member_count,
            sync_enabled,
        }
    }
}

#[derive(Serialize, ToSchema)]
pub(crate) struct OfferedList {
    pub(crate) channels: Vec<OfferedReply>,
    pub(crate) next_cursor: Option<String>,
}
