//! Microsoft Teams, by Microsoft Graph, as an app of a tenant.
//!
//! The first walk lists the channel's threads with their replies, then asks for what has changed since it
//! began (`delta`), and keeps the link for the next changes. That link brings new messages, late replies,
//! edits and deletes: a quiet increment costs one request, and one for a token once an hour. A link that has
//! expired leads to a walk through everything.
//!
//! Ids are unique in a thread only: a reply is named by its thread and itself. A channel is named by its team
//! and itself: `<team>:<channel>`.

mod account;
mod dialect;
mod graph;
mod message;
mod raw;
mod walk;

use std::sync::Arc;

use self::graph::Graph;
use crate::{Access, Account, ConnectorError};

/// What must be entered: the tenant, and an app registered there with a secret.
pub const CREDENTIALS: &[&str] = &["tenant", "client_id", "client_secret"];

/// What may be entered: `cloud`, when it is a national one (`usgov`, `usgov-dod` or `china`).
pub const OPTIONAL_CREDENTIALS: &[&str] = &["cloud"];

/// Opens an app's account.
pub fn open(access: Access) -> Result<Arc<dyn Account>, ConnectorError> {
    Ok(Arc::new(Graph::open(&access)?))
}
