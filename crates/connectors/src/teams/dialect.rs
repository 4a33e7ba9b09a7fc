//! What replies of Microsoft Graph and of its sign-in mean.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use domain::Platform;

use super::raw::RawSignInError;
use crate::{
    ConnectorError,
    http::{Dialect, Reply},
};

/// First pause where the server names none; each further one is twice as long.
const PAUSE: Duration = Duration::from_secs(5);

/// Longest pause of our own.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// What is told of a link to changes that has expired.
pub(super) const EXPIRED: &str = "the link to the changes has expired";

#[derive(Default)]
pub(super) struct MicrosoftGraph {
    /// Limits met in a row for which no time was told.
    limited: AtomicU32,
}

impl MicrosoftGraph {
    fn pause(&self, reply: &Reply) -> Duration {
        reply.retry_after().unwrap_or_else(|| {
            let times = self.limited.fetch_add(1, Ordering::Relaxed).min(8);
            PAUSE.saturating_mul(1 << times).min(LONGEST_PAUSE)
        })
    }
}

impl Dialect for MicrosoftGraph {
    fn platform(&self) -> Platform {
        Platform::Teams
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        if reply.status.is_success() {
            self.limited.store(0, Ordering::Relaxed);
            return Ok(());
        }
        Err(match reply.status.as_u16() {
            401 => ConnectorError::Auth("Microsoft Graph does not accept the app's token".into()),
            402 => ConnectorError::Auth(
                "the tenant has no subscription that pays for this API: set one up for the app".into(),
            ),
            403 => ConnectorError::ChannelNotFound(
                "grant the app ChannelMessage.Read.All with admin consent, or install it in the team"
                    .into(),
            ),
            404 => ConnectorError::ChannelNotFound("it was deleted, or its team was".into()),
            410 => ConnectorError::Request(EXPIRED.into()),
            429 => ConnectorError::RateLimit { retry_after: self.pause(reply) },
            503 | 504 if reply.retry_after().is_some() => ConnectorError::Busy {
                reason: "Microsoft Graph is busy".into(),
                retry_after: self.pause(reply),
            },
            status @ (423 | 500..) => {
                ConnectorError::Platform(format!("Microsoft Graph answered with status {status}"))
            }
            status => ConnectorError::Request(format!("status {status}")),
        })
    }
}

pub(super) struct SignIn;

impl Dialect for SignIn {
    fn platform(&self) -> Platform {
        Platform::Teams
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        if reply.status.is_success() {
            return Ok(());
        }
        Err(match reply.status.as_u16() {
            429 => ConnectorError::RateLimit { retry_after: reply.retry_after().unwrap_or(PAUSE) },
            status @ 500.. => ConnectorError::Platform(format!(
                "Microsoft's sign-in answered with status {status}"
            )),
            _ => ConnectorError::Auth(refusal(reply).into()),
        })
    }
}

fn refusal(reply: &Reply) -> &'static str {
    let error = serde_json::from_slice::<RawSignInError>(&reply.body).unwrap_or_default();
    match error.error_codes.first() {
        Some(7_000_215) => "the app's secret is wrong: enter its value, not its id",
        Some(7_000_222) => "the app's secret has expired: create another one and enter it",
        Some(700_016) => "the app is not registered in this tenant: check the client id",
        Some(90_002 | 900_023) => "there is no such tenant: check the tenant",
        _ => "Microsoft does not sign the app in: check tenant, client id and client secret",
    }
}
