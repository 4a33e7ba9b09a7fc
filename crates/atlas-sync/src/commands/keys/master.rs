//! The key that the keys of connections are wrapped with.

use connections::{MasterKeys, rotate};
use secrecy::ExposeSecret as _;
use serde_json::json;
use service::{Config, MasterKey, keys};
use store::Database;

use crate::{
    commands::{CliError, Shared},
    output::{self, say},
};

pub(super) async fn rotate_all(
    database: &Database,
    config: &Config,
    shared: &Shared,
) -> Result<(), CliError> {
    if matches!(config.outbound.master_key, MasterKey::Own) {
        replace_own(config)?;
    }
    let config = config.clone();
    let given = MasterKeys::new(move || config.master_key());
    let rotated = rotate(database, &given).await;
    let rotated = rotated.map_err(|error| CliError::failed(error.to_string()))?;
    if shared.json {
        return output::json(&json!({ "rotated": rotated }));
    }
    say!("Connections now under the new master key: {rotated}.");
    say!("The old one is needed by backups made before; else it can be forgotten.");
    Ok(())
}

/// Puts a new key before the last one. That one stays until the next rotation: a server that is running may
/// be sealing with it at this moment.
fn replace_own(config: &Config) -> Result<(), CliError> {
    let old = config.master_key().map_err(CliError::failed)?.ok_or_else(|| {
        CliError::not_found("there is no master key yet: start the server once to make one")
    })?;
    let last = old.expose_secret().lines().map(str::trim).find(|line| !line.is_empty());
    let text = format!("{}\n{}", keys::random()?, last.unwrap_or_default());
    keys::write_private(&config.own_master_key(), &text)?;
    Ok(())
}
