//! What replies of a homeserver mean.

use std::time::Duration;

use domain::Platform;

use super::raw::RawError;
use crate::{
    ConnectorError,
    http::{Dialect, Reply, retry_after},
};

/// A server that limits without saying for how long.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Matrix;

impl Dialect for Matrix {
    fn platform(&self) -> Platform {
        Platform::Matrix
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        if reply.status.is_success() {
            return Ok(());
        }
        let status = reply.status.as_u16();
        // A proxy in front of the server writes no JSON.
        let told: RawError = reply.json().unwrap_or_default();
        Err(match (told.errcode.as_str(), status) {
            ("M_LIMIT_EXCEEDED", _) | (_, 429) => {
                ConnectorError::RateLimit { retry_after: pause(reply, &told) }
            }
            (code, 401) => ConnectorError::Auth(unauthorised(code, told.soft_logout).into()),
            ("M_USER_DEACTIVATED" | "M_USER_LOCKED" | "M_USER_SUSPENDED", _) => {
                ConnectorError::Auth("the account is closed: connect another one".into())
            }
            ("M_GUEST_ACCESS_FORBIDDEN", _) => ConnectorError::Auth(
                "guests may not read: enter a registered account's token".into(),
            ),
            ("M_CONSENT_NOT_GIVEN", _) => {
                ConnectorError::Auth("accept the server's terms with this account first".into())
            }
            ("M_RESOURCE_LIMIT_EXCEEDED", _) => ConnectorError::Platform(
                "the server is over a limit of its own: ask its administrator".into(),
            ),
            ("M_FORBIDDEN", _) => ConnectorError::ChannelNotFound(
                "let the account of the connection join the room".into(),
            ),
            ("M_NOT_FOUND", _) => {
                ConnectorError::ChannelNotFound("the server knows nothing of it".into())
            }
            ("M_UNRECOGNIZED", _) => ConnectorError::Request("the server is too old for it".into()),
            ("", 403 | 404) => ConnectorError::Platform(
                "no Matrix server answers at this address: enter that of the homeserver".into(),
            ),
            (_, 400 | 404 | 405 | 413..=415 | 422) => {
                ConnectorError::Request(format!("status {status}"))
            }
            (_, 300..400) => ConnectorError::Platform(
                "the server sends us elsewhere: enter the address that it leads to".into(),
            ),
            _ => match (status, reply.retry_after()) {
                (503, Some(retry_after)) => {
                    ConnectorError::Busy { reason: "the server is busy".into(), retry_after }
                }
                _ => ConnectorError::Platform(format!("the server answered with status {status}")),
            },
        })
    }
}

/// The header is the newer way to say it.
fn pause(reply: &Reply, told: &RawError) -> Duration {
    let in_body = || told.retry_after_ms.map(Duration::from_millis).map(retry_after::bounded);
    reply.retry_after().or_else(in_body).unwrap_or(PAUSE)
}

fn unauthorised(code: &str, soft_logout: bool) -> &'static str {
    match (code, soft_logout) {
        ("M_UNKNOWN_TOKEN", true) => "the session has run out: log in again, enter the new token",
        ("M_UNKNOWN_TOKEN", false) => "the token was revoked or never was one: enter a new one",
        ("M_MISSING_TOKEN", _) => "no token was given: enter one",
        ("M_USER_LOCKED" | "M_USER_DEACTIVATED", _) => "the account is closed: connect another one",
        _ => "the server does not accept the token: enter a new one",
    }
}

#[cfg(test)]
mod tests;
