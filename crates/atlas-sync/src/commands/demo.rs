//! Everything at once, on the bundled sample channel.

use std::{net::Ipv4Addr, path::PathBuf};

use service::{Address, Config, StartError, keys, shutdown, telemetry};

use super::{CliError, Shared, connect, sync};
use crate::{
    client::Client,
    follow,
    output::say,
    sample,
    server::{Doubles, Server},
    terminal,
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Stop at the end instead of serving on.
    #[arg(long)]
    exit: bool,
    /// Folder for the demonstration's data.
    #[arg(long, default_value = "data/demo")]
    data: PathBuf,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let mut config = shared.config()?;
    config.database_url =
        Address::new(format!("sqlite:{}", args.data.join("atlas-sync.db").display()));
    "warn".clone_into(&mut config.log);
    telemetry::start_log(&config);
    let told = shutdown::on_signal();
    let mut server = start(&mut config).await?;
    let shown = tokio::select! {
        shown = show(shared, &config, &server) => shown,
        () = told.cancelled() => Ok(()),
    };
    if shown.is_ok() && !args.exit && !told.is_cancelled() {
        say!("\nServing until Ctrl-C.");
        tokio::select! {
            () = told.cancelled() => {}
            _ = server.failed() => {}
        }
    }
    server.stop().await;
    shown
}

/// On the usual port, or on another where that is taken.
async fn start(config: &mut Config) -> Result<Server, CliError> {
    match Server::start(config, Doubles::default()).await {
        Err(StartError::Listen { address, .. }) => {
            eprintln!("{address} is taken: another port is used.");
            config.listen = (Ipv4Addr::LOCALHOST, 0).into();
            config.health_listen = (Ipv4Addr::LOCALHOST, 0).into();
            Ok(Server::start(config, Doubles::default()).await?)
        }
        started => Ok(started?),
    }
}

async fn show(shared: &Shared, config: &Config, server: &Server) -> Result<(), CliError> {
    let base = format!("http://{}", server.address);
    let key = connect::key(&Shared { key: None, ..shared.clone() }, config)?;
    let client = Client::new(&base, &key)?;
    say!("Atlas Sync answers at {base}");

    let accepted = client.upload_bytes(sample::archive()?).await?;
    let import = client.wait_for_import(accepted["id"].as_str().unwrap_or_default()).await?;
    let channel = import["channels"][0].as_str().unwrap_or_default().to_owned();
    say!("The sample channel is in: {} messages.\n", import["rows"]);

    let started = sync::start(&client, &channel, false).await?;
    let job = started["job_id"].as_str().unwrap_or_default();
    let last = follow::follow(&client, &channel, job, false).await?;
    follow::outcome(&last, false)?;

    let overview = client.markdown("overview", &channel).await?;
    say!("\n{}", terminal::rendered(&overview));
    say!("Where to look next:");
    say!("  API     {base}/api/memories?channel_id={channel}");
    say!("  Wiki    {base}/api/wiki/pages/decisions?channel_id={channel}");
    say!("  Docs    {base}/docs");
    say!("  Key     in {} (Authorization: Bearer KEY)", keys::file(config).display());
    say!("  Pages   DATABASE_URL={} atlas-sync wiki {channel} decisions", config.database_url);
    Ok(())
}
