//! The bundled sample channel, packed as Slack packs an export.

use std::io::{Cursor, Write as _};

use rust_embed::RustEmbed;
use zip::{ZipWriter, write::SimpleFileOptions};

use crate::commands::CliError;

#[derive(RustEmbed)]
#[folder = "sample-channel/export"]
struct Files;

/// The archive; the same bytes each time.
pub(crate) fn archive() -> Result<Vec<u8>, CliError> {
    packed().map_err(|error| CliError::failed(format!("the sample cannot be packed: {error}")))
}

fn packed() -> zip::result::ZipResult<Vec<u8>> {
    let mut names: Vec<_> = Files::iter().collect();
    names.sort();
    let options = SimpleFileOptions::default().last_modified_time(zip::DateTime::default());
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in names {
        if let Some(file) = Files::get(&name) {
            zip.start_file(&*name, options)?;
            zip.write_all(&file.data)?;
        }
    }
    Ok(zip.finish()?.into_inner())
}
