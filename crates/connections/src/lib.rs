//! From a stored connection to an open account at its platform.
//!
//! Credentials are sealed for their connection with a key of their own, and that key by a master key
//! ([`MasterKeys`]). [`Accounts`] opens them in the process that needs them, and hands them to the
//! platform's module with the client of this process and a limiter that counts with all others.
//! [`LiveChannels`] walks channels through them.

mod accounts;
mod limiter;
mod live;
mod master;
mod platforms;
mod rotation;
mod seal;

pub use accounts::{Accounts, Entered};
pub use limiter::SharedLimiter;
pub use live::LiveChannels;
pub use master::{KeyError, MasterKeys};
pub use platforms::{Requirements, Server, requirements};
pub use rotation::{RotationError, rotate};
