//! The platforms that can be connected, and what each needs for it.

use std::sync::Arc;

use connectors::{Access, Account, ConnectorError, discord, matrix, mattermost, slack, teams};
use domain::Platform;

/// What must be entered to connect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Requirements {
    /// Credentials that it cannot do without.
    pub needed: &'static [&'static str],
    /// Credentials that may be given as well.
    pub optional: &'static [&'static str],
    /// Where its server is.
    pub server: Server,
}

/// Where a platform's server is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Server {
    /// Where people run it: its address must be given.
    TheirOwn,
    /// The same for all; another only where the operator lists it.
    Fixed,
}

/// What a platform needs; `None` when it is only known by its exports.
#[must_use]
pub fn requirements(platform: Platform) -> Option<Requirements> {
    match platform {
        Platform::Slack => Some(Requirements {
            needed: slack::CREDENTIALS,
            optional: slack::OPTIONAL_CREDENTIALS,
            server: Server::Fixed,
        }),
        Platform::Matrix => Some(Requirements {
            needed: matrix::CREDENTIALS,
            optional: &[],
            server: Server::TheirOwn,
        }),
        Platform::Mattermost => Some(Requirements {
            needed: mattermost::CREDENTIALS,
            optional: &[],
            server: Server::TheirOwn,
        }),
        Platform::Discord => Some(Requirements {
            needed: discord::CREDENTIALS,
            optional: discord::OPTIONAL_CREDENTIALS,
            server: Server::Fixed,
        }),
        Platform::Teams => Some(Requirements {
            needed: teams::CREDENTIALS,
            optional: teams::OPTIONAL_CREDENTIALS,
            server: Server::Fixed,
        }),
        Platform::Telegram | Platform::Files => None,
    }
}

/// Opens an account; does not call the platform yet.
pub(crate) fn open(platform: Platform, access: Access) -> Result<Arc<dyn Account>, ConnectorError> {
    match platform {
        Platform::Slack => slack::open(access),
        Platform::Matrix => matrix::open(access),
        Platform::Mattermost => mattermost::open(access),
        Platform::Discord => discord::open(access),
        Platform::Teams => teams::open(access),
        Platform::Telegram | Platform::Files => {
            Err(ConnectorError::Request("it is only known by its exports: upload one".into()))
        }
    }
}
