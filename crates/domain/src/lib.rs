//! The vocabulary of Atlas Sync.
//!
//! A *job* is one requested synchronisation of a channel. It passes four *stages*; each stage works
//! through *tasks*, rows in the database that a *worker* takes by a *claim*. Fetching brings
//! [`message::Message`]s in, extraction turns conversations into [`fact::Fact`]s, the graph ties
//! [`graph::Entity`]s together and the wiki renders [`page`]s from all of it.
//!
//! Rules of this crate: no I/O, no clock, no runtime. Whatever depends on the time takes it as an
//! argument, every function is a function of its input only, and every public type says its units.

pub mod backoff;
pub mod batch;
pub mod channel;
pub mod connection;
pub mod conversation;
pub mod error;
pub mod event;
pub mod fact;
pub mod graph;
pub mod id;
pub mod import;
pub mod job;
pub mod message;
pub mod page;
pub mod schedule;
pub mod stage;
pub mod task;
pub mod time;
pub mod trace;
pub mod walk;

pub use channel::{Channel, Platform};
pub use connection::{Connection, ConnectionStatus};
pub use error::{Classify, ErrorCode, Failure, Retry, SyncError};
pub use event::{Happening, JobEvent};
pub use id::{
    ChannelId, ClaimToken, ConnectionId, DeadLetterId, EntityId, FactId, ImportId, JobId, KeyId,
    MessageId, RelationshipId, UnitId, UserId,
};
pub use job::{Job, JobStatus, StageProgress, Trigger};
pub use message::Message;
pub use stage::Stage;
pub use task::{TaskRef, TaskStatus};
pub use time::Timestamp;
pub use trace::TraceContext;
