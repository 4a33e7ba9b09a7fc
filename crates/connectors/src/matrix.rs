//! Matrix, by its client-server API, and by the rooms that Element exports.
//!
//! Late replies, edits, reactions and redactions are events of a room's timeline like any other, so one
//! watermark covers them all: the token of a `/sync` that is taken before history is read. History is read
//! back from there; an increment asks what has come since, and fills the gap with pages of history when
//! that is more than one answer holds. A quiet increment costs one request, whatever the room's size.
//!
//! Servers do not tell of a redacted event what it was, and of a message not who reacted. So marks keep,
//! of each edit and reaction, which message it belongs to, and of each such message what it has.
//!
//! What is encrypted cannot be read: it is kept as a message of the platform that says so.
//!
//! The token should be of a session of its own: a session that is shared with a person's client takes
//! from it the keys that are sent to it.

mod account;
mod api;
mod body;
mod content;
mod dialect;
mod event;
mod export;
mod fold;
mod id;
mod ledger;
mod message;
mod people;
mod raw;
mod steps;
mod walk;

use std::sync::Arc;

use self::api::Server;
pub(crate) use self::export::{ElementExport, FILE, begins};
use crate::{Access, Account, ConnectorError};

/// Ids of rooms and events are the same on all servers.
const WORKSPACE: &str = "matrix";

/// What must be entered: an access token.
pub const CREDENTIALS: &[&str] = &["token"];

/// Opens an account at the homeserver at the access's address.
pub fn open(access: Access) -> Result<Arc<dyn Account>, ConnectorError> {
    Ok(Arc::new(Server::open(&access)?))
}
