//! Schedules.

use clap::Subcommand;
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

#[derive(Subcommand)]
pub(super) enum Action {
    /// Create or replace a channel's schedule.
    Set {
        /// The channel.
        channel: String,
        /// Five POSIX cron fields, such as "0 */4 * * *".
        schedule: String,
        /// An IANA time zone.
        #[arg(long, default_value = "UTC")]
        timezone: String,
        /// Keep it without firing.
        #[arg(long)]
        disabled: bool,
    },
    /// List the schedules.
    List,
    /// Remove a channel's schedule.
    Remove {
        /// The channel.
        channel: String,
    },
}

pub(super) async fn run(shared: &Shared, action: Action) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let outcome = act(&connection.client, shared, action).await;
    connection.close().await;
    outcome
}

async fn act(client: &Client, shared: &Shared, action: Action) -> Result<(), CliError> {
    const PATH: &str = "/api/sync/schedules";
    match action {
        Action::Set { channel, schedule, timezone, disabled } => {
            let channel = channel_id(client, &channel).await?;
            let body = json!({"channel_id": channel, "schedule": schedule, "timezone": timezone, "enabled": !disabled});
            let stored = client.send_json(Method::PUT, PATH, &body).await?;
            if shared.json {
                return output::json(&stored);
            }
            say!("Next sync: {}", output::plain(&stored["next_sync"]));
        }
        Action::List => {
            let list = client.get(PATH, &[]).await?;
            if shared.json {
                return output::json(&list);
            }
            let row = |schedule: &Value| {
                ["channel_id", "schedule", "timezone", "enabled", "next_sync", "last_sync"]
                    .map(|field| output::plain(&schedule[field]))
                    .to_vec()
            };
            let schedules = list["schedules"].as_array().cloned().unwrap_or_default();
            let head = ["channel", "schedule", "time zone", "enabled", "next", "last"];
            output::table(&head, schedules.iter().map(row));
        }
        Action::Remove { channel } => {
            let channel = channel_id(client, &channel).await?;
            client.delete(PATH, &[("channel_id", &channel)]).await?;
            if shared.json {
                return output::json(&json!({"removed": channel}));
            }
            say!("Removed.");
        }
    }
    Ok(())
}
