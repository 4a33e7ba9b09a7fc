//! Measuring.

use std::path::PathBuf;

use serde_json::Value;

use super::{CliError, Shared};
use crate::{
    bench,
    output::{self, say},
};

#[derive(clap::Args)]
pub(super) struct Args {
    /// A Slack export to measure with; the larger, the more it tells.
    export: PathBuf,
}

pub(super) async fn run(shared: &Shared, args: Args) -> Result<(), CliError> {
    let quiet = shared.json;
    let figures = bench::run(&args.export, |name, figure| {
        if !quiet {
            print(name, figure);
        }
    })
    .await?;
    if quiet {
        output::json(&figures)?;
    }
    Ok(())
}

fn print(name: &str, figure: &Value) {
    say!("{}", name.replace('_', " "));
    for (what, value) in figure.as_object().into_iter().flatten() {
        say!("  {:<34} {}", what.replace('_', " "), output::plain(value));
    }
}
