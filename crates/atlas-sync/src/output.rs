//! Printing results.

use std::io::Write as _;

use comfy_table::{Table, presets::UTF8_HORIZONTAL_ONLY};
use serde_json::Value;

use crate::commands::CliError;

/// Prints a line. Unlike `println!` it takes a reader that has seen enough (`… | head`) for what it is.
macro_rules! say {
    ($($line:tt)*) => { $crate::output::line(format_args!($($line)*)) };
}
pub(crate) use say;

pub(crate) fn line(line: std::fmt::Arguments<'_>) {
    if writeln!(std::io::stdout(), "{line}").is_err() {
        // Nobody reads on; what was stored is safe however this process ends.
        std::process::exit(0);
    }
}

/// Prints the API's own reply.
pub(crate) fn json(value: &Value) -> Result<(), CliError> {
    let text = serde_json::to_string_pretty(value);
    say!("{}", text.map_err(|error| CliError::failed(error.to_string()))?);
    Ok(())
}

/// Prints rows under a head.
pub(crate) fn table(head: &[&str], rows: impl Iterator<Item = Vec<String>>) {
    let mut table = Table::new();
    table.load_style(UTF8_HORIZONTAL_ONLY).set_header(head.to_vec()).add_rows(rows);
    say!("{table}");
}

/// A value as people read it.
pub(crate) fn plain(value: &Value) -> String {
    match value {
        Value::Null => "-".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
