//! Connections.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
};

use clap::Subcommand;
use reqwest::Method;
use serde_json::{Map, Value, json};

use super::{CliError, Shared, connect::connect};
use crate::{
    client::Client,
    output::{self, say},
};

#[derive(Subcommand)]
pub(super) enum Action {
    /// Connect a workspace; the platform is asked first whether it takes the credentials.
    Add {
        /// slack, matrix, mattermost, discord or teams.
        platform: String,
        /// A file with the credentials as a JSON object, such as {"token": "…"}; - reads standard input.
        #[arg(long)]
        credentials: PathBuf,
        /// A name; the workspace's own when left out.
        #[arg(long)]
        name: Option<String>,
        /// The server, for platforms that people run themselves.
        #[arg(long)]
        base_url: Option<String>,
    },
    /// List the connections.
    List,
    /// Give a connection new credentials, which brings back one that is in error.
    Renew {
        /// Its id or its name.
        connection: String,
        /// As for add.
        #[arg(long)]
        credentials: PathBuf,
    },
    /// Ask the platform whether it still takes a connection's credentials.
    Validate {
        /// Its id or its name.
        connection: String,
    },
    /// List the channels that a connection offers.
    Channels {
        /// Its id or its name.
        connection: String,
    },
    /// Choose the channels that are synchronised; all others of the connection no longer are.
    Select {
        /// Its id or its name.
        connection: String,
        /// Their ids or names.
        #[arg(required_unless_present_any = ["all", "none"])]
        channels: Vec<String>,
        /// All that are offered.
        #[arg(long, conflicts_with_all = ["channels", "none"])]
        all: bool,
        /// None any more: must be said, since a forgotten name is no choice.
        #[arg(long, conflicts_with = "channels")]
        none: bool,
        /// Synchronise each by itself: five POSIX cron fields, such as "0 */4 * * *".
        #[arg(long)]
        schedule: Option<String>,
        /// The time zone of the schedule.
        #[arg(long, default_value = "UTC")]
        timezone: String,
    },
    /// Remove a connection; what was brought through it stays.
    Remove {
        /// Its id or its name.
        connection: String,
    },
}

const PATH: &str = "/api/connections";

pub(super) async fn run(shared: &Shared, action: Action) -> Result<(), CliError> {
    let connection = connect(shared).await?;
    let outcome = act(&connection.client, shared, action).await;
    connection.close().await;
    outcome
}

async fn act(client: &Client, shared: &Shared, action: Action) -> Result<(), CliError> {
    match action {
        Action::Add { platform, credentials, name, base_url } => {
            let credentials = read(&credentials)?;
            let mut body = json!({ "platform": platform, "credentials": credentials });
            for (field, value) in [("name", name), ("base_url", base_url)] {
                if let Some(value) = value {
                    body[field] = value.into();
                }
            }
            let added = client.send_json(Method::POST, PATH, &body).await?;
            if shared.json {
                return output::json(&added);
            }
            let id = output::plain(&added["id"]);
            say!("Connected {} as {id}.", output::plain(&added["name"]));
            say!("Choose its channels: `atlas-sync connections channels {id}`");
            Ok(())
        }
        Action::List => list(client, shared).await,
        Action::Renew { connection, credentials } => {
            let path = path_of(client, &connection).await?;
            let body = json!({ "credentials": read(&credentials)? });
            let changed = client.send_json(Method::PUT, &path, &body).await?;
            match shared.json {
                true => output::json(&changed),
                false => {
                    say!(
                        "The platform takes them; the next sync goes on where the last one ended."
                    );
                    Ok(())
                }
            }
        }
        Action::Validate { connection } => validate(client, shared, &connection).await,
        Action::Channels { connection } => channels(client, shared, &connection).await,
        Action::Select { connection, channels, all, schedule, timezone, .. } => {
            let path = format!("{}/channels", path_of(client, &connection).await?);
            let offered = client.all(&path, &[], "channels").await?;
            let mut body = match all {
                true => json!({ "sync_all": true }),
                false => json!({ "channel_ids": ids(&offered, &channels)? }),
            };
            if let Some(schedule) = schedule {
                body["schedule"] = schedule.into();
                body["timezone"] = timezone.into();
            }
            let chosen = client.send_json(Method::PUT, &path, &body).await?;
            if shared.json {
                return output::json(&chosen);
            }
            say_chosen(&chosen);
            Ok(())
        }
        Action::Remove { connection } => {
            client.delete(&path_of(client, &connection).await?, &[]).await?;
            if shared.json {
                return output::json(&json!({ "removed": connection }));
            }
            say!("Removed; its channels keep what was brought.");
            Ok(())
        }
    }
}

/// Secrets come from a file or standard input, never from the command line, which others can see.
fn read(path: &Path) -> Result<Map<String, Value>, CliError> {
    let standard_input = path == Path::new("-");
    let source = match standard_input {
        true => "standard input".to_owned(),
        false => path.display().to_string(),
    };
    let text = match standard_input {
        true => {
            let mut text = String::new();
            std::io::stdin().take(1 << 20).read_to_string(&mut text).map(|_| text)
        }
        false => std::fs::read_to_string(path),
    };
    let text =
        text.map_err(|error| CliError::failed(format!("{source} cannot be read: {error}")))?;
    serde_json::from_str(&text).map_err(|_| {
        CliError::usage(format!("{source} must hold a JSON object: {{\"token\": \"…\"}}"))
    })
}

fn say_chosen(chosen: &Value) {
    let channels = chosen["channels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let names: Vec<_> = channels.iter().map(|channel| output::plain(&channel["name"])).collect();
    match names.first() {
        Some(first) => {
            say!("Chosen, and no others of this connection: {}.", names.join(", "));
            say!("Synchronise one now: `atlas-sync sync {first} --follow`");
        }
        None => say!("No channel of this connection is synchronised any more."),
    }
}

async fn list(client: &Client, shared: &Shared) -> Result<(), CliError> {
    let connections = client.all(PATH, &[], "connections").await?;
    if shared.json {
        return output::json(&json!({ "connections": connections }));
    }
    let row = |connection: &Value| {
        let mut cells = ["id", "name", "platform", "status", "channel_count", "last_sync"]
            .map(|field| output::plain(&connection[field]))
            .to_vec();
        cells.push(output::plain(&connection["error"]["message"]));
        cells
    };
    let head = ["id", "name", "platform", "status", "channels", "last sync", "error"];
    output::table(&head, connections.iter().map(row));
    Ok(())
}

async fn validate(client: &Client, shared: &Shared, connection: &str) -> Result<(), CliError> {
    let path = format!("{}/validate", path_of(client, connection).await?);
    let answer = client.send_json(Method::POST, &path, &json!({})).await?;
    if shared.json {
        output::json(&answer)?;
    }
    match answer["valid"] == true {
        true if shared.json => Ok(()),
        true => {
            say!("The platform takes its credentials.");
            Ok(())
        }
        false => Err(CliError::failed(output::plain(&answer["error"]["message"]))),
    }
}

async fn channels(client: &Client, shared: &Shared, connection: &str) -> Result<(), CliError> {
    let path = format!("{}/channels", path_of(client, connection).await?);
    let offered = client.all(&path, &[], "channels").await?;
    if shared.json {
        return output::json(&json!({ "channels": offered }));
    }
    let row = |channel: &Value| {
        ["id", "name", "is_private", "member_count", "sync_enabled"]
            .map(|field| output::plain(&channel[field]))
            .to_vec()
    };
    output::table(&["id", "name", "private", "members", "chosen"], offered.iter().map(row));
    Ok(())
}

/// Where a connection is that was given by its id or its name.
async fn path_of(client: &Client, wanted: &str) -> Result<String, CliError> {
    let connections = client.all(PATH, &[], "connections").await?;
    let id = one(&connections, wanted, "connection", "`atlas-sync connections list` lists them")?;
    Ok(format!("{PATH}/{id}"))
}

fn ids(offered: &[Value], wanted: &[String]) -> Result<Vec<String>, CliError> {
    let hint = "`atlas-sync connections channels` lists what is offered";
    wanted
        .iter()
        .map(|wanted| one(offered, wanted.trim_start_matches('#'), "channel", hint))
        .collect()
}

/// The id of what has this id, or alone this name.
fn one(all: &[Value], wanted: &str, kind: &str, hint: &str) -> Result<String, CliError> {
    let id = |entry: &Value| entry["id"].as_str().unwrap_or_default().to_owned();
    if let Some(entry) = all.iter().find(|entry| entry["id"] == wanted) {
        return Ok(id(entry));
    }
    let named: Vec<_> = all.iter().filter(|entry| entry["name"] == wanted).collect();
    match named[..] {
        [entry] => Ok(id(entry)),
        [] => Err(CliError::not_found(format!("there is no {kind} {wanted}: {hint}"))),
        _ => {
            let ids = named.into_iter().map(id).collect::<Vec<_>>().join(", ");
            Err(CliError::usage(format!("several are named {wanted}: say which of {ids}")))
        }
    }
}
