//! What every process of the service needs: configuration, telemetry, adapters from URLs, keys, health
//! and shutdown. Knows no role; roles are handed to it.

pub mod adapters;
pub mod config;
pub mod health;
pub mod keys;
pub mod shutdown;
pub mod telemetry;

pub use adapters::Adapters;
pub use config::{Config, ConfigError};
