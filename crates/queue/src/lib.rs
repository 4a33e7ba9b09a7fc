//! The queue port: the wake-up call.
//!
//! A message says "task (job, stage, seq) is ready" and nothing else; what the task is stands in the
//! database. A lost message costs a few seconds, until the sweep calls again; a message too many costs
//! one refused claim. So a queue may lose, repeat and reorder, but should do it rarely.
//!
//! An adapter is admitted by the contract in [`contract`].

#[cfg(any(test, feature = "contract"))]
pub mod contract;
pub mod memory;
mod port;
pub mod rabbitmq;

pub use port::{Acknowledge, Call, DeadLetter, Delivery, Queue, QueueError, Result, Subscription};
