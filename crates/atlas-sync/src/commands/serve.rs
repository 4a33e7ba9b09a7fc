//! Running the service.

use crate::output::say;
use service::{Role, keys, shutdown, telemetry};

use super::{CliError, Shared};
use crate::server::{Doubles, Server};

#[derive(clap::Args)]
pub(super) struct Args {
    /// What this process does, where not everything: a list such as gateway,scheduler (or ATLAS_ROLES).
    #[arg(long, value_delimiter = ',')]
    roles: Vec<String>,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let mut config = shared.config()?;
    if !args.roles.is_empty() {
        let roles: Result<Vec<Role>, ()> = args.roles.iter().map(|name| name.parse()).collect();
        let names = Role::ALL.map(Role::as_str).join(", ");
        let roles =
            roles.map_err(|()| CliError::usage(format!("--roles takes a list of {names}")))?;
        config = config.with_roles(roles)?;
    }
    telemetry::start_log(&config);
    let told = shutdown::on_signal();
    let mut server = Server::start(&config, Doubles::default()).await?;
    if config.has(Role::Gateway) {
        say!("Atlas Sync answers at http://{} (API description: /docs)", server.address);
    }
    say!("Health and metrics at http://{}", server.health_address);
    if config.has(Role::Gateway) && config.api_key_file.is_none() && config.is_loopback() {
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
