//! Bringing the database's schema up to date, before a rollout.

use service::Config;
use store::Database;

use super::CliError;
use crate::output::say;

pub(super) async fn run() -> Result<(), CliError> {
    let config = Config::from_env()?;
    let database = Database::open_beside(&config.database_url).await?;
    database.close().await;
    say!("{} is up to date.", config.database_url);
    Ok(())
}
