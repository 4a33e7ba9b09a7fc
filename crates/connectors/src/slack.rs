//! Slack: the zip that its workspace export makes, and its Web API.
//!
//! An export is a folder a channel, named by the channel's name, with a file a day; lists of channels
//! and users lie beside. The file's name is a day in the workspace's own time zone and never used as a
//! time; `ts` is, and it is the message's id as well, the same as in the live API. Both are read by the
//! same normaliser, so that an import and a sync of one channel are one set of messages.

mod archive;
mod blocks;
mod export;
mod live;
mod message;
pub mod mrkdwn;
mod raw;
mod users;

use std::sync::Arc;

pub(crate) use archive::Archive;
pub use archive::Limits;
pub use export::SlackExport;

use crate::{Access, Account, ConnectorError};

/// What must be entered: the token of a bot (`xoxb-…`), or of a person (`xoxp-…`).
pub const CREDENTIALS: &[&str] = &["token"];

/// What may be entered: the id of the workspace, when the token is for a whole Enterprise Grid.
pub const OPTIONAL_CREDENTIALS: &[&str] = &["team"];

/// Opens an account at Slack.
pub fn open(access: Access) -> Result<Arc<dyn Account>, ConnectorError> {
    Ok(Arc::new(live::Workspace::open(&access)?))
}
