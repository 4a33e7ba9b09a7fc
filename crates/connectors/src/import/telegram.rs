//! Telegram: `result.json` of its desktop export, of one chat or of all.

mod message;

use std::{collections::BTreeMap, io::BufRead, ops::ControlFlow};

use domain::Platform;
use serde_json::{Map, Value, value::RawValue};

use self::message::message;
use super::{
    Batches, Export, ExportedChannel, Report, Sink,
    files::Files,
    json::{self, Ended, Listener},
};
use crate::{
    ImportError,
    text::{id, shown},
};

/// The file that the export consists of.
pub(super) const FILE: &str = "result.json";

/// An opened export.
pub(super) struct Telegram {
    files: Files,
    file: String,
    within: &'static [&'static str],
    channels: Vec<ExportedChannel>,
}

/// Where the chats of a whole account stand.
const ACCOUNT: &[&str] = &["chats", "list"];

impl Telegram {
    pub(super) fn open(mut files: Files, file: String) -> Result<Self, ImportError> {
        for within in [&[], ACCOUNT] {
            let mut chats = Chats::default();
            let ended = json::read(files.read(&file)?, within, "messages", &mut chats);
            let mut channels: Vec<_> = chats.found.into_values().collect();
            if !channels.is_empty() || ended == Ended::Broken {
                channels.sort_by(|a, b| a.external_id.cmp(&b.external_id));
                if channels.is_empty() {
                    break;
                }
                return Ok(Self { files, file, within, channels });
            }
        }
        Err(ImportError::BrokenList(FILE))
    }
}

/// The chats of a document: what stands before a list of messages tells whose they are.
#[derive(Default)]
struct Chats {
    fields: Map<String, Value>,
    found: BTreeMap<String, ExportedChannel>,
}

impl Chats {
    fn chat(&self) -> Option<ExportedChannel> {
        let external_id = json::text(&self.fields, "id")?;
        let external_id = id(&external_id)?;
        let name = json::text(&self.fields, "name").as_deref().and_then(shown);
        let name = name.unwrap_or_else(|| external_id.clone());
        Some(ExportedChannel { external_id, name, topic: String::new() })
    }
}

impl Listener for Chats {
    fn field(&mut self, name: &str, value: Value) {
        if matches!(name, "id" | "name") {
            self.fields.insert(name.to_owned(), value);
        }
    }

    fn record(&mut self, _n: u64, _record: &RawValue) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }

    fn end(&mut self) -> ControlFlow<()> {
        if let Some(chat) = self.chat() {
            self.found.entry(chat.external_id.clone()).or_insert(chat);
        }
        self.fields.clear();
        ControlFlow::Continue(())
    }
}

impl Export for Telegram {
    fn platform(&self) -> Platform {
        Platform::Telegram
    }

    /// Ids of chats are the same for everybody.
    fn workspace(&self) -> String {
        "telegram".to_owned()
    }

    fn title(&self) -> String {
        "Telegram exports".to_owned()
    }

    fn channels(&self) -> &[ExportedChannel] {
        &self.channels
    }

    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let source = self.files.read(&self.file)?;
        read(source, self.within, &self.channels, &self.file, report, sink);
        Ok(())
    }
}

fn read(
    source: impl BufRead,
    within: &[&str],
    channels: &[ExportedChannel],
    file: &str,
    report: &mut Report,
    sink: &mut Sink<'_>,
) {
    let batches = Batches::new(0, sink);
    let mut reader = Reader { chats: Chats::default(), channels, file, report, batches };
    let ended = json::read(source, within, "messages", &mut reader);
    if ended == Ended::Broken {
        reader.report.error(file, 0, "the file ends in the middle: export again for the rest");
    }
    let _ = reader.batches.flush();
}

struct Reader<'r, 's, 'k> {
    chats: Chats,
    channels: &'r [ExportedChannel],
    file: &'r str,
    report: &'r mut Report,
    batches: Batches<'s, 'k>,
}

impl Listener for Reader<'_, '_, '_> {
    fn field(&mut self, name: &str, value: Value) {
        self.chats.field(name, value);
    }

    fn record(&mut self, n: u64, record: &RawValue) -> ControlFlow<()> {
        let chat = self.chats.chat();
        let channel = chat.and_then(|chat| {
            self.channels.iter().position(|known| known.external_id == chat.external_id)
        });
        let Some(channel) = channel else {
            self.report.error(self.file, n, "a message of a chat without an id");
            return ControlFlow::Continue(());
        };
        match message(record) {
            Ok(message) => {
                self.report.rows += 1;
                self.batches.turn_to(channel)?;
                self.batches.push(message)
            }
            Err(why) => {
                self.report.error(self.file, n, why);
                ControlFlow::Continue(())
            }
        }
    }

    fn end(&mut self) -> ControlFlow<()> {
        self.chats.fields.clear();
        ControlFlow::Continue(())
    }
}
