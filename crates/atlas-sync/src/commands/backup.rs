//! A copy of the database, taken while it works.

use std::path::Path;

use serde_json::json;
use store::{Access as _, Database};

use super::{CliError, Shared};
use crate::output::{self, say};

/// Reads the database file itself, beside whatever server owns it.
pub(super) async fn run(shared: &Shared, file: &Path) -> Result<(), CliError> {
    if file.exists() {
        return Err(CliError::usage(format!("{} exists already: name a new file", file.display())));
    }
    let config = shared.config()?;
    let database = Database::open_beside(&config.database_url).await?;
    let outcome = database.backup(file).await;
    database.close().await;
    outcome?;
    if shared.json {
        return output::json(&json!({"file": file, "bytes": std::fs::metadata(file)?.len()}));
    }
    say!(
        "The database is copied to {}. To restore it, put it in the place of {}.",
        file.display(),
        config.database_url
    );
    Ok(())
}
