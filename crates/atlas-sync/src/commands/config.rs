//! The configuration in effect.

use serde_json::json;
use service::{
    Config,
    config::{Effective, Values},
};

use super::{CliError, Shared};
use crate::output::{self, say};

/// Shows every setting, where it comes from and no secret; fails as a start would.
pub(super) fn run(shared: &Shared) -> Result<(), CliError> {
    let values = Values::load(shared.config.as_deref())?;
    Config::from_values(&values)?;
    let settings = values.all();
    if shared.json {
        let settings: Vec<_> = settings
            .iter()
            .map(|one| {
                json!({
                    "setting": one.name(),
                    "variable": one.variable(),
                    "value": one.value,
                    "source": one.source.to_string(),
                })
            })
            .collect();
        return output::json(&json!({ "settings": settings }));
    }
    let row = |one: &Effective| vec![one.name(), one.value.clone(), one.source.to_string()];
    output::table(&["setting", "value", ""], settings.iter().map(row));
    say!("\nEach can be set in a file or by a variable: deploy/atlas-sync.toml describes them.");
    Ok(())
}
