//! Finding a server, or being one for a while.

use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use serde_json::Value;
use service::{Config, config::LogFormat, keys, shutdown, telemetry};
use store::Database;

use super::{CliError, Shared};
use crate::{
    client::Client,
    server::{Doubles, Notice, Server},
};

/// A client, and the server it talks to when that had to be started for it.
pub(super) struct Connection {
    pub(super) client: Client,
    server: Option<Server>,
}

impl Connection {
    /// Does what a command is there for. A signal ends it early when the server is this process's own,
    /// so that the server can be closed: its work is finished or given back.
    pub(super) async fn until_signal<T>(
        &self,
        command: impl Future<Output = Result<T, CliError>>,
    ) -> Result<T, CliError> {
        if !self.is_embedded() {
            return command.await;
        }
        let told = shutdown::on_signal();
        tokio::select! {
            outcome = command => outcome,
            () = told.cancelled() => Err(CliError::failed(
                "interrupted: what is done is kept, and goes on with the next start",
            )),
        }
    }

    /// Ends the server that was started for this command.
    pub(super) async fn close(self) {
        if let Some(server) = self.server {
            server.stop().await;
        }
    }
}

/// Connects to the server that is named, else to the one beside the data, else to one that is started.
pub(super) async fn connect(shared: &Shared) -> Result<Connection, CliError> {
    let config = shared.config()?;
    if let Some(base) = &shared.server {
        let key = key(shared, &config)?;
        return Ok(Connection { client: Client::new(base, &key)?, server: None });
    }
    if let Some(address) = running(&config) {
        let key = key(shared, &config)?;
        return Ok(Connection {
            client: Client::new(&format!("http://{address}"), &key)?,
            server: None,
        });
    }
    start(shared, config).await
}

/// The server that has left its notice beside the data, if it still answers.
pub(super) fn running(config: &Config) -> Option<SocketAddr> {
    // A process that was killed leaves its notice; whoever listens at that address now must not be shown
    // the key. The lock goes with its process.
    if !Database::is_owned(&config.database_url) {
        return None;
    }
    let text = std::fs::read_to_string(Notice::place(config)).ok()?;
    let mut notice: Notice = serde_json::from_str(&text).ok()?;
    if notice.address.ip().is_unspecified() {
        notice.address.set_ip(Ipv4Addr::LOCALHOST.into());
    }
    let within = std::time::Duration::from_millis(500);
    TcpStream::connect_timeout(&notice.address, within).ok()?;
    Some(notice.address)
}

async fn start(shared: &Shared, mut config: Config) -> Result<Connection, CliError> {
    config.listen = (Ipv4Addr::LOCALHOST, 0).into();
    config.health_listen = (Ipv4Addr::LOCALHOST, 0).into();
    "warn".clone_into(&mut config.log);
    config.log_format = LogFormat::Text;
    telemetry::start_log(&config);
    let server = Server::start(&config, Doubles::default()).await?;
    let base = format!("http://{}", server.address);
    let client = Client::new(&base, &key(shared, &config)?)?;
    Ok(Connection { client, server: Some(server) })
}

/// The key that was given, else the one that lies beside the data.
pub(super) fn key(shared: &Shared, config: &Config) -> Result<String, CliError> {
    if let Some(key) = &shared.key {
        return Ok(key.clone());
    }
    let path = config.api_key_file.clone().unwrap_or_else(|| keys::file(config));
    keys::read(&path)?.ok_or_else(|| {
        CliError::unreachable(format!(
            "no API key: give one with --key or ATLAS_API_KEY ({} does not exist)",
            path.display()
        ))
    })
}

/// The id of a channel that was given by its id or its name.
pub(super) async fn channel_id(client: &Client, wanted: &str) -> Result<String, CliError> {
    let channels = client.all("/api/channels", &[], "channels").await?;
    let field = |channel: &Value, name: &str| channel[name].as_str().unwrap_or_default().to_owned();
    if let Some(channel) = channels.iter().find(|channel| channel["id"] == wanted) {
        return Ok(field(channel, "id"));
    }
    let name = wanted.trim_start_matches('#');
    let named: Vec<_> = channels.iter().filter(|channel| channel["name"] == name).collect();
    match named[..] {
        [channel] => Ok(field(channel, "id")),
        [] if channels.is_empty() => Err(CliError::not_found(
            "there are no channels yet: bring some in with `atlas-sync connections add` or `atlas-sync import FILE.zip`",
        )),
        [] => Err(CliError::not_found(format!(
            "there is no channel {wanted}: `atlas-sync channels` lists them, `atlas-sync connections select` adds \
             one of a platform"
        ))),
        _ => {
            let ids: Vec<_> = named.iter().map(|channel| field(channel, "id")).collect();
            Err(CliError::usage(format!(
                "several channels are named {name}: say which of {}",
                ids.join(", ")
            )))
        }
    }
}

impl Connection {
    /// Whether the server lives only as long as this command.
    pub(super) fn is_embedded(&self) -> bool {
        self.server.is_some()
    }
}
