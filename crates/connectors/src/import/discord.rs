//! Discord, by the JSON files of DiscordChatExporter: one a channel or thread, or a zip of them.

mod message;

use std::{collections::BTreeMap, ops::ControlFlow};

use domain::{MessageId, Platform};
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

/// An opened export.
pub(super) struct Discord {
    files: Files,
    sources: Vec<Source>,
    channels: Vec<ExportedChannel>,
    guild: String,
    guild_name: String,
}

/// A file, which is a channel or a thread.
struct Source {
    file: String,
    channel: usize,
    /// The thread's id, which is that of the message it began with.
    thread: Option<MessageId>,
}

/// What a file says of itself.
struct Header {
    guild: String,
    guild_name: String,
    channel: ExportedChannel,
    thread: Option<MessageId>,
}

/// A channel with its files, and which thread each is.
struct FoundChannel {
    channel: ExportedChannel,
    files: Vec<(String, Option<MessageId>)>,
}

impl Discord {
    pub(super) fn open(mut files: Files) -> Result<Self, ImportError> {
        let mut found: BTreeMap<String, FoundChannel> = BTreeMap::new();
        let mut guild = None;
        for file in files.names().into_iter().filter(|name| is_json(name)) {
            let mut fields = Fields::default();
            json::read(files.read(&file)?, &[], "messages", &mut fields);
            let Some(header) = header(&fields.0) else { continue };
            guild.get_or_insert((header.guild, header.guild_name));
            let entry = found.entry(header.channel.external_id.clone());
            let found = entry
                .or_insert_with(|| FoundChannel { channel: header.channel, files: Vec::new() });
            found.files.push((file, header.thread));
        }
        let (guild, guild_name) = guild.ok_or(ImportError::NotAnExport)?;
        let (mut channels, mut sources) = (Vec::new(), Vec::new());
        for (n, found) in found.into_values().enumerate() {
            channels.push(found.channel);
            let files = found.files.into_iter();
            sources.extend(files.map(|(file, thread)| Source { file, channel: n, thread }));
        }
        Ok(Self { files, sources, channels, guild, guild_name })
    }
}

fn is_json(name: &str) -> bool {
    !name.contains('.') || name.to_ascii_lowercase().ends_with(".json")
}

/// What stands before the list; the list itself is not read.
#[derive(Default)]
struct Fields(Map<String, Value>);

impl Listener for Fields {
    fn field(&mut self, name: &str, value: Value) {
        if matches!(name, "guild" | "channel") {
            self.0.insert(name.to_owned(), value);
        }
    }

    fn record(&mut self, _n: u64, _record: &RawValue) -> ControlFlow<()> {
        ControlFlow::Break(())
    }
}

fn header(fields: &Map<String, Value>) -> Option<Header> {
    let (guild, channel) = (fields.get("guild")?.as_object()?, fields.get("channel")?.as_object()?);
    let own = json::text(channel, "id")?;
    let own = id(&own)?;
    let name = |of: &str| json::text(channel, of).as_deref().and_then(shown);
    let is_thread = json::text(channel, "type").is_some_and(|kind| kind.contains("Thread"));
    let parent = json::text(channel, "categoryId").filter(|_| is_thread);
    let parent = parent.as_deref().and_then(id);
    let (external_id, called, thread) = match parent {
        Some(parent) => (parent, name("category"), Some(MessageId::from(own.as_str()))),
        None => (own, name("name"), None),
    };
    let topic = if thread.is_none() { name("topic") } else { None };
    let called = called.unwrap_or_else(|| external_id.clone());
    let guild_id = json::text(guild, "id")?;
    Some(Header {
        guild: id(&guild_id)?,
        guild_name: json::text(guild, "name").as_deref().and_then(shown).unwrap_or_default(),
        channel: ExportedChannel { external_id, name: called, topic: topic.unwrap_or_default() },
        thread,
    })
}

impl Export for Discord {
    fn platform(&self) -> Platform {
        Platform::Discord
    }

    fn workspace(&self) -> String {
        self.guild.clone()
    }

    fn title(&self) -> String {
        format!("Discord export {}", self.guild_name)
    }

    fn channels(&self) -> &[ExportedChannel] {
        &self.channels
    }

    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let mut batches = Batches::new(0, sink);
        for source in &self.sources {
            if batches.turn_to(source.channel).is_break() {
                return Ok(());
            }
            let content = self.files.read(&source.file)?;
            let mut reader = Reader { source, report: &mut *report, batches: &mut batches };
            match json::read(content, &[], "messages", &mut reader) {
                Ended::Whole => {}
                Ended::Stopped => return Ok(()),
                Ended::Broken => report.error(
                    &source.file,
                    0,
                    "the file ends in the middle, as after an export that was broken off: export again for the rest",
                ),
            }
        }
        let _ = batches.flush();
        Ok(())
    }
}

struct Reader<'r, 's, 'k> {
    source: &'r Source,
    report: &'r mut Report,
    batches: &'r mut Batches<'s, 'k>,
}

impl Listener for Reader<'_, '_, '_> {
    fn field(&mut self, _name: &str, _value: Value) {}

    fn record(&mut self, n: u64, record: &RawValue) -> ControlFlow<()> {
        match message(record, self.source.thread.as_ref()) {
            Ok(Some(message)) => {
                self.report.rows += 1;
                self.batches.push(message)
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(why) => {
                self.report.error(&self.source.file, n, why);
                ControlFlow::Continue(())
            }
        }
    }
}
