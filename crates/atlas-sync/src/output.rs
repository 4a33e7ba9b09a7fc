//! Printing results.

use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::Value;

use crate::commands::CliError;

/// Prints the API's own reply.
pub(crate) fn json(value: &Value) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value);
    println!("{}", text.map_err(|error| CliError::failed(error.to_string()))?);
    Ok(())
}

/// Prints rows under a head.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(head.to_vec()).add_rows(rows);
    println!("{table}");
}

/// A value as people read it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
