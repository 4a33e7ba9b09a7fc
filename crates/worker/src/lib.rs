//! The runner that every stage shares.
//!
//! A stage says what a task comes to ([`Stage::run`]); the runner does the rest, the same for all:
//! takes the call, claims the task, tells that it lives, stops the work when the job is cancelled or the
//! claim lost, limits its time, survives its panics, writes the effect in one transaction, publishes
//! what follows, acknowledges, retries, and drains on shutdown. All logging and metrics of a stage come
//! from here.
//!
//! The order is what makes it safe: nothing is acknowledged before what follows from it is stored, and
//! nothing is stored without the claim.

mod attempt;
mod claims;
mod context;
mod hearing;
mod measure;
mod outcome;
mod runner;
mod stage;

use std::sync::Arc;

pub use claims::Claims;
pub use context::Context;
pub use hearing::Hearing;
pub use runner::{Runner, Settings};
pub use stage::Stage;

/// What a worker works with.
#[derive(Clone)]
pub struct Ports {
    /// The truth.
    pub store: Arc<dyn store::Store>,
    /// The wake-up call.
    pub queue: Arc<dyn queue::Queue>,
    /// The live view.
    pub progress: Arc<dyn progress::Progress>,
}
