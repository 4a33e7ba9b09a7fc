//! A workspace export: its lists, and the walk through its day files.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Seek},
    ops::ControlFlow,
};

use domain::{
    Message,
    import::{MAX_ROW_ERRORS, RowError},
};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    archive::{Archive, Limits},
    message::{Unread, message},
    raw::RawMessage,
    users::{Users, shown},
};
use crate::ImportError;

/// Messages handed over at once.
const BATCH: usize = 1_000;

/// A channel of an export.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExportedChannel {
    /// Slack's id of it; the folder's name when no list tells it.
    pub external_id: String,
    /// Its name.
    pub name: String,
    /// What it is about.
    pub topic: String,
    folder: String,
}

/// What was read, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages read.
    pub rows: u64,
    /// What could not be read, the first hundred.
    pub errors: Vec<RowError>,
}

impl Report {
    fn error(&mut self, file: &str, line: usize, message: &str) {
        if self.errors.len() < MAX_ROW_ERRORS {
            let line = line as u64;
            self.errors.push(RowError { file: file.to_owned(), line, message: message.to_owned() });
        }
    }
}

/// An opened export.
pub struct Export<R> {
    archive: Archive<R>,
    users: Users,
    channels: Vec<ExportedChannel>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawChannel {
    id: String,
    name: Option<String>,
    topic: Option<RawTopic>,
    purpose: Option<RawTopic>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawTopic {
    value: String,
}

impl<R: Read + Seek> Export<R> {
    /// Opens an archive and reads its lists.
    pub fn open(reader: R, limits: Limits) -> Result<Self, ImportError> {
        let mut archive = Archive::open(reader, limits)?;
        let users = match archive.read("users.json")?.or(archive.read("org_users.json")?) {
            Some(json) => Users::read(&json).ok_or(ImportError::BrokenList("users.json"))?,
            None => Users::default(),
        };
        let channels = channels(&mut archive)?;
        if channels.is_empty() {
            return Err(ImportError::NotAnExport);
        }
        Ok(Self { archive, users, channels })
    }

    /// The workspace's id. Without one in the list of users, a name that another export of the same
    /// channels has as well.
    #[must_use]
    pub fn workspace(&self) -> String {
        self.users.team.clone().unwrap_or_else(|| {
            let ids: BTreeSet<_> = self.channels.iter().map(|c| c.external_id.as_str()).collect();
            format!("export-{}", ids.first().unwrap_or(&""))
        })
    }

    /// Its channels, by id.
    #[must_use]
    pub fn channels(&self) -> &[ExportedChannel] {
        &self.channels
    }

    /// Reads the messages of a channel in the order of its day files and hands them over in batches,
    /// until `sink` breaks.
    pub fn read(
        &mut self,
        channel: &ExportedChannel,
        report: &mut Report,
        mut sink: impl FnMut(Vec<Message>) -> ControlFlow<()>,
    ) -> Result<(), ImportError> {
        let prefix = format!("{}/", channel.folder);
        let days: Vec<_> =
            self.archive.names().filter(|name| is_day(name, &prefix)).map(str::to_owned).collect();
        let mut batch = Vec::new();
        for day in days {
            let content = self.archive.read(&day)?.unwrap_or_default();
            for message in day_messages(&day, &content, &self.users, report) {
                report.rows += 1;
                batch.push(message);
                if batch.len() == BATCH && sink(std::mem::take(&mut batch)).is_break() {
                    return Ok(());
                }
            }
        }
        if !batch.is_empty() {
            let _ = sink(batch);
        }
        Ok(())
    }
}

/// Lists of public and private channels, of groups and of direct messages, and folders that none names.
fn channels<R: Read + Seek>(archive: &mut Archive<R>) -> Result<Vec<ExportedChannel>, ImportError> {
    let mut by_folder: BTreeMap<String, ExportedChannel> = BTreeMap::new();
    for list in ["channels.json", "groups.json", "mpims.json", "dms.json"] {
        let Some(json) = archive.read(list)? else { continue };
        let raw: Vec<RawChannel> =
            serde_json::from_slice(&json).map_err(|_| ImportError::BrokenList(list))?;
        for channel in raw.into_iter().filter(|channel| !channel.id.is_empty()) {
            let folder = channel.name.clone().unwrap_or_else(|| channel.id.clone());
            by_folder.entry(folder.clone()).or_insert_with(|| listed(channel, folder));
        }
    }
    let folders: BTreeSet<String> = archive
        .names()
        .filter_map(|name| {
            let (folder, _) = name.split_once('/')?;
            is_day(name, &format!("{folder}/")).then(|| folder.to_owned())
        })
        .collect();
    for folder in folders {
        by_folder.entry(folder.clone()).or_insert_with(|| ExportedChannel {
            external_id: folder.clone(),
            name: folder.clone(),
            topic: String::new(),
            folder,
        });
    }
    let mut channels: Vec<_> = by_folder.into_values().collect();
    channels.sort_by(|a, b| a.external_id.cmp(&b.external_id));
    channels.dedup_by(|a, b| a.external_id == b.external_id);
    Ok(channels)
}

fn listed(channel: RawChannel, folder: String) -> ExportedChannel {
    let topics = [channel.topic, channel.purpose];
    let topic = topics.into_iter().flatten().find_map(|topic| shown(&topic.value));
    let name = channel.name.as_deref().and_then(shown).unwrap_or_else(|| channel.id.clone());
    ExportedChannel { external_id: channel.id, name, topic: topic.unwrap_or_default(), folder }
}

/// `2024-05-31.json` directly in the folder; a canvas or a huddle's transcript is something else.
fn is_day(name: &str, prefix: &str) -> bool {
    let Some(day) = name.strip_prefix(prefix).and_then(|rest| rest.strip_suffix(".json")) else {
        return false;
    };
    let shape = |(n, byte): (usize, u8)| match n {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    day.len() == 10 && day.bytes().enumerate().all(shape)
}

/// The messages of a day. A record that cannot be understood costs itself, not its day.
fn day_messages(file: &str, content: &[u8], users: &Users, report: &mut Report) -> Vec<Message> {
    let Ok(records) = serde_json::from_slice::<Vec<&RawValue>>(content) else {
        report.error(file, 0, "the file is not a list of messages");
        return Vec::new();
    };
    let mut messages = Vec::with_capacity(records.len());
    for (n, record) in records.iter().enumerate() {
        match serde_json::from_str::<RawMessage<'_>>(record.get()) {
            Ok(raw) => match message(raw, users) {
                Ok(message) => messages.push(message),
                Err(Unread::Skipped) => {}
                Err(Unread::Broken(why)) => report.error(file, n + 1, why),
            },
            Err(_) => report.error(file, n + 1, "a field has another type than in any export"),
        }
    }
    messages
}
