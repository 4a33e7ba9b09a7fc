//! Sending one request.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::{Bytes, BytesMut};
use chrono::Utc;
use domain::Timestamp;
use reqwest::{Method, header::HeaderValue};
use serde::Serialize;
use url::Url;

use super::{Bucket, Client, Dialect, Limiter, Reply, client::forbidden, measure};
use crate::{Access, ConnectorError};

/// A wait longer than this is not waited for: the task is given back, and its slot is free meanwhile.
const LONGEST_WAIT: Duration = Duration::from_secs(2);

/// Largest reply.
const MAX_BODY: usize = 32 << 20;

/// So much is made room for by a server's word.
const MAX_RESERVED: usize = 1 << 20;

/// The way to one server. Cheap to clone.
#[derive(Clone)]
pub struct Http {
    inner: Arc<Inner>,
}

struct Inner {
    client: Client,
    base: Url,
    authorization: Option<HeaderValue>,
    limiter: Arc<dyn Limiter>,
    dialect: Arc<dyn Dialect>,
}

/// One request, to be sent.
pub struct Call {
    http: Http,
    request: Result<reqwest::RequestBuilder, ConnectorError>,
    buckets: Vec<Bucket>,
}

impl Http {
    /// A way to the server at `base`, which alone is shown `authorization`; refused when the client may not
    /// call it.
    pub fn new(
        client: Client,
        base: Url,
        authorization: Option<&str>,
        limiter: Arc<dyn Limiter>,
        dialect: Arc<dyn Dialect>,
    ) -> Result<Self, ConnectorError> {
        client.check(&base)?;
        let authorization = authorization
            .map(|value| {
                let mut value = HeaderValue::from_str(value).map_err(|_| {
                    ConnectorError::Auth("the token has characters that no token has".into())
                })?;
                value.set_sensitive(true);
                Ok::<_, ConnectorError>(value)
            })
            .transpose()?;
        Ok(Self { inner: Arc::new(Inner { client, base, authorization, limiter, dialect }) })
    }

    /// The way of an account to its server: the one that was entered, else the platform's own (`home`).
    pub(crate) fn open(
        access: &Access,
        home: Option<&str>,
        authorization: &str,
        dialect: Arc<dyn Dialect>,
    ) -> Result<Self, ConnectorError> {
        let home = || home.and_then(|home| Url::parse(home).ok());
        let base = access.base_url.clone().or_else(home).ok_or_else(|| {
            ConnectorError::Auth("the connection has no address of its server: enter it".into())
        })?;
        let (client, limiter) = (access.client.clone(), access.limiter.clone());
        Self::new(client, base, Some(authorization), limiter, dialect)
    }

    /// The server.
    #[must_use]
    pub fn base(&self) -> &Url {
        &self.inner.base
    }

    /// The same server with another credential.
    pub fn with_authorization(&self, authorization: &str) -> Result<Self, ConnectorError> {
        let inner = &*self.inner;
        Self::new(
            inner.client.clone(),
            inner.base.clone(),
            Some(authorization),
            inner.limiter.clone(),
            inner.dialect.clone(),
        )
    }

    /// A request that reads. The path is relative to the base, each part percent-encoded by the caller.
    #[must_use]
    pub fn get(&self, path: &str) -> Call {
        self.call(Method::GET, path)
    }

    /// A request with a body.
    #[must_use]
    pub fn post(&self, path: &str) -> Call {
        self.call(Method::POST, path)
    }

    fn call(&self, method: Method, path: &str) -> Call {
        let base = self.inner.base.as_str().trim_end_matches('/');
        let url = Url::parse(&format!("{base}/{}", path.trim_start_matches('/')));
        let request = match url {
            Ok(url) => self.request(method, url),
            Err(_) => Err(ConnectorError::Platform("an address that cannot be asked".into())),
        };
        Call { http: self.clone(), request, buckets: Vec::new() }
    }

    /// A request to an address that the platform gave (the next page of a list): refused unless it is of
    /// the same origin, since it carries the credential.
    #[must_use]
    pub fn get_url(&self, url: &str) -> Call {
        let request = match Url::parse(url) {
            Ok(url) if url.origin() == self.inner.base.origin() => self.request(Method::GET, url),
            _ => Err(ConnectorError::Platform("a link that leads to another server".into())),
        };
        Call { http: self.clone(), request, buckets: Vec::new() }
    }

    fn request(&self, method: Method, url: Url) -> Result<reqwest::RequestBuilder, ConnectorError> {
        if url.origin() != self.inner.base.origin() {
            return Err(ConnectorError::Platform("a path that leads to another server".into()));
        }
        let request = self.inner.client.request(method, url);
        Ok(match &self.inner.authorization {
            Some(value) => request.header(reqwest::header::AUTHORIZATION, value.clone()),
            None => request,
        })
    }
}

impl Call {
    /// Adds query parameters.
    #[must_use]
    pub fn query<T: Serialize + ?Sized>(self, query: &T) -> Self {
        self.with(|request| request.query(query))
    }

    /// Sends a form.
    #[must_use]
    pub fn form<T: Serialize + ?Sized>(self, form: &T) -> Self {
        self.with(|request| request.form(form))
    }

    /// Sends JSON.
    #[must_use]
    pub fn json<T: Serialize + ?Sized>(self, body: &T) -> Self {
        self.with(|request| request.json(body))
    }

    /// Adds a header.
    #[must_use]
    pub fn header(self, name: &'static str, value: &str) -> Self {
        self.with(|request| request.header(name, value))
    }

    /// Counts against this bucket as well.
    #[must_use]
    pub fn bucket(mut self, bucket: Bucket) -> Self {
        self.buckets.push(bucket);
        self
    }

    fn with(
        mut self,
        change: impl FnOnce(reqwest::RequestBuilder) -> reqwest::RequestBuilder,
    ) -> Self {
        self.request = self.request.map(change);
        self
    }

    /// Waits for its turn, sends, reads and classifies.
    pub async fn send(self) -> Result<Reply, ConnectorError> {
        let request = self.request?;
        let Inner { limiter, dialect, .. } = &*self.http.inner;
        let platform = dialect.platform();
        let mut waited = Duration::ZERO;
        for bucket in &self.buckets {
            waited += turn(&**limiter, bucket).await?;
        }
        measure::waited(platform, waited);
        let sent = Instant::now();
        let reply = exchange(request).await;
        let outcome =
            reply.as_ref().map_err(Clone::clone).and_then(|reply| dialect.classify(reply));
        measure::called(platform, sent.elapsed(), outcome.as_ref());
        let reply = reply?;
        let pause = match &outcome {
            Err(ConnectorError::RateLimit { retry_after }) => Some(*retry_after),
            _ => dialect.pause(&reply),
        };
        if let Some(pause) = pause {
            for bucket in self.buckets.iter().filter(|bucket| dialect.concerns(&reply, bucket)) {
                limiter.pause(bucket, pause, sent).await;
            }
        }
        outcome.map(|()| reply)
    }
}

/// Waits for a turn, unless that takes too long; says for how long.
async fn turn(limiter: &dyn Limiter, bucket: &Bucket) -> Result<Duration, ConnectorError> {
    let mut waited = Duration::ZERO;
    loop {
        let wait = limiter.acquire(bucket).await;
        if wait.is_zero() {
            return Ok(waited);
        }
        waited += wait;
        if waited > LONGEST_WAIT {
            return Err(ConnectorError::RateLimit { retry_after: wait });
        }
        tokio::time::sleep(wait).await;
    }
}

async fn exchange(request: reqwest::RequestBuilder) -> Result<Reply, ConnectorError> {
    let asked_at = Timestamp::from_micros(Utc::now().timestamp_micros());
    let mut response = request.send().await.map_err(|error| unreachable(&error))?;
    let (status, headers) = (response.status(), std::mem::take(response.headers_mut()));
    let body = read(response).await?;
    Ok(Reply { status, headers, body, asked_at })
}

async fn read(mut response: reqwest::Response) -> Result<Bytes, ConnectorError> {
    let told = response.content_length().and_then(|length| usize::try_from(length).ok());
    let mut body = BytesMut::with_capacity(told.unwrap_or(0).min(MAX_RESERVED));
    while let Some(chunk) = response.chunk().await.map_err(|error| unreachable(&error))? {
        if body.len() + chunk.len() > MAX_BODY {
            return Err(ConnectorError::Platform("an answer larger than 32 MiB".into()));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(body.freeze())
}

/// In our own words: an error of the client repeats addresses, and with them what they carry.
fn unreachable(error: &reqwest::Error) -> ConnectorError {
    if let Some(forbidden) = forbidden(error) {
        return forbidden.into();
    }
    let what = match error {
        error if error.is_timeout() => "the platform took too long to answer",
        error if error.is_connect() => "the platform cannot be reached",
        error if error.is_builder() => "the request cannot be made",
        _ => "the connection broke off",
    };
    ConnectorError::Platform(what.into())
}
