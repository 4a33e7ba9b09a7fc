//! What a list of events does later to what it told before.

use std::collections::{BTreeMap, HashMap};

use domain::message::Reaction;

use crate::matrix::{
    content::{Content, Value},
    event::{self, Edit, Seen},
    ledger::Ledger,
    raw::RawEvent,
};

/// Most that is kept of it, in bytes: Element lists none of it, and whoever writes a list writes it short.
const MAX_KEPT: usize = 64 << 20;

/// What an entry costs beside its text, in bytes.
const ENTRY: usize = 256;

/// Edits, reactions and redactions by what they are of.
#[derive(Default)]
pub(super) struct Later {
    edits: HashMap<String, Vec<ListedEdit>>,
    reactions: Ledger,
    /// Events that react, with their message.
    reacting: BTreeMap<String, String>,
    redacted: HashMap<String, i64>,
    bytes: usize,
    /// The first record that there was no room for.
    full_at: Option<u64>,
}

struct ListedEdit {
    id: String,
    by: String,
    at: i64,
    content: Content,
}

impl Later {
    /// Takes note of a record, by its number.
    pub(super) fn note(&mut self, n: u64, raw: &RawEvent) {
        let Some(seen) = event::read(raw) else { return };
        let bytes = ENTRY
            + match &seen {
                Seen::Edit(edit) => edit.content.values().map(size).sum(),
                Seen::Reaction { .. } | Seen::Redaction { .. } => 0,
                Seen::Said(_) | Seen::Gone { .. } => return,
            };
        if self.full_at.is_some() || self.bytes + bytes > MAX_KEPT {
            self.full_at.get_or_insert(n);
            return;
        }
        self.bytes += bytes;
        match seen {
            Seen::Edit(edit) => {
                let Edit { id, of, by, at, content } = edit;
                let (id, by, content) = (id.to_owned(), by.to_owned(), content.clone());
                let edits = self.edits.entry(of.to_owned()).or_default();
                edits.push(ListedEdit { id, by, at, content });
            }
            Seen::Reaction { id, of, by, key } => {
                self.reactions.react(of, id, &key, by);
                self.reacting.insert(id.to_owned(), of.to_owned());
            }
            Seen::Redaction { of, at } => {
                self.redacted.insert(of.to_owned(), at);
            }
            Seen::Said(_) | Seen::Gone { .. } => {}
        }
    }

    /// All records are noted: what was redacted of them counts no more.
    pub(super) fn settle(&mut self) {
        for edits in self.edits.values_mut() {
            edits.retain(|edit| !self.redacted.contains_key(&edit.id));
        }
        for (event, message) in std::mem::take(&mut self.reacting) {
            if self.redacted.contains_key(&event) {
                self.reactions.lose(&event, &message);
            }
        }
    }

    /// Whether a record was kept that is none of a message.
    pub(super) fn kept(&self, n: u64) -> Result<(), &'static str> {
        match self.full_at {
            Some(full_at) if n >= full_at => {
                Err("more edits, reactions and redactions than are kept of a file")
            }
            _ => Ok(()),
        }
    }

    /// When a message was redacted.
    pub(super) fn redacted_at(&self, message: &str) -> Option<i64> {
        self.redacted.get(message).copied()
    }

    /// The edit of a message by its author that counts.
    pub(super) fn edit<'l>(&'l self, message: &'l str, author: &str) -> Option<Edit<'l>> {
        let edits = self.edits.get(message)?.iter().filter(|edit| edit.by == author);
        let edit = edits.max_by_key(|edit| (edit.at, &edit.id))?;
        let ListedEdit { id, by, at, content } = edit;
        Some(Edit { id, of: message, by, at: *at, content })
    }

    pub(super) fn reactions(&self, message: &str) -> Vec<Reaction> {
        self.reactions.kept(message).tally()
    }
}

fn size(value: &Value) -> usize {
    match value {
        Value::Text(text) => ENTRY + text.len(),
        Value::List(values) => values.iter().map(size).sum::<usize>() + ENTRY,
        Value::Object(fields) => fields.values().map(size).sum::<usize>() + ENTRY,
        Value::Number(_) | Value::Other => ENTRY,
    }
}
