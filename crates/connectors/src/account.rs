//! An account of ours at a platform.

use async_trait::async_trait;

use crate::{Connector, ConnectorError};

/// Who we are at a platform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The platform's id of the workspace, server or tenant: part of what names a message, never the account's.
    pub workspace: String,
    /// What people call it.
    pub workspace_name: String,
    /// The name of the account.
    pub account: String,
}

/// A channel that the platform shows to the account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OfferedChannel {
    /// The platform's id.
    pub external_id: String,
    /// Its name, without `#`.
    pub name: String,
    /// What it is about.
    pub topic: String,
    /// Whether only its members see it.
    pub is_private: bool,
    /// How many are in it, where told.
    pub member_count: Option<u64>,
}

/// Most channels that are listed of one account.
pub const MAX_CHANNELS: usize = 10_000;

/// An account: walks its channels, and tells what there is to walk.
#[async_trait]
pub trait Account: Connector {
    /// Who we are, asked of the platform: proves that the credentials are good.
    async fn identity(&self) -> Result<Identity, ConnectorError>;
    /// The channels it may read, at most [`MAX_CHANNELS`].
    async fn channels(&self) -> Result<Vec<OfferedChannel>, ConnectorError>;
}
