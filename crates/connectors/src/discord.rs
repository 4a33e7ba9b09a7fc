//! Discord, by version 10 of its API, as a bot.
//!
//! Threads are channels of their own, below the channel whose messages began them; a forum has nothing but
//! threads. Lists of threads tell each one's last message and how many it has, so that an increment visits
//! those that have changed. Nothing tells what was edited or deleted: the newest hundred messages and those
//! of the last day are compared in every increment, one older page of a hundred as well, in turn, until
//! all have been seen. A quiet increment costs six requests: the channel, its newest messages, the three
//! lists of threads, and that page.
//!
//! A bot is connected for one server (guild). When it is in several, `guild` names the one.

mod account;
mod api;
mod dialect;
pub(crate) mod markup;
mod message;
mod permission;
mod raw;
mod snowflake;
mod steps;
mod threads;
mod visit;
mod walk;

use std::sync::Arc;

use self::api::Bot;
use crate::{Access, Account, ConnectorError};

/// What must be entered: the token of a bot.
pub const CREDENTIALS: &[&str] = &["token"];

/// What may be entered: the id of the server, when the bot is in several.
pub const OPTIONAL_CREDENTIALS: &[&str] = &["guild"];

/// Opens a bot's account.
pub fn open(access: Access) -> Result<Arc<dyn Account>, ConnectorError> {
    Ok(Arc::new(Bot::open(&access)?))
}
