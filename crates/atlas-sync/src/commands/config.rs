//! The configuration in effect.

use serde_json::json;
use service::{
    Config,
    config::{Effective, Source, Values, documented_file},
};

use super::{CliError, Shared};
use crate::output::{self, say};

#[derive(clap::Args)]
pub(super) struct Args {
    /// Print a file with every setting in it instead, to begin one of your own with.
    #[arg(long)]
    template: bool,
}

/// Shows every setting, where it comes from and no secret; fails as a start would.
pub(super) fn run(shared: &Shared, args: &Args) -> Result<(), CliError> {
    if args.template {
        say!("{}", documented_file().trim_end());
        return Ok(());
    }
    let values = Values::load(shared.config.as_deref())?;
    Config::from_values(&values)?;
    let settings = values.all();
    let name = |one: &Effective| one.setting.key_of(one.stage);
    if shared.json {
        let told = |one: &Effective| {
            json!({
                "setting": name(one),
                "variable": one.setting.variable_of(one.stage),
                "value": one.value,
                "source": one.source.to_string(),
                "allowed": one.setting.allowed.to_string(),
            })
        };
        return output::json(&json!({ "settings": settings.iter().map(told).collect::<Vec<_>>() }));
    }
    let said = settings.iter().filter(|one| one.source != Source::General);
    let row = |one: &Effective| vec![name(one), one.value.clone(), one.source.to_string()];
    output::table(&["setting", "value", ""], said.map(row));
    say!(
        "\nEach can be set in a file or by a variable: `atlas-sync config --template` describes them."
    );
    Ok(())
}
