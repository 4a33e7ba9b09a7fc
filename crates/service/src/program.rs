//! A program that has one role.

use std::{path::PathBuf, process::ExitCode};

use clap::{CommandFactory as _, FromArgMatches as _, Parser};
use tracing::{error, info};

use crate::{Config, Process, Role, StartError, shutdown, telemetry};

/// Runs until SIGINT or SIGTERM; then what is in work is finished or given back.
///
/// Exit codes: 0 told to end, 1 failed or not started, 2 wrong usage.
#[derive(Parser)]
#[command(version, verbatim_doc_comment)]
struct Args {
    /// Configuration file; else atlas-sync.toml in this folder, where there is one.
    #[arg(long, env = "ATLAS_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
}

impl Args {
    /// Those of this process, as the program of this name takes them.
    fn of(program: &'static str) -> Self {
        let matches = Self::command().name(program).get_matches();
        Self::from_arg_matches(&matches).unwrap_or_else(|error| error.exit())
    }
}

/// The whole of a program that has one role: starts it and runs it until a signal.
pub fn run(
    role: Role,
    start: impl AsyncFnOnce(&mut Process) -> Result<(), StartError>,
) -> ExitCode {
    let program = role.program();
    let args = Args::of(program);
    let runtime = match tokio::runtime::Runtime::new() {
        Ok(runtime) => runtime,
        Err(cause) => {
            eprintln!("{program}: the system gives no threads: {cause}");
            return ExitCode::FAILURE;
        }
    };
    match runtime.block_on(run_role(role, &args, start)) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(ended)) => {
            error!("{ended} has ended by itself");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{program}: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn run_role(
    role: Role,
    args: &Args,
    start: impl AsyncFnOnce(&mut Process) -> Result<(), StartError>,
) -> Result<Option<&'static str>, StartError> {
    let config = Config::load(args.config.as_deref())?.with_roles([role])?;
    telemetry::start_log(&config);
    let told = shutdown::on_signal();
    let mut process = Process::start(&config).await?;
    let health = process.serve_health().await?;
    start(&mut process).await?;
    info!(role = role.as_str(), %health, "running");
    let failed = tokio::select! {
        () = told.cancelled() => None,
        role = process.failed() => Some(role),
    };
    process.stop().await;
    Ok(failed)
}
