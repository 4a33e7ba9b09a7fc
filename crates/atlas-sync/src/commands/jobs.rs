//! Looking at syncs, and ending them.

use reqwest::Method;
use serde_json::{Value, json};

use super::{
    CliError, Shared,
    connect::{channel_id, connect},
};
use crate::{
    client::Client,
    output::{self, say},
};

#[derive(clap::Args)]
pub(super) struct StatusArgs {
    /// The channel: its id, or its name where only one has it.
    channel: String,
    /// The sync; the newest when left out.
    #[arg(long)]
    job: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct HistoryArgs {
    /// The channel: its id, or its name where only one has it.
    channel: String,
    /// How many, 1 to 100.
    #[arg(long, default_value = "10")]
    limit: String,
    /// Only those in this state.
    #[arg(long)]
    status: Option<String>,
}

#[derive(clap::Args)]
pub(super) struct JobsArgs {
    /// Only those in this state.
    #[arg(long)]
    status: Option<String>,
    /// How many, 1 to 100.
    #[arg(long, default_value = "20")]
    limit: String,
}

#[derive(clap::Args)]
pub(super) struct CancelArgs {
    /// The sync.
    job: String,
}

pub(super) async fn status(shared: &Shared, args: StatusArgs) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let found = get_status(&connection.client, &args).await;
    connection.close().await;
    let status = found?;
    if shared.json {
        return output::json(&status);
    }
    let progress = &status["progress"];
    say!(
        "{} is {} ({} %)",
        output::plain(&status["job_id"]),
        output::plain(&status["status"]),
        progress["percentage"]
    );
    say!(
        "messages: {} of {}, {} failing",
        progress["processed_messages"],
        progress["total_messages"],
        progress["failing_messages"]
    );
    let row = |stage: &Value| {
        ["name", "status", "processed", "total", "duration_seconds"]
            .map(|field| output::plain(&stage[field]))
            .to_vec()
    };
    let stages = status["stages"].as_array().cloned().unwrap_or_default();
    output::table(&["stage", "status", "done", "of", "seconds"], stages.iter().map(row));
    if let Some(message) = status["error"]["message"].as_str() {
        say!("{}: {message}", output::plain(&status["error"]["code"]));
    }
    Ok(())
}

async fn get_status(client: &Client, args: &StatusArgs) -> Result<Value, CliError> {
    let channel = channel_id(client, &args.channel).await?;
    let mut query = vec![("channel_id", channel.as_str())];
    query.extend(args.job.as_deref().map(|job| ("job_id", job)));
    client.get("/api/sync/status", &query).await
}

pub(super) async fn history(shared: &Shared, args: HistoryArgs) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let found = get_history(&connection.client, &args).await;
    connection.close().await;
    let history = found?;
    if shared.json {
        return output::json(&history);
    }
    let row = |entry: &Value| {
        [
            "job_id",
            "status",
            "started_at",
            "duration_seconds",
            "messages_synced",
            "facts_extracted",
            "entities_created",
        ]
        .map(|field| output::plain(&entry[field]))
        .to_vec()
    };
    let entries = history["history"].as_array().cloned().unwrap_or_default();
    let head = ["job", "status", "started", "seconds", "messages", "facts", "entities"];
    output::table(&head, entries.iter().map(row));
    Ok(())
}

async fn get_history(client: &Client, args: &HistoryArgs) -> Result<Value, CliError> {
    let channel = channel_id(client, &args.channel).await?;
    let mut query = vec![("channel_id", channel.as_str()), ("limit", args.limit.as_str())];
    query.extend(args.status.as_deref().map(|status| ("status", status)));
    client.get("/api/sync/history", &query).await
}

pub(super) async fn jobs(shared: &Shared, args: JobsArgs) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let mut query = vec![("limit", args.limit.as_str())];
    query.extend(args.status.as_deref().map(|status| ("status", status)));
    let found = connection.client.get("/api/sync/jobs", &query).await;
    connection.close().await;
    let listed = found?;
    if shared.json {
        return output::json(&listed);
    }
    let row = |job: &Value| {
        let mut row = ["job_id", "channel_id", "status", "current_stage"]
            .map(|f| output::plain(&job[f]))
            .to_vec();
        row.push(format!("{} %", job["progress"]["percentage"]));
        row.push(output::plain(&job["started_at"]));
        row
    };
    let jobs = listed["jobs"].as_array().cloned().unwrap_or_default();
    let head = ["job", "channel", "status", "stage", "progress", "started"];
    output::table(&head, jobs.iter().map(row));
    Ok(())
}

pub(super) async fn cancel(shared: &Shared, args: CancelArgs) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let body = json!({"job_id": args.job});
    let reply = connection.client.send_json(Method::POST, "/api/sync/cancel", &body).await;
    connection.close().await;
    let reply = reply?;
    if shared.json {
        return output::json(&reply);
    }
    say!("Cancelled at {}", output::plain(&reply["cancelled_at"]));
    Ok(())
}
