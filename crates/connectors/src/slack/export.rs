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
    archive::{Archive, Limits, is_day},
    message::{Unread, message},
    raw::{RawMessage, entries},
    users::{Users, id, shown},
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
    /// How much could not be read, all of it counted.
    pub unread: u64,
}

impl Report {
    fn error(&mut self, file: &str, line: usize, message: &str) {
        self.unread += 1;
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
    workspace: String,
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
        let workspace = match &users.team {
            Some(team) => team.clone(),
            None => team_of_messages(&mut archive, &channels)?
                .unwrap_or_else(|| format!("export-{}", channels[0].external_id)),
        };
        Ok(Self { archive, users, channels, workspace })
    }

    /// The workspace's id, by the list of users, else by the messages. Without either, a name that
    /// another export of the same channels has as well.
    #[must_use]
    pub fn workspace(&self) -> String {
        self.workspace.clone()
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
        let mut batch = Vec::new();
        for day in days(&self.archive, &channel.folder) {
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
    let folders: BTreeSet<String> = archive.names().filter_map(folder).map(str::to_owned).collect();
    let mut by_folder: BTreeMap<String, ExportedChannel> = BTreeMap::new();
    for list in ["channels.json", "groups.json", "mpims.json", "dms.json"] {
        let Some(json) = archive.read(list)? else { continue };
        let raw: Vec<RawChannel> = entries(&json).ok_or(ImportError::BrokenList(list))?;
        for channel in raw.into_iter().filter(|channel| !channel.id.is_empty()) {
            // Direct messages have no name; some tools name every folder by the id.
            let name = channel.name.as_ref().filter(|name| {
                folders.contains(name.as_str()) || !folders.contains(channel.id.as_str())
            });
            let folder = name.unwrap_or(&channel.id).clone();
            by_folder.entry(folder.clone()).or_insert_with(|| listed(channel, folder));
        }
    }
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

/// The folder of a day file.
fn folder(name: &str) -> Option<&str> {
    let (folder, file) = name.split_once('/')?;
    is_day(file).then_some(folder)
}

/// The day files of a folder, in order.
fn days<R: Read + Seek>(archive: &Archive<R>, of: &str) -> Vec<String> {
    archive.names().filter(|name| folder(name) == Some(of)).map(str::to_owned).collect()
}

/// The workspace that the first message with one names, in the first day of each channel.
fn team_of_messages<R: Read + Seek>(
    archive: &mut Archive<R>,
    channels: &[ExportedChannel],
) -> Result<Option<String>, ImportError> {
    for channel in channels {
        let Some(day) = days(archive, &channel.folder).into_iter().next() else { continue };
        let content = archive.read(&day)?.unwrap_or_default();
        let records: Vec<&RawValue> = serde_json::from_slice(&content).unwrap_or_default();
        let team = records.iter().find_map(|record| {
            serde_json::from_str::<RawMessage<'_>>(record.get()).ok()?.team.as_deref().and_then(id)
        });
        if team.is_some() {
            return Ok(team);
        }
    }
    Ok(None)
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
