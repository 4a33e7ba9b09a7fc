//! The store port: everything that must outlive a process. The only crate with SQL.
//!
//! The database is the truth. The queue and the live view can be wiped at any moment and every job
//! still ends right, because what they say follows from the rows here.
//!
//! The port is a few small traits, one a subject, of use cases rather than statements: a method is
//! one transaction, and no transaction handle leaks out. What a worker writes goes through
//! [`Tasks::commit`] and nothing else, and is *fenced*: it needs the claim token of its task, and a
//! job that is still running; otherwise nothing of it is written. Requests of one kind that arrive together
//! (for jobs, claims, commits of different jobs, what stages ask before they work) may share a transaction;
//! each keeps its own fence, and none suffers from another.
//!
//! An adapter is admitted by the contract in [`contract`].

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod database;
mod error;
mod history;
mod lanes;
mod ledger;
mod limits;
mod ports;
mod postgres;
#[cfg(test)]
mod rollout;
mod sqlite;

pub use database::Database;
pub use error::StoreError;
pub use limits::Limits;
pub use ports::{
    access::*, channels::*, connections::*, explaining::*, failures::*, imports::*, jobs::*,
    knowledge::*, messages::*, schedules::*, tasks::*, walks::*, wiki::*,
};

/// The result of every method of the port.
pub type Result<T, E = StoreError> = std::result::Result<T, E>;

/// Everything that must outlive a process.
pub trait Store:
    Access
    + Channels
    + Connections
    + Explaining
    + Failures
    + Imports
    + Jobs
    + Knowledge
    + Messages
    + Schedules
    + Tasks
    + Walks
    + Wiki
{
}

impl<T> Store for T where
    T: Access
        + Channels
        + Connections
        + Explaining
        + Failures
        + Imports
        + Jobs
        + Knowledge
        + Messages
        + Schedules
        + Tasks
        + Walks
        + Wiki
{
}
