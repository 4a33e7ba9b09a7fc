//! The command line and the all-in-one server.
//!
//! [`server`] composes every role in one process; that is what `serve` runs and what other commands
//! start for as long as they run when no server is there. All commands but those for keys and backups are
//! clients of the HTTP API ([`client`]), so that whatever they can do, a program can.

pub mod bench;
pub mod client;
pub mod commands;
mod follow;
mod output;
mod sample;
pub mod server;
mod terminal;
