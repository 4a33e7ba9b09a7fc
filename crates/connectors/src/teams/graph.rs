//! Calls of an app, with tokens that it signs in for.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use serde::de::DeserializeOwned;
use url::Url;

use super::{
    dialect::{MicrosoftGraph, SignIn},
    raw::RawToken,
};
use crate::{
    Access, ConnectorError,
    http::{Ahead, Bucket, Call, Http, Reply},
};

/// Where Microsoft has Graph and its sign-in: nobody else is shown a secret.
const CLOUDS: [(&str, &str, &str); 4] = [
    ("global", "https://graph.microsoft.com", "https://login.microsoftonline.com"),
    ("usgov", "https://graph.microsoft.us", "https://login.microsoftonline.us"),
    ("usgov-dod", "https://dod-graph.microsoft.us", "https://login.microsoftonline.us"),
    ("china", "https://microsoftgraph.chinacloudapi.cn", "https://login.chinacloudapi.cn"),
];

/// Calls a second: what Microsoft has allowed an app of a tenant at all times, and the most that it is tried with.
const PER_SECOND: (u32, u32) = (1, 5);

/// Calls that come at once after a rest.
const BURST: u32 = 20;

/// How long a sign-in proves who we are.
const BELIEVED: Duration = Duration::from_secs(60);

/// A token is not used in its last minutes.
const RESERVE: Duration = Duration::from_secs(5 * 60);

#[derive(Clone)]
struct Token {
    http: Http,
    given: Instant,
    until: Instant,
}

pub(super) struct Graph {
    http: Http,
    sign_in: Http,
    pub(super) tenant: String,
    pub(super) client: String,
    secret: String,
    scope: String,
    bucket: Bucket,
    token: Mutex<Option<Token>>,
    /// Pages that are on their way.
    ahead: Ahead<Reply>,
}

impl Graph {
    pub(super) fn open(access: &Access) -> Result<Self, ConnectorError> {
        let tenant = access.needed("tenant")?.to_owned();
        let of_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.');
        if !tenant.chars().all(of_name) {
            return Err(ConnectorError::Auth("the tenant is neither an id nor a domain".into()));
        }
        let cloud = access.credential("cloud").unwrap_or("global");
        let known = CLOUDS.iter().find(|(name, ..)| *name == cloud).ok_or_else(|| {
            ConnectorError::Auth("there is no such cloud: global, usgov, usgov-dod or china".into())
        })?;
        let address =
            |url: &str| Url::parse(url).map_err(|_| ConnectorError::Request("an address".into()));
        let (graph, login) = match &access.base_url {
            Some(base) => (base.clone(), base.clone()),
            None => (address(known.1)?, address(known.2)?),
        };
        let way = |base: Url, dialect| {
            Http::new(access.client.clone(), base, None, access.limiter.clone(), dialect)
        };
        Ok(Self {
            scope: format!("{}/.default", graph.as_str().trim_end_matches('/')),
            http: way(graph, Arc::new(MicrosoftGraph::default()))?,
            sign_in: way(login, Arc::new(SignIn))?,
            tenant,
            client: access.needed("client_id")?.to_owned(),
            secret: access.needed("client_secret")?.to_owned(),
            bucket: Bucket::learned(
                format!("teams:{}", access.connection),
                PER_SECOND.0,
                PER_SECOND.1,
                BURST,
            ),
            token: Mutex::default(),
            ahead: Ahead::default(),
        })
    }

    /// A way with a token: the one that we have, unless another is wanted.
    pub(super) async fn signed_in(&self, again: bool) -> Result<Http, ConnectorError> {
        if let Some(http) = self.kept().filter(|_| !again) {
            return Ok(http);
        }
        let form = [
            ("grant_type", "client_credentials"),
            ("client_id", &self.client),
            ("client_secret", &self.secret),
            ("scope", &self.scope),
        ];
        let path = format!("{}/oauth2/v2.0/token", self.tenant);
        let token: RawToken = self.sign_in.post(&path).form(&form).send().await?.json()?;
        if token.access_token.is_empty() {
            return Err(ConnectorError::Platform("a sign-in without a token".into()));
        }
        let http = self.http.with_authorization(&format!("Bearer {}", token.access_token))?;
        let lasts = Duration::from_secs(token.expires_in.min(24 * 60 * 60)).saturating_sub(RESERVE);
        let given = Instant::now();
        *self.lock() = Some(Token { http: http.clone(), given, until: given + lasts });
        Ok(http)
    }

    /// A way with the token that we have.
    fn kept(&self) -> Option<Http> {
        let token = self.lock().clone();
        token.filter(|token| Instant::now() < token.until).map(|token| token.http)
    }

    fn lock(&self) -> MutexGuard<'_, Option<Token>> {
        self.token.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A call about a path below the version, or a link that Graph gave.
    fn call(&self, http: &Http, path: &str) -> Call {
        let is_link = path.starts_with("https://") || path.starts_with("http://");
        let call = match is_link {
            true => http.get_url(path),
            false => http.get(&format!("v1.0/{path}")),
        };
        call.header("prefer", "include-unknown-enum-members").bucket(self.bucket.clone())
    }

    /// Asks; a token that is refused is replaced once.
    async fn ask(&self, path: &str) -> Result<Reply, ConnectorError> {
        match self.call(&self.signed_in(false).await?, path).send().await {
            Err(ConnectorError::Auth(_)) => {
                self.call(&self.signed_in(true).await?, path).send().await
            }
            reply => reply,
        }
    }

    /// A list or an object.
    pub(super) async fn get<T: DeserializeOwned>(&self, path: &str) -> Result<T, ConnectorError> {
        self.ask(path).await?.json()
    }

    /// A page about a channel, in a walk that began then.
    pub(super) async fn of_channel(
        &self,
        began: Option<i64>,
        path: &str,
    ) -> Result<Reply, ConnectorError> {
        self.ahead.wanted(&named(began, path), self.proved(path)).await
    }

    /// Asks for a page that will be wanted next, so that Graph works on it while we work on the one before; not
    /// where that needs a new sign-in.
    pub(super) fn look_ahead(&self, began: Option<i64>, path: &str) {
        if let Some(http) = self.kept() {
            self.ahead.ask(named(began, path), self.call(&http, path).send());
        }
    }

    /// When asking about a channel is refused, a new sign-in tells whether the channel is meant, or we.
    async fn proved(&self, path: &str) -> Result<Reply, ConnectorError> {
        let outcome = self.ask(path).await;
        let is_proved = || self.lock().as_ref().is_some_and(|t| t.given.elapsed() < BELIEVED);
        if matches!(outcome, Err(ConnectorError::ChannelNotFound(_)))
            && !is_proved()
            && let Err(refused @ ConnectorError::Auth(_)) = self.signed_in(true).await
        {
            return Err(refused);
        }
        outcome
    }
}

/// A page of a walk.
fn named(began: Option<i64>, path: &str) -> String {
    format!("{} {path}", began.unwrap_or_default())
}
