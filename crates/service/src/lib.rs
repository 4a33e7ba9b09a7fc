//! What every process of the service needs: configuration, telemetry, adapters from URLs, keys, health
//! and shutdown. Knows what roles there are, not what they do; that is handed to it.

pub mod adapters;
mod address;
pub mod config;
pub mod health;
pub mod keys;
mod mask;
pub mod outbound;
mod process;
mod program;
mod role;
pub mod shutdown;
pub mod telemetry;

pub use adapters::Adapters;
pub use address::Address;
pub use config::{Config, ConfigError};
pub use outbound::{MasterKey, Outbound};
pub use process::{Process, StartError};
pub use program::run;
pub use role::Role;
