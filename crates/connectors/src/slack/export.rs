//! A workspace export: its lists, and the walk through its day files.

use std::{
    collections::{BTreeMap, BTreeSet},
    io::{Read, Seek},
};

use domain::{Message, Platform};
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{
    archive::{Archive, Limits, is_day},
    message::{Unread, message},
    raw::{RawMessage, entries},
    users::{Users, id, shown},
};
use crate::{
    ImportError,
    import::{Batches, Export, ExportedChannel, Report, Sink},
};

/// An opened export.
pub struct SlackExport<R> {
    archive: Archive<R>,
    users: Users,
    channels: Vec<ExportedChannel>,
    /// The folder of each channel.
    folders: Vec<String>,
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

impl<R: Read + Seek> SlackExport<R> {
    /// Opens an archive and reads its lists.
    pub fn open(reader: R, limits: Limits) -> Result<Self, ImportError> {
        let mut archive = Archive::open(reader, limits)?;
        let users = match archive.read("users.json")?.or(archive.read("org_users.json")?) {
            Some(json) => Users::read(&json).ok_or(ImportError::BrokenList("users.json"))?,
            None => Users::default(),
        };
        let (channels, folders): (Vec<_>, Vec<_>) = channels(&mut archive)?.into_iter().unzip();
        if channels.is_empty() {
            return Err(ImportError::NotAnExport);
        }
        let workspace = match &users.team {
            Some(team) => team.clone(),
            None => team_of_messages(&mut archive, &folders)?
                .unwrap_or_else(|| format!("export-{}", channels[0].external_id)),
        };
        Ok(Self { archive, users, channels, folders, workspace })
    }
}

impl<R: Read + Seek> Export for SlackExport<R> {
    fn platform(&self) -> Platform {
        Platform::Slack
    }

    /// By the list of users, else by the messages. Without either, a name that another export of the same
    /// channels has as well.
    fn workspace(&self) -> String {
        self.workspace.clone()
    }

    fn title(&self) -> String {
        format!("Slack export {}", self.workspace)
    }

    fn channels(&self) -> &[ExportedChannel] {
        &self.channels
    }

    /// In the order of the day files.
    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let mut batches = Batches::new(0, sink);
        for (n, of) in self.folders.iter().enumerate() {
            if batches.turn_to(n).is_break() {
                return Ok(());
            }
            for day in days(&self.archive, of) {
                let content = self.archive.read(&day)?.unwrap_or_default();
                for message in day_messages(&day, &content, &self.users, report) {
                    report.rows += 1;
                    if batches.push(message).is_break() {
                        return Ok(());
                    }
                }
            }
        }
        let _ = batches.flush();
        Ok(())
    }
}

/// Lists of public and private channels, of groups and of direct messages, and folders that none names.
fn channels<R: Read + Seek>(
    archive: &mut Archive<R>,
) -> Result<Vec<(ExportedChannel, String)>, ImportError> {
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
            by_folder.entry(folder).or_insert_with(|| listed(channel));
        }
    }
    for folder in folders {
        by_folder.entry(folder.clone()).or_insert_with(|| ExportedChannel {
            external_id: folder.clone(),
            name: folder,
            topic: String::new(),
        });
    }
    let mut channels: Vec<_> =
        by_folder.into_iter().map(|(folder, channel)| (channel, folder)).collect();
    channels.sort_by(|(a, _), (b, _)| a.external_id.cmp(&b.external_id));
    channels.dedup_by(|(a, _), (b, _)| a.external_id == b.external_id);
    Ok(channels)
}

fn listed(channel: RawChannel) -> ExportedChannel {
    let topics = [channel.topic, channel.purpose];
    let topic = topics.into_iter().flatten().find_map(|topic| shown(&topic.value));
    let name = channel.name.as_deref().and_then(shown).unwrap_or_else(|| channel.id.clone());
    ExportedChannel { external_id: channel.id, name, topic: topic.unwrap_or_default() }
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
    folders: &[String],
) -> Result<Option<String>, ImportError> {
    for folder in folders {
        let Some(day) = days(archive, folder).into_iter().next() else { continue };
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
                Err(Unread::Broken(why)) => report.error(file, n as u64 + 1, why),
            },
            Err(_) => {
                report.error(file, n as u64 + 1, "a field has another type than in any export");
            }
        }
    }
    messages
}
