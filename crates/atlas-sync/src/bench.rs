//! The benchmark: what this program reaches on this machine with a given export.
//!
//! With an export everything runs in this process, server and load together, so the figures are those of the
//! whole. `jobs` and `beside` put their load on a server that runs already, one process or many; `floor` asks
//! database and queue themselves. Compare figures of one run with each other; absolute times are this
//! machine's.

pub(crate) mod beside;
mod cancel;
pub(crate) mod floor;
mod incremental;
pub(crate) mod jobs;
mod process;
mod status;
mod whole;

use std::path::Path;

use domain::{ChannelId, Platform};
use serde_json::{Value, json};
use service::Config;
use store::NewChannel;

use crate::{
    client::Client,
    commands::CliError,
    server::{Doubles, Server},
};

/// Runs every measurement; `told` hears of each figure as it comes.
pub async fn run(export: &Path, mut told: impl FnMut(&str, &Value)) -> Result<Value, CliError> {
    let mut figures = serde_json::Map::new();
    let mut tell = |name: &str, figure: Value| {
        told(name, &figure);
        figures.insert(name.to_owned(), figure);
    };
    let whole = whole::measure(export).await?;
    tell("import_and_sync", whole);
    tell("status_under_load", status::measure(export).await?);
    tell("incremental", incremental::measure(export).await?);
    tell("cancel", cancel::measure().await?);
    tell("machine", json!({"cores": std::thread::available_parallelism().map_or(0, usize::from)}));
    Ok(Value::Object(figures))
}

/// A server on a folder of its own.
struct Bench {
    server: Server,
    client: Client,
    folder: tempfile::TempDir,
}

impl Bench {
    async fn start(doubles: Doubles) -> Result<Self, CliError> {
        let folder = tempfile::tempdir()?;
        let database = format!("sqlite:{}", folder.path().join("bench.db").display());
        let variables = [
            ("DATABASE_URL", database.as_str()),
            ("ATLAS_LISTEN", "127.0.0.1:0"),
            ("ATLAS_HEALTH_LISTEN", "127.0.0.1:0"),
        ];
        let variables = variables.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let config = Config::from_variables(&variables.into_iter().collect())?;
        let server = Server::start(&config, doubles).await?;
        let key = service::keys::read(&service::keys::file(&config))?.unwrap_or_default();
        let client = Client::new(&format!("http://{}", server.address), &key)?;
        Ok(Self { server, client, folder })
    }

    /// A channel for the replaying connector.
    async fn channel(&self) -> Result<ChannelId, CliError> {
        let store = &self.server.ports.store;
        let connection = store.ensure_connection(None, Platform::Slack, "T1", "bench").await?;
        let connection = connection.ok_or_else(|| CliError::failed("no connection"))?;
        let new =
            NewChannel { external_id: "C1".into(), name: "bench".into(), topic: String::new() };
        let mut registered = store.register_channels(&connection.id, &[new]).await?;
        Ok(registered.remove(0).id)
    }

    async fn import(&self, export: &Path) -> Result<(String, u64), CliError> {
        let accepted = self.client.upload(export, &[]).await?;
        let id = accepted["id"].as_str().unwrap_or_default();
        let import = self.client.wait_for_import(id).await?;
        let channel = import["channels"][0].as_str().unwrap_or_default().to_owned();
        Ok((channel, import["rows"].as_u64().unwrap_or(0)))
    }

    /// Triggers a sync and waits for its end; answers with its last status.
    async fn sync(&self, channel: &str) -> Result<Value, CliError> {
        let body = json!({"channel_id": channel});
        let started = self.client.send_json(reqwest::Method::POST, "/api/sync", &body).await?;
        let job = started["job_id"].as_str().unwrap_or_default();
        let status = self.client.follow(channel, job, |_| {}).await?;
        match status["status"].as_str() {
            Some("completed") => Ok(status),
            _ => Err(CliError::failed(format!("the sync did not complete: {status}"))),
        }
    }

    async fn stop(self) {
        self.server.stop().await;
        drop(self.folder);
    }
}

/// Seconds between the times of acceptance and end of a job.
fn seconds(status: &Value) -> f64 {
    let time = |field: &str| -> Option<domain::Timestamp> {
        serde_json::from_value(status[field].clone()).ok()
    };
    match (time("started_at"), time("completed_at")) {
        (Some(from), Some(to)) => to.seconds_since(from),
        _ => f64::NAN,
    }
}

fn median(mut figures: Vec<f64>) -> f64 {
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}

fn rounded(figure: f64) -> f64 {
    (figure * 1_000.0).round() / 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "figures to be read")]
fn per(part: f64, whole: u64) -> f64 {
    part / whole.max(1) as f64
}
