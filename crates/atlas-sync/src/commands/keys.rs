//! API keys. Made beside the database, not over the API: who can write the file needs no key.

mod master;

use clap::Subcommand;
use serde_json::json;
use service::keys;
use store::{Access as _, Database};

use super::{CliError, Shared};
use crate::output::{self, say};

#[derive(Subcommand)]
pub(super) enum Action {
    /// Make a key; it is shown once.
    Create {
        /// What it is for.
        name: String,
    },
    /// List the keys.
    List,
    /// Wrap the keys of all connections with the first master key. Of an embedded service a new one is made;
    /// where ATLAS_MASTER_KEY_FILE names a file, put the new key on its first line and leave the old one below.
    RotateMaster,
    /// End a key; servers take notice within five seconds.
    Revoke {
        /// Its id.
        id: String,
    },
}

pub(super) async fn run(shared: &Shared, action: Action) -> Result<(), CliError> {
    let config = shared.config()?;
    let path = config.database_url.trim_start_matches("sqlite:");
    let database = match std::path::Path::new(path).exists() {
        true => Database::open_beside(&config.database_url).await?,
        false => Database::open(&config.database_url).await?,
    };
    let outcome = match action {
        Action::RotateMaster => master::rotate_all(&database, &config, shared).await,
        action => act(&database, shared, action).await,
    };
    database.close().await;
    outcome
}

async fn act(database: &Database, shared: &Shared, action: Action) -> Result<(), CliError> {
    match action {
        Action::RotateMaster => {}
        Action::Create { name } => {
            let new = keys::create(database, &name).await?;
            if shared.json {
                return output::json(&json!({"id": new.key.id, "name": name, "key": new.secret}));
            }
            say!("{}\nThis is the only time it is shown. Its id is {}.", new.secret, new.key.id);
        }
        Action::List => {
            let keys = database.keys().await?;
            if shared.json {
                let keys: Vec<_> = keys
                    .iter()
                    .map(|key| json!({"id": key.id, "name": key.name, "created_at": key.created_at, "revoked_at": key.revoked_at}))
                    .collect();
                return output::json(&json!({ "keys": keys }));
            }
            let row = |key: &store::ApiKey| {
                let revoked = key.revoked_at.map_or_else(|| "-".to_owned(), |at| at.to_rfc3339());
                vec![key.id.to_string(), key.name.clone(), key.created_at.to_rfc3339(), revoked]
            };
            output::table(&["id", "name", "created", "revoked"], keys.iter().map(row));
        }
        Action::Revoke { id } => {
            let unknown = || {
                CliError::not_found(format!(
                    "there is no valid key {id}: `atlas-sync keys list` shows them"
                ))
            };
            let key = id.parse().map_err(|_| unknown())?;
            if !database.revoke_key(&key).await? {
                return Err(unknown());
            }
            if shared.json {
                return output::json(&json!({"revoked": id}));
            }
            say!("Revoked.");
        }
    }
    Ok(())
}
