//! Mattermost, by version 4 of its API.
//!
//! The timeline of a channel has replies as well as first posts, in order of creation, so late replies to
//! old threads need nothing of their own. Increments ask for all posts changed `since`: new, edited and
//! deleted ones. That list is capped at 1,000 in no order, and sometimes falsely empty; then the timeline
//! is walked instead. A quiet increment costs two requests: the channel, and its changes.

mod account;
mod api;
mod dialect;
mod list;
mod message;
mod people;
mod raw;
mod walk;

use std::sync::Arc;

use self::api::Server;
use crate::{Access, Account, ConnectorError};

/// What must be entered: a personal access token, or that of a bot account.
pub const CREDENTIALS: &[&str] = &["token"];

/// Opens an account at the server at the access's address.
pub fn open(access: Access) -> Result<Arc<dyn Account>, ConnectorError> {
    Ok(Arc::new(Server::open(&access)?))
}
