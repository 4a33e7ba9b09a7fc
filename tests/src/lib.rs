//! The harness of the whole-system tests: the real service on a folder of its own, driven over HTTP.

#![expect(clippy::unwrap_used, reason = "only tests use it")]

mod api;
mod archive;
mod chat;
mod clock;
mod collector;
mod doubles;
mod dump;
mod fleet;
mod gate;
mod ledger;
mod messages;
mod place;
mod programs;
mod proxy;
mod rig;
mod scraped;
mod twice;
mod workspace;

pub use api::{Api, Reply};
pub use archive::{channel_archive, channels_archive, real_export, sample_archive};
pub use chat::Chat;
pub use clock::wrong_clock;
pub use collector::{Collector, Span};
pub use doubles::{ABORT_AT, ASK_EXTRACTOR, ASK_PLATFORM, AskedExtractor, AskedPlatform, TWICE};
pub use dump::{difference, dump, dump_server, time_columns};
pub use fleet::{Crew, Fleet, Member, given};
pub use gate::{Call, Gate, Limit};
pub use ledger::{Dice, Ledger, calm};
pub use messages::{channel, message, reply};
pub use place::Place;
pub use programs::{PROGRAMS, command_line, program};
pub use proxy::{Proxy, Way};
pub use rig::Rig;
pub use scraped::Scraped;
pub use twice::Twice;
pub use workspace::Workspace;
