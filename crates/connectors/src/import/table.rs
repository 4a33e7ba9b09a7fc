//! Tables (CSV, TSV) and JSON lines of unknown making: columns by declaration, or by their usual names.

mod columns;
mod message;
mod rows;
mod times;

use std::{collections::BTreeMap, ops::ControlFlow};

use domain::{Platform, message::hex};
use sha2::{Digest as _, Sha256};

pub(super) use self::rows::Shape;
use self::{columns::Found, message::Reading, rows::Row, times::Times};
use super::{Batches, Export, ExportedChannel, ImportOptions, Report, Sink, files::Files};
use crate::{
    ImportError,
    text::{id, shown},
};

/// Channels of one file.
const MAX_CHANNELS: usize = 1_000;

/// How many of a hundred rows may be unreadable when nothing is said.
const MAX_ERROR_PERCENT: u8 = 50;

/// An opened file.
pub(super) struct Table {
    files: Files,
    sources: Vec<(String, Shape)>,
    options: ImportOptions,
    times: Times,
    channels: Vec<ExportedChannel>,
}

impl Table {
    pub(super) fn open(
        mut files: Files,
        sources: Vec<(String, Shape)>,
        options: ImportOptions,
    ) -> Result<Self, ImportError> {
        let times = Times::new(options.timezone.as_deref(), options.day_first)?;
        let mut channels = BTreeMap::new();
        for (file, shape) in &sources {
            let default = channel_of_file(file, &options);
            rows::each(files.read(file)?, *shape, &options, |_, found, row| {
                let name = row.ok().and_then(|row: Row| found.channel(&row));
                let name = name.as_deref().and_then(shown).unwrap_or_else(|| default.clone());
                if channels.len() < MAX_CHANNELS {
                    channels.entry(channel_id(&name)).or_insert(name);
                }
                ControlFlow::Continue(())
            })?;
        }
        let channels: Vec<_> = channels
            .into_iter()
            .map(|(external_id, name)| ExportedChannel { external_id, name, topic: String::new() })
            .collect();
        if channels.is_empty() {
            return Err(ImportError::Empty);
        }
        Ok(Self { files, sources, options, times, channels })
    }
}

/// A name is all that a table tells of a channel.
fn channel_id(name: &str) -> String {
    let slug: String = name
        .chars()
        .map(|c| if c.is_alphanumeric() { c.to_lowercase().next().unwrap_or(c) } else { '-' })
        .collect();
    match id(slug.trim_matches('-')) {
        Some(slug) => format!("file:{slug}"),
        None => format!("file:{}", hex(&Sha256::digest(name.as_bytes())[..8])),
    }
}

fn channel_of_file(file: &str, options: &ImportOptions) -> String {
    let name = options.file_name.as_deref().filter(|_| !file.contains('/')).unwrap_or(file);
    let base = name.rsplit(['/', '\\']).next().unwrap_or(name);
    let stem = base.rsplit_once('.').map_or(base, |(stem, _)| stem);
    shown(stem).unwrap_or_else(|| "import".to_owned())
}

impl Export for Table {
    fn platform(&self) -> Platform {
        Platform::Files
    }

    fn workspace(&self) -> String {
        "files".to_owned()
    }

    fn title(&self) -> String {
        "Files".to_owned()
    }

    fn channels(&self) -> &[ExportedChannel] {
        &self.channels
    }

    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let places: BTreeMap<_, _> =
            self.channels.iter().enumerate().map(|(n, c)| (c.external_id.clone(), n)).collect();
        let mut batches = Batches::new(0, sink);
        let mut stopped = false;
        for (file, shape) in &self.sources {
            let default = channel_of_file(file, &self.options);
            let mut reading = Reading::new(&self.times);
            rows::each(self.files.read(file)?, *shape, &self.options, |n, found, row| {
                let flow = match row.and_then(|row| read_row(&mut reading, found, &row, &default)) {
                    Ok((channel, message)) => match places.get(&channel) {
                        Some(place) => {
                            report.rows += 1;
                            batches.turn_to(*place)?;
                            batches.push(message)
                        }
                        None => {
                            report.error(file, n, "more channels than one file may have");
                            ControlFlow::Continue(())
                        }
                    },
                    Err(why) => {
                        report.error(file, n, why);
                        ControlFlow::Continue(())
                    }
                };
                stopped |= flow.is_break();
                flow
            })?;
            if stopped {
                return Ok(());
            }
        }
        let _ = batches.flush();
        check(report, &self.options)
    }
}

fn read_row(
    reading: &mut Reading<'_>,
    found: &Found,
    row: &Row,
    default: &str,
) -> Result<(String, domain::Message), String> {
    let name = found.channel(row).as_deref().and_then(shown);
    let channel = channel_id(name.as_deref().unwrap_or(default));
    let message = reading.message(found, row, &channel)?;
    Ok((channel, message))
}

/// Half a file of errors is a wrong mapping, not a file with errors.
fn check(report: &Report, options: &ImportOptions) -> Result<(), ImportError> {
    let all = report.rows + report.unread;
    let most = u64::from(options.max_error_percent.unwrap_or(MAX_ERROR_PERCENT).min(100));
    if all > 0 && report.unread * 100 > all * most {
        let first = report.errors.first();
        return Err(ImportError::TooManyErrors {
            unread: report.unread,
            all,
            first: first
                .map(|error| format!("line {}: {}", error.line, error.message))
                .unwrap_or_default(),
        });
    }
    Ok(())
}
