//! The client that all calls of a process go through.

use std::{error::Error, net::SocketAddr, time::Duration};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use url::Url;

use super::hosts::{Forbidden, Hosts, is_public};
use crate::ConnectorError;

/// How long a server may take to accept a connection.
const CONNECT_WITHIN: Duration = Duration::from_secs(5);

/// How long a server may be silent in the middle of an answer.
const SILENT_FOR: Duration = Duration::from_secs(30);

/// How long a call may take as a whole.
const WITHIN: Duration = Duration::from_secs(120);

/// A client, and the servers that it may call. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    /// None where everything may be called.
    hosts: Option<Hosts>,
}

impl Client {
    /// A client that calls public servers and those that are listed. It follows no redirects, since those
    /// would carry credentials to whoever a server names, and uses a proxy only when one is given: a proxy
    /// resolves names by itself, so that what they stand for is its to check.
    pub fn new(hosts: Hosts, proxy: Option<&Url>) -> Result<Self, ConnectorError> {
        let unusable = |_| ConnectorError::Request("no HTTP client can be made".into());
        let mut builder = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .connect_timeout(CONNECT_WITHIN)
            .read_timeout(SILENT_FOR)
            .timeout(WITHIN)
            .user_agent(concat!("atlas-sync/", env!("CARGO_PKG_VERSION")))
            .dns_resolver(Guarded {
                hosts: hosts.clone(),
                proxy: proxy.and_then(|proxy| proxy.host_str()).map(str::to_owned),
            });
        if let Some(proxy) = proxy {
            builder = builder.proxy(reqwest::Proxy::all(proxy.clone()).map_err(unusable)?);
        }
        Ok(Self { http: builder.build().map_err(unusable)?, hosts: Some(hosts) })
    }

    /// The servers that an operator has named.
    #[must_use]
    pub fn lists(&self, host: &str) -> bool {
        self.hosts.as_ref().is_none_or(|hosts| hosts.lists(host))
    }

    /// Whether a server may be called.
    pub fn check(&self, url: &Url) -> Result<(), Forbidden> {
        self.hosts.as_ref().map_or(Ok(()), |hosts| hosts.check(url))
    }

    pub(super) fn request(&self, method: reqwest::Method, url: Url) -> reqwest::RequestBuilder {
        self.http.request(method, url)
    }
}

/// A client for servers that tests have started: calls whatever it is told to.
#[cfg(any(test, feature = "contract"))]
impl From<reqwest::Client> for Client {
    fn from(http: reqwest::Client) -> Self {
        Self { http, hosts: None }
    }
}

/// Resolves names to public addresses only: the one place that no answer of a name server gets around.
struct Guarded {
    hosts: Hosts,
    proxy: Option<String>,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let host = name.as_str().to_owned();
        let trusted = self.hosts.lists(&host) || self.proxy.as_deref() == Some(host.as_str());
        Box::pin(async move {
            let found = tokio::net::lookup_host((host.as_str(), 0)).await?;
            let all: Vec<SocketAddr> = found.collect();
            let public: Vec<SocketAddr> =
                all.iter().copied().filter(|at| trusted || is_public(at.ip())).collect();
            if public.is_empty() && !all.is_empty() {
                return Err(Box::new(Forbidden::Private) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

/// Why our own resolver has refused, when it was that.
pub(super) fn forbidden(error: &reqwest::Error) -> Option<Forbidden> {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(forbidden) = error.downcast_ref::<Forbidden>() {
            return Some(forbidden.clone());
        }
        cause = error.source();
    }
    None
}
