//! Synchronising a channel.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    CliError, Shared,
    connect::{Connection, channel_id, connect},
};
use crate::{
    client::Client,
    follow,
    output::{self, say},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// The channel: its id, or its name where only one has it.
    channel: String,
    /// Walk everything again.
    #[arg(long)]
    force: bool,
    /// Watch until it is over.
    #[arg(long)]
    follow: bool,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let outcome = connection.until_signal(sync(&connection, shared, &args)).await;
    connection.close().await;
    outcome
}

async fn sync(connection: &Connection, shared: &Shared, args: &Args) -> Result<(), CliError> {
    let client = &connection.client;
    let channel = channel_id(client, &args.channel).await?;
    let started = start(client, &channel, args.force).await?;
    // An embedded server ends with this command: it has to see the sync through.
    if !args.follow && !connection.is_embedded() {
        return match shared.json {
            true => output::json(&started),
            false => {
                say!("Started: {}", output::plain(&started["job_id"]));
                Ok(())
            }
        };
    }
    let job = started["job_id"].as_str().unwrap_or_default();
    let last = follow::follow(client, &channel, job, shared.json).await?;
    follow::outcome(&last, shared.json)
}

pub(super) async fn start(client: &Client, channel: &str, force: bool) -> Result<Value, CliError> {
    let body = json!({"channel_id": channel, "force": force});
    client.send_json(Method::POST, "/api/sync", &body).await
}
