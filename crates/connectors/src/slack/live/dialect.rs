//! What Slack's refusals mean. They come with status 200.

use std::{sync::Arc, time::Duration};

use domain::Platform;

use super::{pace::Pace, reply::Envelope};
use crate::{
    ConnectorError,
    http::{Dialect, Reply},
    text,
};

/// Slack limits without saying for how long.
const PAUSE: Duration = Duration::from_secs(30);

/// Refusals that the caller does something about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refusal {
    /// The cursor has expired.
    StaleCursor,
    /// The app is not in the channel.
    NotMember,
    /// The channel is archived, so that nobody can join it.
    Archived,
    /// There is no such thread.
    NoThread,
    /// There is no such person or bot, or it is not shown.
    Nobody,
}

impl Refusal {
    pub(super) fn of(code: &str) -> Option<Self> {
        Some(match code {
            "invalid_cursor" => Self::StaleCursor,
            "not_in_channel" => Self::NotMember,
            "is_archived" => Self::Archived,
            "thread_not_found" | "message_not_found" => Self::NoThread,
            "user_not_found" | "users_not_found" | "user_not_visible" | "bot_not_found" => {
                Self::Nobody
            }
            _ => return None,
        })
    }

    /// The failure that it is where nothing can be done about it.
    pub(super) fn error(self) -> ConnectorError {
        match self {
            Self::StaleCursor => ConnectorError::Request("invalid_cursor".into()),
            Self::NotMember => ConnectorError::ChannelNotFound(
                "the app is not in the channel: invite it there with /invite".into(),
            ),
            Self::Archived => ConnectorError::ChannelNotFound(
                "it is archived and the app is not in it: unarchive it and invite the app there with /invite, \
                 or import the workspace's export"
                    .into(),
            ),
            Self::NoThread => ConnectorError::Platform("a thread is not found".into()),
            Self::Nobody => ConnectorError::Platform("somebody is not found".into()),
        }
    }
}

pub(super) struct Slack {
    pub(super) pace: Arc<Pace>,
}

impl Dialect for Slack {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        let envelope = Envelope::of(&reply.body);
        let code = envelope.as_ref().map_or("", |envelope| envelope.error.as_str());
        if reply.status.as_u16() == 429 || matches!(code, "ratelimited" | "rate_limited") {
            let retry_after = reply.retry_after().unwrap_or(PAUSE);
            self.pace.pause(retry_after);
            return Err(ConnectorError::RateLimit { retry_after });
        }
        match envelope {
            Ok(envelope) if envelope.ok || Refusal::of(&envelope.error).is_some() => Ok(()),
            Ok(envelope) if !envelope.error.is_empty() => Err(refused(&envelope)),
            _ => Err(match reply.retry_after() {
                Some(retry_after) if reply.status.as_u16() == 503 => {
                    ConnectorError::Busy { reason: "Slack is busy".into(), retry_after }
                }
                _ => ConnectorError::Platform(format!(
                    "an answer that is not Slack's (status {})",
                    reply.status.as_u16()
                )),
            }),
        }
    }
}

fn refused(envelope: &Envelope) -> ConnectorError {
    let auth = |what: &str| ConnectorError::Auth(what.into());
    let channel = |what: &str| ConnectorError::ChannelNotFound(what.into());
    match envelope.error.as_str() {
        "missing_scope" => ConnectorError::Auth(missing(&envelope.needed)),
        "invalid_auth" | "not_authed" | "token_revoked" | "token_expired" => auth(
            "the token is wrong, expired or revoked: install the app again and enter its token",
        ),
        "account_inactive" => {
            auth("the app or the account was removed from the workspace: install the app again")
        }
        "not_allowed_token_type" => {
            auth("this sort of token may not read: enter a bot token (xoxb-…)")
        }
        "no_permission" | "access_denied" | "ekm_access_denied" => {
            auth("an administrator of the workspace keeps the app from reading: ask for approval")
        }
        "org_login_required" | "two_factor_setup_required" => {
            auth("the account must log in to the organisation first: connect a bot instead")
        }
        "team_access_not_granted" => {
            auth("the app is not approved for this workspace: add it there")
        }
        "channel_not_found" => channel("if it is private, invite the app there with /invite"),
        "channel_is_limited_access" => channel("its owner limits who may read it"),
        "method_not_supported_for_channel_type" => channel("this sort of channel cannot be read"),
        "internal_error"
        | "fatal_error"
        | "service_unavailable"
        | "request_timeout"
        | "team_added_to_org" => ConnectorError::Platform(format!("Slack says {}", envelope.error)),
        code if code == "unknown_method" || code.starts_with("invalid_") => {
            ConnectorError::Request(code_of(code))
        }
        code => ConnectorError::Platform(format!("Slack says {}", code_of(code))),
    }
}

/// A code as it may be repeated.
fn code_of(code: &str) -> String {
    let plain = code.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:.,- ".contains(&byte));
    let kept = text::line(code, 80).filter(|_| plain);
    kept.unwrap_or_else(|| "something that is no code".into())
}

pub(super) fn missing(scopes: &str) -> String {
    format!(
        "the bot lacks the scope {}: add it to the app's permissions and install the app again",
        code_of(scopes)
    )
}
