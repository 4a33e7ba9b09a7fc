//! Mattermost, by its bulk export: JSON lines, plain or in a zip.
//!
//! The export has no ids: a channel is its team's and its own name, a message its channel, author and time.

mod post;

use std::{collections::HashMap, ops::ControlFlow};

use domain::{
    Platform,
    message::{Author, AuthorKind},
};
use serde::Deserialize;

use self::post::{Posts, RawPost};
use super::{Batches, Export, ExportedChannel, Report, Sink, files::Files, lines};
use crate::{
    ImportError,
    text::{id, shown},
};

/// People of whom names are kept.
const MAX_PEOPLE: usize = 1_000_000;

/// An opened export.
pub(super) struct Mattermost {
    files: Files,
    file: String,
    channels: Vec<ExportedChannel>,
    places: HashMap<String, usize>,
    people: HashMap<String, Author>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Line {
    r#type: String,
    channel: Option<RawChannel>,
    user: Option<RawUser>,
    bot: Option<RawUser>,
    post: Option<RawPost>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawChannel {
    team: String,
    name: String,
    display_name: String,
    header: String,
    purpose: String,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct RawUser {
    username: String,
    nickname: String,
    first_name: String,
    last_name: String,
    display_name: String,
}

/// Whether a file begins as a bulk export does.
pub(super) fn begins(beginning: &[u8]) -> bool {
    let first = beginning.split(|byte| *byte == b'\n').next().unwrap_or_default();
    serde_json::from_slice::<Line>(first).is_ok_and(|line| line.r#type == "version")
}

impl Mattermost {
    pub(super) fn open(mut files: Files, file: String) -> Result<Self, ImportError> {
        let mut channels = Vec::new();
        let mut people = HashMap::new();
        each_line(&mut files, &file, |_, line| {
            match line {
                Ok(Line { channel: Some(raw), .. }) => channels.extend(channel(&raw)),
                Ok(Line { user: Some(raw), .. }) if people.len() < MAX_PEOPLE => {
                    let person = author(&raw, AuthorKind::Person);
                    people.insert(raw.username, person);
                }
                Ok(Line { bot: Some(raw), .. }) if people.len() < MAX_PEOPLE => {
                    let bot = author(&raw, AuthorKind::Bot);
                    people.insert(raw.username, bot);
                }
                _ => {}
            }
            ControlFlow::Continue(())
        })?;
        channels.sort_by(|a: &ExportedChannel, b| a.external_id.cmp(&b.external_id));
        channels.dedup_by(|a, b| a.external_id == b.external_id);
        if channels.is_empty() {
            return Err(ImportError::NotAnExport);
        }
        let places = channels.iter().enumerate();
        let places = places.map(|(n, channel)| (channel.external_id.clone(), n)).collect();
        Ok(Self { files, file, channels, places, people })
    }
}

/// Reads the lines; one that is no JSON of this kind comes as an error.
fn each_line(
    files: &mut Files,
    file: &str,
    mut take: impl FnMut(u64, Result<Line, serde_json::Error>) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    let mut source = files.read(file)?;
    let mut line = Vec::new();
    let mut n = 0;
    while lines::next(&mut *source, &mut line)? {
        n += 1;
        if line.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        if take(n, serde_json::from_slice(&line)).is_break() {
            break;
        }
    }
    Ok(())
}

fn channel(raw: &RawChannel) -> Option<ExportedChannel> {
    let external_id = key(&raw.team, &raw.name)?;
    let name = shown(&raw.display_name).or_else(|| shown(&raw.name))?;
    let topic = shown(&raw.header).or_else(|| shown(&raw.purpose)).unwrap_or_default();
    Some(ExportedChannel { external_id, name, topic })
}

fn key(team: &str, channel: &str) -> Option<String> {
    Some(format!("{}:{}", id(team)?, id(channel)?))
}

fn author(raw: &RawUser, kind: AuthorKind) -> Author {
    let full = format!("{} {}", raw.first_name, raw.last_name);
    let names = [&raw.nickname, &full, &raw.display_name, &raw.username];
    let name = names.into_iter().find_map(|name| shown(name));
    Author {
        id: raw.username.as_str().into(),
        name: name.unwrap_or_else(|| "Unknown".to_owned()),
        kind,
    }
}

impl Export for Mattermost {
    fn platform(&self) -> Platform {
        Platform::Mattermost
    }

    /// Names of teams are all that tells one server from another.
    fn workspace(&self) -> String {
        let team = self.channels[0].external_id.split(':').next().unwrap_or_default();
        format!("export-{team}")
    }

    fn title(&self) -> String {
        format!("Mattermost {}", self.workspace())
    }

    fn channels(&self) -> &[ExportedChannel] {
        &self.channels
    }

    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let Self { files, file, places, people, .. } = self;
        let mut batches = Batches::new(0, sink);
        let mut posts = Posts::new(people);
        each_line(files, file, |n, line| match line {
            Ok(Line { post: Some(post), .. }) => {
                let place =
                    key(&post.team, &post.channel).and_then(|key| places.get(&key).copied());
                let Some(place) = place else {
                    report.error(file, n, "a post of a channel that the export does not list");
                    return ControlFlow::Continue(());
                };
                batches.turn_to(place)?;
                for message in posts.with_replies(post) {
                    match message {
                        Ok(message) => {
                            report.rows += 1;
                            batches.push(message)?;
                        }
                        Err(why) => report.error(file, n, why),
                    }
                }
                ControlFlow::Continue(())
            }
            Ok(_) => ControlFlow::Continue(()),
            Err(_) => {
                report.error(file, n, "the line is no JSON, or none of a bulk export");
                ControlFlow::Continue(())
            }
        })?;
        let _ = batches.flush();
        Ok(())
    }
}
