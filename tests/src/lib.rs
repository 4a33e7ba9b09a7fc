//! The harness of the whole-system tests: the real service on a folder of its own, driven over HTTP.

#![expect(clippy::unwrap_used, reason = "only tests use it")]

mod archive;
mod dump;
mod messages;
mod rig;

pub use archive::{channel_archive, real_export, sample_archive};
pub use dump::{difference, dump, time_columns};
pub use messages::{channel, message, reply};
pub use rig::{Reply, Rig};
