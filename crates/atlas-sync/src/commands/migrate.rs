//! Bringing the database's schema up to date, before a rollout.

use store::Database;

use super::{CliError, Shared};
use crate::output::say;

pub(super) async fn run(shared: &Shared) -> Result<(), CliError> {
    let config = shared.config()?;
    let database = Database::open_beside(&config.database_url).await?;
    database.close().await;
    say!("{} is up to date.", config.database_url);
    Ok(())
}
