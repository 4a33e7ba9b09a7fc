//! What failed, and trying it again.

use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{CliError, Shared, connect::connect};
use crate::{
    client::Client,
    output::{self, say},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Only those with this error, such as PLATFORM_ERROR.
    #[arg(long)]
    code: Option<String>,
    /// Only those of this stage, such as extracting_facts.
    #[arg(long)]
    stage: Option<String>,
    /// Synchronise their channels and try them again.
    #[arg(long)]
    replay: bool,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let told = match args.replay {
        true => replay(&connection.client, &args).await,
        false => list(&connection.client, &args).await,
    };
    connection.close().await;
    let told = told?;
    if shared.json {
        return output::json(&told);
    }
    if args.replay {
        tell_replay(&told);
        return Ok(());
    }
    let row = |failure: &Value| {
        ["id", "channel_id", "status", "messages", "code", "ended_at"]
            .map(|field| output::plain(&failure[field]))
            .to_vec()
    };
    let failures = told["failures"].as_array().cloned().unwrap_or_default();
    let head = ["task", "channel", "status", "messages", "error", "when"];
    output::table(&head, failures.iter().map(row));
    Ok(())
}

/// What became of each.
fn tell_replay(told: &Value) {
    for job in told["jobs"].as_array().into_iter().flatten() {
        say!(
            "Started: {} for {}",
            output::plain(&job["job_id"]),
            output::plain(&job["channel_id"])
        );
    }
    for job in told["in_progress"].as_array().into_iter().flatten() {
        say!("Syncing already: {}", output::plain(job));
    }
    for channel in told["not_chosen"].as_array().into_iter().flatten() {
        say!("Not chosen on its connection: {}; choose it and try again", output::plain(channel));
    }
    if let Some(forgotten @ 1..) = told["forgotten"].as_u64() {
        say!("Undecodable messages no longer listed: {forgotten}");
    }
}

fn filters(args: &Args) -> Vec<(&'static str, &str)> {
    let code = args.code.as_deref().map(|code| ("code", code));
    code.into_iter().chain(args.stage.as_deref().map(|stage| ("stage", stage))).collect()
}

async fn list(client: &Client, args: &Args) -> Result<Value, CliError> {
    client.get("/api/sync/failures", &filters(args)).await
}

async fn replay(client: &Client, args: &Args) -> Result<Value, CliError> {
    let filters = filters(args).into_iter();
    let body: Map<String, Value> =
        filters.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    client.send_json(Method::POST, "/api/sync/failures/replay", &Value::Object(body)).await
}
