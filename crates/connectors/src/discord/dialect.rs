//! What replies of Discord mean.

use std::time::Duration;

use domain::Platform;

use super::raw::RawError;
use crate::{
    ConnectorError,
    http::{Bucket, Dialect, Reply, retry_after},
};

/// Cloudflare's limits come without Discord's headers, and often without a time.
const PAUSE: Duration = Duration::from_secs(60);

/// Ends the name of the bucket that all calls of a bot share.
pub(super) const GLOBAL: &str = ":all";

/// What is told of a channel that does not exist.
pub(super) const GONE: &str = "it was deleted on Discord";

/// What is told of a channel that the bot may not see.
pub(super) const HIDDEN: &str =
    "give the bot the permissions View Channel and Read Message History in it";

/// What is told when the bot is not known.
pub(super) const UNKNOWN_BOT: &str = "the bot's token is wrong or was reset: copy the new one from the developer portal and enter it";

pub(super) struct Discord;

impl Dialect for Discord {
    fn platform(&self) -> Platform {
        Platform::Discord
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        if reply.status.is_success() {
            return Ok(());
        }
        let error = serde_json::from_slice::<RawError>(&reply.body).unwrap_or_default();
        Err(match (reply.status.as_u16(), error.code) {
            (429, _) => ConnectorError::RateLimit {
                retry_after: error
                    .retry_after
                    .and_then(retry_after::of_seconds)
                    .or_else(|| reply.retry_after())
                    .unwrap_or(PAUSE),
            },
            (401, _) | (_, 40_001) => ConnectorError::Auth(UNKNOWN_BOT.into()),
            (_, 50_001 | 50_013) => ConnectorError::ChannelNotFound(HIDDEN.into()),
            (_, 10_003 | 10_004) => ConnectorError::ChannelNotFound(GONE.into()),
            (403, _) => ConnectorError::ChannelNotFound(HIDDEN.into()),
            (404, _) => ConnectorError::ChannelNotFound(GONE.into()),
            (status @ 400..=499, code) => {
                ConnectorError::Request(format!("status {status}, code {code}"))
            }
            (status, _) => {
                ConnectorError::Platform(format!("Discord answered with status {status}"))
            }
        })
    }

    fn pause(&self, reply: &Reply) -> Option<Duration> {
        if reply.header("x-ratelimit-remaining")?.trim() != "0" {
            return None;
        }
        retry_after::of_seconds(reply.header("x-ratelimit-reset-after")?.trim().parse().ok()?)
    }

    /// Most limits are of one route; those of the whole bot, and Cloudflare's, are of all.
    fn concerns(&self, reply: &Reply, bucket: &Bucket) -> bool {
        let error = serde_json::from_slice::<RawError>(&reply.body).unwrap_or_default();
        let is_global = error.global
            || reply.header("x-ratelimit-global").is_some()
            || reply.header("x-ratelimit-scope") == Some("global")
            || (reply.status.as_u16() == 429 && reply.header("x-ratelimit-scope").is_none());
        is_global || !bucket.key.ends_with(GLOBAL)
    }
}
