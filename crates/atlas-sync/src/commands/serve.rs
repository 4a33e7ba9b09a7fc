//! Running the service.

use crate::output::say;
use service::{Config, keys, shutdown, telemetry};

use super::CliError;
use crate::server::{Doubles, Server};

pub(super) async fn run() -> Result<(), CliError> {
    let config = Config::from_env()?;
    telemetry::start_log(&config);
    let told = shutdown::on_signal();
    let mut server = Server::start(&config, Doubles::default()).await?;
    say!("Atlas Sync answers at http://{} (API description: /docs)", server.address);
    say!("Health and metrics at http://{}", server.health_address);
    if config.api_key_file.is_none() && config.is_loopback() {
        say!("The API key is in {}", keys::file(&config).display());
    }
    let failed = tokio::select! {
        () = told.cancelled() => None,
        role = server.failed() => Some(role),
    };
    server.stop().await;
    match failed {
        None => Ok(()),
        Some(role) => Err(CliError::failed(format!("{role} has ended: see the log"))),
    }
}
