//! Connections to live platforms, their sealed credentials, and what is walked through them.

use async_trait::async_trait;
use domain::{Channel, Connection, ConnectionId, Job, Platform, SyncError, Timestamp};

use super::channels::NewChannel;
use crate::Result;

/// Credentials that only the holder of a master key can read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sealed {
    /// Names the master key.
    pub master_key: String,
    /// The key that the credentials are sealed with, wrapped by the master key.
    pub wrapped_key: Vec<u8>,
    /// The credentials.
    pub bytes: Vec<u8>,
}

/// A connection that is to be made.
#[derive(Debug, Clone)]
pub struct NewConnection {
    /// Its id: a new one, or that of the workspace's connection that has no credentials.
    pub id: ConnectionId,
    /// Its name.
    pub name: String,
    /// The platform.
    pub platform: Platform,
    /// The platform's id of the workspace.
    pub workspace: String,
    /// Where its server is, for platforms that people run themselves.
    pub base_url: Option<String>,
    /// What it opens an account with.
    pub credentials: Sealed,
}

/// What became of a connection that was to be made.
#[derive(Debug, Clone)]
pub enum Added {
    /// It is there.
    Added(Connection),
    /// Its workspace has a connection with credentials already.
    Exists(ConnectionId),
}

/// A connection's credentials, for those who may open them.
#[derive(Debug, Clone)]
pub struct Credentials {
    /// The connection.
    pub connection: Connection,
    /// Grows with every change of them.
    pub version: i64,
    /// The credentials; none were given, or they were taken away.
    pub sealed: Option<Sealed>,
}

/// A connection with what there is of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectionSummary {
    /// The connection.
    pub connection: Connection,
    /// Channels known through it.
    pub channels: u64,
    /// End of the newest completed sync of one of them.
    pub last_sync: Option<Timestamp>,
}

/// What is to change about a connection; `None` stays.
#[derive(Debug, Clone, Default)]
pub struct ConnectionChange {
    /// Its name.
    pub name: Option<String>,
    /// Where its server is.
    pub base_url: Option<String>,
    /// What it opens an account with; what the platform said to the old ones is forgotten.
    pub credentials: Option<Sealed>,
}

/// A schedule for every channel that is chosen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Five POSIX cron fields.
    pub expression: String,
    /// IANA name of their time zone.
    pub timezone: String,
    /// When it fires next.
    pub next_sync: Option<Timestamp>,
}

/// Connections to live platforms.
#[async_trait]
pub trait Connections: Send + Sync + 'static {
    /// The connection of a workspace that has no credentials (only imports, or taken away, or removed): to
    /// be taken up by the next to connect it.
    async fn vacant_connection(
        &self,
        platform: Platform,
        workspace: &str,
    ) -> Result<Option<ConnectionId>>;
    /// Makes a connection, or takes up the workspace's vacant one.
    async fn add_connection(&self, new: &NewConnection) -> Result<Added>;
    /// Connections by id, from after a given one.
    async fn connections(
        &self,
        after: Option<&ConnectionId>,
        limit: u32,
    ) -> Result<Vec<ConnectionSummary>>;
    /// A connection with its counts.
    async fn connection_summary(&self, id: &ConnectionId) -> Result<Option<ConnectionSummary>>;
    /// A connection's credentials.
    async fn credentials(&self, id: &ConnectionId) -> Result<Option<Credentials>>;
    /// Changes a connection; `None` when it does not exist.
    async fn change_connection(
        &self,
        id: &ConnectionId,
        change: &ConnectionChange,
    ) -> Result<Option<Connection>>;
    /// Notes what the platform says to these credentials: `None` that it accepts them. Ignored when there
    /// are newer ones.
    async fn judge_credentials(
        &self,
        id: &ConnectionId,
        version: i64,
        error: Option<&SyncError>,
    ) -> Result<bool>;
    /// Takes a connection's credentials away and ends the jobs that would need them; `None` when it does
    /// not exist. The connection stays.
    async fn disconnect(&self, id: &ConnectionId, error: &SyncError) -> Result<Option<Vec<Job>>>;
    /// Likewise, and the connection is gone. Its channels and what was made of them stay; their schedules
    /// go.
    async fn remove_connection(
        &self,
        id: &ConnectionId,
        error: &SyncError,
    ) -> Result<Option<Vec<Job>>>;
    /// Channels known through a connection, each with whether its platform is walked.
    async fn connection_channels(&self, id: &ConnectionId) -> Result<Vec<(Channel, bool)>>;
    /// Chooses the channels whose platform is walked, all others of the connection are no longer, nor by
    /// schedule. With a plan every chosen one gets that schedule. Answers with the chosen ones, in order.
    async fn choose_channels(
        &self,
        id: &ConnectionId,
        chosen: &[NewChannel],
        plan: Option<&Plan>,
    ) -> Result<Vec<Channel>>;
    /// Credentials that are not under this master key, a bounded number of them.
    async fn under_other_keys(
        &self,
        master_key: &str,
        limit: u32,
    ) -> Result<Vec<(ConnectionId, Platform, Sealed)>>;
    /// Wraps a connection's key anew, unless it has changed meanwhile.
    async fn rewrap(&self, id: &ConnectionId, old: &Sealed, new: &Sealed) -> Result<bool>;
}
