//! Measuring.

use std::path::PathBuf;

use serde_json::Value;

use super::{CliError, Shared, connect::connect};
use crate::{
    bench,
    client::Client,
    output::{self, say},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A Slack export to measure with; the larger, the more it tells.
    #[arg(required_unless_present_any = ["jobs", "beside", "floor"])]
    export: Option<PathBuf>,
    /// Measure with so many jobs of one message each instead, on the server that commands talk to.
    #[arg(long, conflicts_with = "export")]
    jobs: Option<usize>,
    /// Measure small channels there beside a large one of so many messages.
    #[arg(long, conflicts_with_all = ["export", "jobs"])]
    beside: Option<usize>,
    /// Measure the disk syncs and queue hops of a job instead, on database and queue of the configuration
    /// that nobody else uses: it takes calls off the queue and leaves revoked keys behind.
    #[arg(long, conflicts_with_all = ["export", "jobs", "beside"])]
    floor: bool,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let quiet = shared.json;
    let tell = |name: &str, figure: &Value| {
        if !quiet {
            print(name, figure);
        }
    };
    let figures = match args {
        Args { jobs: Some(jobs), .. } => {
            on_server(shared, async |client| bench::jobs::measure(client, jobs).await, tell).await?
        }
        Args { beside: Some(large), .. } => {
            on_server(shared, async |client| bench::beside::measure(client, large).await, tell)
                .await?
        }
        Args { floor: true, .. } => {
            let figures = bench::floor::measure(&shared.config()?).await?;
            tell("floor", &figures);
            figures
        }
        Args { export: Some(export), .. } => bench::run(&export, tell).await?,
        _ => Value::Null,
    };
    if quiet {
        output::json(&figures)?;
    }
    Ok(())
}

async fn on_server(
    shared: &Shared,
    measure: impl AsyncFnOnce(&Client) -> Result<Value, CliError>,
    tell: impl Fn(&str, &Value),
) -> Result<Value, CliError> {
    let connection = connect(shared).await?;
    let outcome = connection.until_signal(measure(&connection.client)).await;
    connection.close().await;
    let figures = outcome?;
    tell("on_the_server", &figures);
    Ok(figures)
}

fn print(name: &str, figure: &Value) {
    say!("{}", name.replace('_', " "));
    for (what, value) in figure.as_object().into_iter().flatten() {
        say!("  {:<34} {}", what.replace('_', " "), output::plain(value));
    }
}
