//! The `atlas-sync` command.

use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    atlas_sync::commands::run().await
}
