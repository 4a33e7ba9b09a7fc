//! The commands, one module each.

mod backup;
mod bench;
mod channels;
mod config;
mod connect;
mod connections;
mod demo;
mod error;
mod failures;
mod import;
mod jobs;
mod keys;
mod migrate;
mod schedule;
mod serve;
mod sync;
mod why;
mod wiki;

use std::{path::PathBuf, process::ExitCode};

use clap::{Parser, Subcommand};

pub use error::CliError;

/// Keeps chat channels turned into knowledge.
///
/// Commands talk to a running server (--server, or one started beside the same data); when there is none
/// they start an embedded one for as long as they run.
///
/// Exit codes: 0 done, 1 failed, 2 wrong usage, 3 not found, 4 in conflict (already running, already
/// over), 5 the followed sync failed or was cancelled, 6 no server or no valid key.
#[derive(Parser)]
#[command(name = "atlas-sync", version, verbatim_doc_comment)]
struct Cli {
    #[command(flatten)]
    shared: Shared,
    #[command(subcommand)]
    command: Command,
}

/// What every command understands.
#[derive(clap::Args, Clone)]
pub struct Shared {
    /// Address of a running server, such as http://127.0.0.1:8480.
    #[arg(long, global = true, env = "ATLAS_SERVER")]
    server: Option<String>,
    /// API key; else the one that lies beside the data.
    #[arg(long, global = true, env = "ATLAS_API_KEY", hide_env_values = true)]
    key: Option<String>,
    /// Configuration file; else atlas-sync.toml in this folder, where there is one.
    #[arg(long, global = true, env = "ATLAS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print the API's JSON.
    #[arg(long, global = true)]
    json: bool,
}

impl Shared {
    /// The configuration of this process.
    fn config(&self) -> Result<service::Config, service::ConfigError> {
        service::Config::load(self.config.as_deref())
    }
}

#[derive(Subcommand)]
enum Command {
    /// Run the whole service until it is told to stop.
    Serve(serve::Args),
    /// Show everything on a bundled sample channel.
    Demo(demo::Args),
    /// Bring in a Slack export.
    Import(import::Args),
    /// List the channels.
    Channels,
    /// Connect workspaces, and choose their channels.
    #[command(subcommand)]
    Connections(connections::Action),
    /// Synchronise a channel.
    Sync(sync::Args),
    /// Show how a sync stands.
    Status(jobs::StatusArgs),
    /// Show the syncs of all channels, newest first.
    Jobs(jobs::JobsArgs),
    /// Show why a sync stands where it stands: what happened to it, and what it waits for.
    Why(why::Args),
    /// Show what failed, or try it again.
    Failures(failures::Args),
    /// Show the syncs of a channel.
    History(jobs::HistoryArgs),
    /// End a sync.
    Cancel(jobs::CancelArgs),
    /// Synchronise a channel by itself.
    #[command(subcommand)]
    Schedule(schedule::Action),
    /// Read the wiki, or write it to a folder.
    Wiki(wiki::Args),
    /// Write a consistent copy of the database to a new file.
    Backup {
        /// The file to write; must not exist.
        file: PathBuf,
    },
    /// Bring the database's schema up to date.
    Migrate,
    /// Show the configuration in effect, and where each value comes from.
    Config(config::Args),
    /// API keys.
    #[command(subcommand)]
    Keys(keys::Action),
    /// Measure what this machine reaches.
    Bench(bench::Args),
}

/// Runs the command of this process.
pub async fn run() -> ExitCode {
    let cli = Cli::parse();
    let shared = cli.shared;
    let outcome = match cli.command {
        Command::Serve(args) => serve::run(&shared, args).await,
        Command::Demo(args) => demo::run(&shared, args).await,
        Command::Import(args) => import::run(&shared, args).await,
        Command::Channels => channels::run(&shared).await,
        Command::Connections(action) => connections::run(&shared, action).await,
        Command::Sync(args) => sync::run(&shared, args).await,
        Command::Status(args) => jobs::status(&shared, args).await,
        Command::Jobs(args) => jobs::jobs(&shared, args).await,
        Command::Why(args) => why::run(&shared, args).await,
        Command::Failures(args) => failures::run(&shared, args).await,
        Command::History(args) => jobs::history(&shared, args).await,
        Command::Cancel(args) => jobs::cancel(&shared, args).await,
        Command::Schedule(action) => schedule::run(&shared, action).await,
        Command::Wiki(args) => wiki::run(&shared, args).await,
        Command::Backup { file } => backup::run(&shared, &file).await,
        Command::Migrate => migrate::run(&shared).await,
        Command::Config(args) => config::run(&shared, &args),
        Command::Keys(action) => keys::run(&shared, action).await,
        Command::Bench(args) => bench::run(&shared, args).await,
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("atlas-sync: {error}");
            ExitCode::from(error.code())
        }
    }
}
