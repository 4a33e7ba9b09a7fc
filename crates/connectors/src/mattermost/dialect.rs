//! What replies of a Mattermost server mean.

use std::time::Duration;

use domain::Platform;

use super::raw::RawError;
use crate::{
    ConnectorError,
    http::{Dialect, Reply, retry_after},
};

/// A server that limits without saying for how long.
const PAUSE: Duration = Duration::from_secs(5);

pub(super) struct Mattermost;

impl Dialect for Mattermost {
    fn platform(&self) -> Platform {
        Platform::Mattermost
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        let status = reply.status.as_u16();
        if reply.status.is_success() {
            return Ok(());
        }
        Err(match status {
            401 => ConnectorError::Auth(unauthorised(&error_id(reply)).into()),
            403 => ConnectorError::ChannelNotFound(
                "add the account of the connection to the channel and its team".into(),
            ),
            404 => ConnectorError::ChannelNotFound(
                "it was removed from the server, or the address of the server is wrong".into(),
            ),
            429 => ConnectorError::RateLimit {
                retry_after: reply.retry_after().or_else(|| reset(reply)).unwrap_or(PAUSE),
            },
            400 | 405 | 413..=415 | 422 => ConnectorError::Request(format!("status {status}")),
            _ => match (status, reply.retry_after()) {
                (503, Some(retry_after)) => {
                    ConnectorError::Busy { reason: "the server is busy".into(), retry_after }
                }
                _ => ConnectorError::Platform(format!("the server answered with status {status}")),
            },
        })
    }

    fn pause(&self, reply: &Reply) -> Option<Duration> {
        let remaining: u64 = reply.header("x-ratelimit-remaining")?.trim().parse().ok()?;
        if remaining == 0 { reset(reply) } else { None }
    }
}

/// Seconds from now, not a time.
fn reset(reply: &Reply) -> Option<Duration> {
    retry_after::of_seconds(reply.header("x-ratelimit-reset")?.trim().parse().ok()?)
}

fn error_id(reply: &Reply) -> String {
    serde_json::from_slice::<RawError>(&reply.body).unwrap_or_default().id
}

fn unauthorised(id: &str) -> &'static str {
    match id {
        "api.context.mfa_required.app_error" | "mfa_required" => {
            "the account must use a second factor: connect a bot account instead"
        }
        _ => "the access token is wrong, expired or revoked: create another one and enter it",
    }
}
