//! A room as Element exports it in JSON (*Export chat*), read by the same normaliser as a live one, so that
//! both are one set of messages.
//!
//! `{room_name, room_creator, topic, export_date, exported_by, messages: [event, …]}`: the events that Element
//! shows, oldest first. They are decrypted, and a message that was edited has its last words, with the edit
//! beside it as the server tells it. So an edited reply no longer says which thread it is in. Edits,
//! reactions and redactions are not listed by themselves; a list of events that has them is read with them.

mod later;

use std::{collections::HashMap, ops::ControlFlow};

use domain::{Message, Platform};
use serde_json::{Map, Value, value::RawValue};

use self::later::Later;
use super::{
    event::{self, ENCRYPTED, Seen},
    id, message,
    people::{MAX_PEOPLE, People},
    raw::RawEvent,
};
use crate::{
    ImportError,
    import::{
        Batches, Export, ExportedChannel, Files, Report, Sink,
        json::{self, Ended, Listener},
    },
    text,
};

/// The file in an archive with attachments.
pub(crate) const FILE: &str = "export.json";

/// Longest topic of a room, in characters.
const MAX_TOPIC: usize = 500;

/// How Element shows an event that it cannot decrypt.
const UNDECRYPTED: &str = "m.bad.encrypted";

/// An opened export.
pub(crate) struct ElementExport {
    files: Files,
    file: String,
    room: [ExportedChannel; 1],
    people: People,
    later: Later,
}

impl ElementExport {
    /// Reads all of it once: who is who, and what was done later to what was said.
    pub(crate) fn open(mut files: Files, file: String) -> Result<Self, ImportError> {
        let mut about = About::default();
        json::read(files.read(&file)?, &[], "messages", &mut about);
        let About { fields, room, names, mut later } = about;
        let external_id = room.ok_or(ImportError::NotAnExport)?;
        later.settle();
        let field = |name, longest| text::line(&json::text(&fields, name)?, longest);
        let name = json::text(&fields, "room_name").as_deref().and_then(text::shown);
        let room = ExportedChannel {
            name: name.unwrap_or_else(|| external_id.clone()),
            topic: field("topic", MAX_TOPIC).unwrap_or_default(),
            external_id,
        };
        Ok(Self { files, file, room: [room], people: People::from(names), later })
    }
}

/// Whether a file begins like one.
pub(crate) fn begins(says: impl Fn(&str) -> bool) -> bool {
    says("room_name") && says("exported_by") && says("messages")
}

#[derive(Default)]
struct About {
    fields: Map<String, Value>,
    room: Option<String>,
    /// As people were last called.
    names: HashMap<String, String>,
    later: Later,
}

impl About {
    fn person(&mut self, raw: &RawEvent) -> Option<()> {
        let user = id::user(raw.state_key.as_ref()?.as_str()?)?;
        let name = text::shown(raw.content.get("displayname")?.as_str()?)?;
        if self.names.len() < MAX_PEOPLE || self.names.contains_key(user) {
            self.names.insert(user.to_owned(), name);
        }
        Some(())
    }
}

impl Listener for About {
    fn field(&mut self, name: &str, value: Value) {
        if matches!(name, "room_name" | "topic") {
            self.fields.insert(name.to_owned(), value);
        }
    }

    fn record(&mut self, n: u64, record: &RawValue) -> ControlFlow<()> {
        let Ok(raw) = serde_json::from_str::<RawEvent>(record.get()) else {
            return ControlFlow::Continue(());
        };
        if self.room.is_none() {
            self.room = id::room(&raw.room_id).map(str::to_owned);
        }
        match raw.kind.as_str() {
            "m.room.member" => {
                self.person(&raw);
            }
            _ => self.later.note(n, &raw),
        }
        ControlFlow::Continue(())
    }
}

impl Export for ElementExport {
    fn platform(&self) -> Platform {
        Platform::Matrix
    }

    fn workspace(&self) -> String {
        super::WORKSPACE.to_owned()
    }

    fn title(&self) -> String {
        "Matrix exports".to_owned()
    }

    fn channels(&self) -> &[ExportedChannel] {
        &self.room
    }

    fn read_all(&mut self, report: &mut Report, sink: &mut Sink<'_>) -> Result<(), ImportError> {
        let Self { files, file, room: [room], people, later } = self;
        let room = room.external_id.as_str();
        let batches = Batches::new(0, sink);
        let mut reader = Reader { room, people, later, file, report, batches };
        let source = files.read(reader.file)?;
        let ended = json::read(source, &[], "messages", &mut reader);
        if ended == Ended::Broken {
            let why = "the file ends in the middle: export again for the rest";
            reader.report.error(reader.file, 0, why);
        }
        let _ = reader.batches.flush();
        Ok(())
    }
}

struct Reader<'r, 's, 'k> {
    room: &'r str,
    people: &'r People,
    later: &'r Later,
    file: &'r str,
    report: &'r mut Report,
    batches: Batches<'s, 'k>,
}

impl Reader<'_, '_, '_> {
    /// A message; nothing for what is told with another event, or describes the room.
    fn message(&self, n: u64, record: &RawValue) -> Result<Option<Message>, &'static str> {
        let mut raw: RawEvent =
            serde_json::from_str(record.get()).map_err(|_| "no event of a room")?;
        let own = id::event(&raw.event_id).ok_or("an event without an id")?;
        if raw.room_id != self.room {
            return Err("an event of another room, or of none");
        }
        if raw.state_key.is_some() || !event::READ.contains(&raw.kind.as_str()) {
            return Ok(None);
        }
        if raw.origin_server_ts <= 0 {
            return Err("an event without an origin_server_ts");
        }
        id::user(&raw.sender).ok_or("an event without a sender")?;
        let redacted_at = self.later.redacted_at(own);
        match event::read(&raw) {
            Some(Seen::Said(_)) if redacted_at.is_none() => {}
            Some(Seen::Gone { at, .. }) => return Ok(self.gone(&raw, at)),
            Some(Seen::Said(_)) => return Ok(self.gone(&raw, redacted_at.unwrap_or_default())),
            Some(_) => return self.later.kept(n).map(|()| None),
            None => return Err("an edit, a reaction or a redaction that does not say of what"),
        }
        if raw.content.get("msgtype").and_then(|kind| kind.as_str()) == Some(UNDECRYPTED) {
            ENCRYPTED.clone_into(&mut raw.kind);
        }
        let said = message::said(&raw, self.room, self.people);
        Ok(said.map(|message| self.as_edited(message, &raw)))
    }

    /// What is left of a message; of a reaction there is nothing to leave.
    fn gone(&self, raw: &RawEvent, at: i64) -> Option<Message> {
        let message = message::said(raw, self.room, self.people)?;
        event::is_message(raw).then(|| message::gone(message, at))
    }

    fn as_edited(&self, mut message: Message, raw: &RawEvent) -> Message {
        let beside = raw.unsigned.relations.replace.as_deref();
        let own = message.id.to_string();
        let told = beside.and_then(event::edit).filter(|edit| edit.of == own);
        let listed = self.later.edit(&own, &raw.sender);
        let edits = told.into_iter().chain(listed).filter(|edit| edit.by == raw.sender);
        match (edits.max_by_key(|edit| (edit.at, edit.id)), beside) {
            (Some(edit), _) => {
                message::apply(&mut message, &edit, self.people);
            }
            // It is encrypted, or an old server's that only says when: the words are those of the edit.
            (None, Some(edit)) if edit.sender == raw.sender && edit.origin_server_ts > 0 => {
                message.edited_at = Some(event::time(edit.origin_server_ts).max(message.sent_at));
            }
            (None, _) => {}
        }
        message.reactions = self.later.reactions(&own);
        message
    }
}

impl Listener for Reader<'_, '_, '_> {
    fn field(&mut self, _name: &str, _value: Value) {}

    fn record(&mut self, n: u64, record: &RawValue) -> ControlFlow<()> {
        match self.message(n, record) {
            Ok(Some(message)) => {
                self.report.rows += 1;
                self.batches.push(message)
            }
            Ok(None) => ControlFlow::Continue(()),
            Err(why) => {
                self.report.error(self.file, n, why);
                ControlFlow::Continue(())
            }
        }
    }
}
