//! An account of ours at a platform.

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use serde_json::{Map, Value};
use url::Url;

use crate::{
    Connector, ConnectorError,
    http::{Client, Limiter},
};

/// What an account is opened with.
pub struct Access {
    /// The client of this process.
    pub client: Client,
    /// The server, for platforms that people run themselves, and for tests.
    pub base_url: Option<Url>,
    /// Tokens and the like, by the names that the platform's module asks for.
    pub credentials: Map<String, Value>,
    /// Counts calls together with all other workers.
    pub limiter: Arc<dyn Limiter>,
    /// Our id of the connection: what its calls are counted under.
    pub connection: String,
}

impl fmt::Debug for Access {
    /// Without credentials.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("connection", &self.connection).finish_non_exhaustive()
    }
}

impl Access {
    /// A credential that is a text.
    #[must_use]
    pub fn credential(&self, name: &str) -> Option<&str> {
        self.credentials.get(name)?.as_str().filter(|text| !text.is_empty())
    }
}

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
