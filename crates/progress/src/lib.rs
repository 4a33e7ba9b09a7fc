//! The progress port: the live view of jobs, the signal that ends them, and shared rate limits.
//!
//! Everything here can be wiped at any moment: a view that is missing is filled from the database, a
//! cancel that gets lost is found by the next heartbeat. Views carry the job row's revision, and an
//! older one never replaces a newer one. What limits have counted may be forgotten: a platform then says itself
//! when it is too much.
//!
//! An adapter is admitted by the contract in [`contract`].

#[cfg(any(test, feature = "contract"))]
pub mod contract;
mod limits;
pub mod memory;
mod port;
pub mod redis;

pub use limits::{Limits, LocalLimits, Rate, Turn};
pub use port::{Cancels, Progress, ProgressError, Result, View, Watch};
