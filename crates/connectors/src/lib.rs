//! The connector port: where messages come from, one module a platform or file format.
//!
//! A connector walks a channel in pages, from its own mark to its own mark, and turns what it finds
//! into [`domain::Message`]. It knows nothing of jobs, stores or queues. A reader of a file format
//! turns a file into the same messages, with what it could not read beside them.

mod account;
#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod credential;
pub mod discord;
mod error;
pub mod http;
pub mod import;
mod lenient;
mod mark;
pub mod matrix;
pub mod mattermost;
mod port;
pub mod replay;
pub mod slack;
pub mod teams;
pub mod text;

pub use account::{Access, Account, Identity, MAX_CHANNELS, OfferedChannel};
pub use domain::walk::{Mark, Stream, Window};
pub use error::{ConnectorError, ImportError};
pub use port::{Connector, Known, Next, Page, PageRequest};
