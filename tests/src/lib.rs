//! The harness of the whole-system tests: the real service on a folder of its own, driven over HTTP.

#![expect(clippy::unwrap_used, reason = "only tests use it")]

mod api;
mod archive;
mod chat;
mod dump;
mod fleet;
mod messages;
mod proxy;
mod rig;
mod workspace;

pub use api::{Api, Reply};
pub use archive::{channel_archive, real_export, sample_archive};
pub use chat::Chat;
pub use dump::{difference, dump, dump_server, time_columns};
pub use fleet::{Fleet, Member};
pub use messages::{channel, message, reply};
pub use proxy::Proxy;
pub use rig::Rig;
pub use workspace::Workspace;
