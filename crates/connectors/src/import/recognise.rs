//! Finding out what a file is.

use domain::import::ImportFormat;

use super::{
    Export, ImportOptions, ReadSeek,
    discord::Discord,
    files::Files,
    mattermost,
    mattermost::Mattermost,
    table::{Shape, Table},
    telegram,
    telegram::Telegram,
};
use crate::{
    ImportError,
    matrix::{self, ElementExport},
    slack::{Limits, SlackExport},
};

/// Opens an export; a format that is not declared is recognised by the content.
pub fn open(
    file: Box<dyn ReadSeek>,
    format: ImportFormat,
    options: ImportOptions,
    limits: Limits,
) -> Result<Box<dyn Export>, ImportError> {
    let name = options.file_name.clone().unwrap_or_else(|| "file".to_owned());
    let mut files = Files::open(file, &name, limits)?;
    let format = match format {
        ImportFormat::Auto => recognise(&mut files)?,
        declared => declared,
    };
    match format {
        ImportFormat::Auto | ImportFormat::SlackExport => {
            Ok(Box::new(SlackExport::open(files.into_inner(), limits)?))
        }
        ImportFormat::DiscordChatExporter => Ok(Box::new(Discord::open(files)?)),
        ImportFormat::MattermostBulk => {
            let file = only(&files, |name| name.ends_with(".jsonl"))?;
            Ok(Box::new(Mattermost::open(files, file)?))
        }
        ImportFormat::Telegram => {
            let file = only(&files, |name| name.ends_with(telegram::FILE))?;
            Ok(Box::new(Telegram::open(files, file)?))
        }
        ImportFormat::ElementExport => {
            let file = only(&files, |name| name.ends_with(matrix::FILE))?;
            Ok(Box::new(ElementExport::open(files, file)?))
        }
        ImportFormat::Csv => table(files, Shape::Table, options),
        ImportFormat::Jsonl => table(files, Shape::Lines, options),
    }
}

fn table(
    files: Files,
    shape: Shape,
    options: ImportOptions,
) -> Result<Box<dyn Export>, ImportError> {
    let sources = files.names().into_iter().map(|name| (name, shape)).collect();
    Ok(Box::new(Table::open(files, sources, options)?))
}

/// The file of that name in an archive, or the only file there is.
fn only(files: &Files, is_it: impl Fn(&str) -> bool) -> Result<String, ImportError> {
    let names = files.names();
    let found = names.iter().find(|name| is_it(name)).or(match names.len() {
        1 => names.first(),
        _ => None,
    });
    found.cloned().ok_or(ImportError::NotAnExport)
}

fn recognise(files: &mut Files) -> Result<ImportFormat, ImportError> {
    let names = files.names();
    let is_zip = matches!(files, Files::Zip(_));
    let listed =
        |list: &str| names.iter().any(|name| name == list || name.ends_with(&format!("/{list}")));
    if is_zip && (listed("channels.json") || listed("users.json") || listed("dms.json")) {
        return Ok(ImportFormat::SlackExport);
    }
    // One of many tells what they are, those at the top before what is attached to messages.
    let mut names: Vec<_> = names.iter().collect();
    names.sort_by_key(|name| name.matches('/').count());
    for name in names.into_iter().take(20) {
        if let Some(format) = by_content(&files.beginning(name)?) {
            return Ok(format);
        }
    }
    Ok(if is_zip { ImportFormat::SlackExport } else { ImportFormat::Csv })
}

fn by_content(beginning: &[u8]) -> Option<ImportFormat> {
    if mattermost::begins(beginning) {
        return Some(ImportFormat::MattermostBulk);
    }
    let text = String::from_utf8_lossy(beginning);
    let text = text.trim_start_matches('\u{feff}').trim_start();
    if !text.starts_with('{') {
        return None;
    }
    let says = |field: &str| text.contains(&format!("\"{field}\""));
    if matrix::begins(says) {
        return Some(ImportFormat::ElementExport);
    }
    let first = text.lines().next().unwrap_or_default();
    if serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(first).is_ok() {
        return Some(ImportFormat::Jsonl);
    }
    if says("guild") && says("channel") {
        return Some(ImportFormat::DiscordChatExporter);
    }
    let telegram = says("chats") || (says("name") && says("type") && says("id"));
    (telegram && says("messages")).then_some(ImportFormat::Telegram)
}
