//! Accounts of stored connections.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use connectors::{
    Access, Account, ConnectorError, Identity, OfferedChannel,
    http::{Client, Limiter},
};
use domain::{Classify as _, ConnectionId, Platform};
use progress::Progress;
use serde_json::{Map, Value};
use store::{Credentials, Sealed, Store, StoreError};
use tracing::{info, warn};
use url::Url;

use crate::{
    KeyError, MasterKeys, SharedLimiter, platforms,
    seal::{Owner, open, seal},
};

/// How long an account is kept open: so long its credentials are in memory after the last use.
const OPEN_FOR: Duration = Duration::from_secs(5 * 60);

/// How long a list of channels is told again without asking the platform.
const OFFERED_FOR: Duration = Duration::from_secs(60);

/// Opens accounts, each once, for all who need it.
pub struct Accounts {
    store: Arc<dyn Store>,
    client: Client,
    limiter: Arc<dyn Limiter>,
    keys: MasterKeys,
    open: Mutex<HashMap<ConnectionId, Open>>,
}

/// An open account.
#[derive(Clone)]
pub(crate) struct Open {
    pub(crate) account: Arc<dyn Account>,
    /// Of the credentials that it was opened with.
    pub(crate) version: i64,
    since: Instant,
    offered: Option<(Instant, Arc<Vec<OfferedChannel>>)>,
}

/// What an account is opened with that is not stored yet.
#[derive(Clone)]
pub struct Entered {
    /// The platform.
    pub platform: Platform,
    /// Where its server is.
    pub base_url: Option<Url>,
    /// Tokens and the like.
    pub credentials: Map<String, Value>,
}

impl Accounts {
    /// Accounts of the connections in a store.
    #[must_use]
    pub fn new(
        store: Arc<dyn Store>,
        progress: Arc<dyn Progress>,
        client: Client,
        keys: MasterKeys,
    ) -> Self {
        let limiter = Arc::new(SharedLimiter::new(progress));
        Self { store, client, limiter, keys, open: Mutex::default() }
    }

    /// The client that calls go out by: knows which servers may be called.
    #[must_use]
    pub const fn client(&self) -> &Client {
        &self.client
    }

    /// Asks the platform who credentials belong to.
    pub async fn identify(
        &self,
        entered: Entered,
        id: &ConnectionId,
    ) -> Result<Identity, ConnectorError> {
        self.account(id, entered)?.identity().await
    }

    /// Seals credentials for a connection.
    pub fn seal(
        &self,
        id: &ConnectionId,
        platform: Platform,
        credentials: &Map<String, Value>,
    ) -> Result<Sealed, KeyError> {
        seal(&self.keys, Owner { connection: id, platform }, credentials)
    }

    /// Asks the platform whether it still takes a connection's credentials, and notes its answer.
    pub async fn validate(&self, id: &ConnectionId) -> Result<(), ConnectorError> {
        let held = self.held(id).await?;
        let (version, workspace) = (held.version, held.connection.workspace.clone());
        let outcome = match self.account(id, self.unsealed(held)?)?.identity().await {
            Ok(identity) if identity.workspace != workspace => {
                Err(ConnectorError::NotConnected(format!(
                    "its credentials belong to {}, the connection to another workspace: give it its own",
                    identity.workspace_name
                )))
            }
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        match &outcome {
            Ok(()) => self.judge(id, version, None).await?,
            Err(error) if error.retry() == domain::Retry::Never => {
                self.judge(id, version, Some(error)).await?;
            }
            // That it does not answer says nothing about the credentials.
            Err(_) => {}
        }
        outcome
    }

    /// The channels that the platform shows to a connection, as it told within the last minute.
    pub async fn offered(
        &self,
        id: &ConnectionId,
    ) -> Result<Arc<Vec<OfferedChannel>>, ConnectorError> {
        let open = self.open(id).await?;
        if let Some((at, offered)) = &open.offered
            && at.elapsed() < OFFERED_FOR
        {
            return Ok(offered.clone());
        }
        let outcome = open.account.channels().await;
        if let Err(error) = &outcome
            && error.sync_error().code == domain::ErrorCode::AuthError
        {
            self.judge(id, open.version, Some(error)).await?;
        }
        let mut offered = outcome?;
        offered.sort_by(|a, b| a.external_id.cmp(&b.external_id));
        offered.dedup_by(|a, b| a.external_id == b.external_id);
        let offered = Arc::new(offered);
        if let Some(kept) = self.lock().get_mut(id).filter(|kept| kept.version == open.version) {
            kept.offered = Some((Instant::now(), offered.clone()));
        }
        Ok(offered)
    }

    /// Notes what the platform says to credentials: nothing against them, or why it refuses them.
    pub(crate) async fn judge(
        &self,
        id: &ConnectionId,
        version: i64,
        refusal: Option<&ConnectorError>,
    ) -> Result<(), ConnectorError> {
        let error = refusal.map(ConnectorError::sync_error);
        let judged = self.store.judge_credentials(id, version, error.as_ref()).await;
        match (judged.map_err(unavailable)?, &error) {
            (true, Some(error)) => warn!(connection = %id, error = %error.message, "refused"),
            (true, None) => info!(connection = %id, "its credentials are good again"),
            (false, _) => {}
        }
        Ok(())
    }

    /// The account of a connection, opened by its credentials as they are now.
    pub(crate) async fn open(&self, id: &ConnectionId) -> Result<Open, ConnectorError> {
        let held = self.held(id).await?;
        {
            let mut open = self.lock();
            open.retain(|_, open| open.since.elapsed() < OPEN_FOR);
            if let Some(open) = open.get(id).filter(|open| open.version == held.version) {
                return Ok(open.clone());
            }
        }
        let version = held.version;
        let account = self.account(id, self.unsealed(held)?)?;
        let open = Open { account, version, since: Instant::now(), offered: None };
        self.lock().insert(id.clone(), open.clone());
        Ok(open)
    }

    async fn held(&self, id: &ConnectionId) -> Result<Credentials, ConnectorError> {
        let held = self.store.credentials(id).await.map_err(unavailable)?;
        held.ok_or_else(|| {
            let why = "the connection was removed: connect the workspace again";
            ConnectorError::NotConnected(why.into())
        })
    }

    fn unsealed(&self, held: Credentials) -> Result<Entered, ConnectorError> {
        let Credentials { connection, sealed, .. } = held;
        let sealed = sealed.ok_or_else(|| {
            let why = "the connection has no credentials: give it new ones";
            ConnectorError::NotConnected(why.into())
        })?;
        let owner = Owner { connection: &connection.id, platform: connection.platform };
        let opened = open(&self.keys, owner, &sealed);
        let credentials = opened.map_err(|error| ConnectorError::Locked(error.to_string()))?;
        let base_url = connection.base_url.as_deref().map(Url::parse).transpose();
        let base_url = base_url.map_err(|_| {
            let why = "the connection's address cannot be read: change it";
            ConnectorError::NotConnected(why.into())
        })?;
        Ok(Entered { platform: connection.platform, base_url, credentials })
    }

    fn account(
        &self,
        id: &ConnectionId,
        entered: Entered,
    ) -> Result<Arc<dyn Account>, ConnectorError> {
        let Entered { platform, base_url, credentials } = entered;
        let access = Access {
            client: self.client.clone(),
            base_url,
            credentials,
            limiter: self.limiter.clone(),
            connection: id.to_string(),
        };
        platforms::open(platform, access)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ConnectionId, Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unavailable(error: StoreError) -> ConnectorError {
    warn!(%error, "connections cannot be read");
    ConnectorError::Unavailable
}
