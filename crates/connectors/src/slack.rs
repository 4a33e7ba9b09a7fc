//! Slack, by the zip that its workspace export makes.
//!
//! An export is a folder a channel, named by the channel's name, with a file a day; lists of channels
//! and users lie beside. The file's name is a day in the workspace's own time zone and never used as a
//! time; `ts` is, and it is the message's id as well, the same as in the live API.

mod archive;
mod blocks;
mod export;
mod message;
pub mod mrkdwn;
mod raw;
mod users;

pub(crate) use archive::Archive;
pub use archive::Limits;
pub use export::SlackExport;
