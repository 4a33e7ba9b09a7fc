//! Bringing in an export.

use std::path::PathBuf;

use serde_json::Value;

use super::{CliError, Shared, connect::connect};
use crate::{
    client::Client,
    output::{self, say},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The export as it was made: Slack's zip, DiscordChatExporter's JSON, Mattermost's bulk export, Telegram's
    /// result.json, a room in JSON from Element, or a table or JSON lines.
    file: PathBuf,
    /// What it is (`slack_export`, `discord_chat_exporter`, `mattermost_bulk`, `telegram`, `element_export`,
    /// `csv`, `jsonl`); recognised by its content else.
    #[arg(long)]
    format: Option<String>,
    /// How to read a table, as a JSON object: columns, timezone, day_first, encoding, delimiter,
    /// max_error_percent.
    #[arg(long)]
    options: Option<String>,
    /// The connection whose channels it belongs to; one is found or made by the workspace else.
    #[arg(long)]
    connection: Option<String>,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let outcome = connection.until_signal(import(&connection.client, shared, &args)).await;
    connection.close().await;
    outcome
}

async fn import(client: &Client, shared: &Shared, args: &Args) -> Result<(), CliError> {
    let beside =
        [("connection_id", &args.connection), ("format", &args.format), ("options", &args.options)];
    let beside: Vec<_> =
        beside.into_iter().filter_map(|(name, value)| Some((name, value.clone()?))).collect();
    let accepted = client.upload(&args.file, &beside).await?;
    let import = client.wait_for_import(accepted["id"].as_str().unwrap_or_default()).await?;
    if shared.json {
        return output::json(&import);
    }
    let channels = import["channels"].as_array().map_or(0, Vec::len);
    say!("{} messages of {channels} channels have been read.", import["rows"]);
    let errors = import["row_errors"].as_array().cloned().unwrap_or_default();
    for error in &errors {
        say!("  not read: {}", row_error(error));
    }
    let ids = import["channels"].as_array().cloned().unwrap_or_default();
    if let Some(first) = ids.first().and_then(Value::as_str) {
        say!("Next: atlas-sync sync {first} --follow");
    }
    Ok(())
}

fn row_error(error: &Value) -> String {
    let text = |field: &str| error[field].as_str().unwrap_or_default().to_owned();
    format!("{} (record {}): {}", text("file"), error["line"], text("message"))
}
