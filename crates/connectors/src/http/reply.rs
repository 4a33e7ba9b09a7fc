//! What a platform answered.

use std::time::Duration;

use bytes::Bytes;
use chrono::{DateTime, Utc};
use domain::Timestamp;
use reqwest::{StatusCode, header::HeaderMap};
use serde::Deserialize;

use super::retry_after;
use crate::ConnectorError;

/// A whole reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: HeaderMap,
    /// The body, bounded.
    pub body: Bytes,
    /// When it was asked for, by our clock.
    pub asked_at: Timestamp,
}

impl Reply {
    /// A header as text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    /// The server's own time of the reply.
    #[must_use]
    pub fn served_at(&self) -> Option<Timestamp> {
        let date = DateTime::parse_from_rfc2822(self.header("date")?).ok()?;
        Some(Timestamp::from_micros(date.timestamp_micros()))
    }

    /// How long its `Retry-After` header asks to stay away.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        retry_after::parse(self.header("retry-after")?, Utc::now())
    }

    /// The body as JSON, read in place.
    pub fn json<'j, T: Deserialize<'j>>(&'j self) -> Result<T, ConnectorError> {
        self.parsed().map_err(|error| {
            tracing::debug!(%error, status = %self.status, "a reply that is not understood");
            ConnectorError::Platform(format!("an answer that is not understood ({})", self.status))
        })
    }

    /// The same with JSON's own error. That a body is UTF-8 is checked faster of all of it than of each string.
    pub(crate) fn parsed<'j, T: Deserialize<'j>>(&'j self) -> serde_json::Result<T> {
        match std::str::from_utf8(&self.body) {
            Ok(text) => serde_json::from_str(text),
            Err(_) => serde_json::from_slice(&self.body),
        }
    }
}
