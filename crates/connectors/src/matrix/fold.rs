//! From the events of a page to messages as they are now.
//!
//! Events come in any order and tell of messages of this page, of earlier walks, or of pages that a walk
//! back through history has yet to read. What cannot be applied yet is noted in the ledger.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{Message, MessageId, message::MessageKind};

use super::{
    api::Server,
    event::{self, ENCRYPTED, Edit, Seen},
    ledger::{Ledger, Noted},
    message,
    people::People,
    raw::RawEvent,
};
use crate::{ConnectorError, Known, Mark};

/// Stored messages that are asked for at a time.
const AT_ONCE: usize = 1_000;

/// What a page comes to.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) messages: Vec<Message>,
    pub(super) marks: Vec<Mark>,
}

/// The events of a page, by what they are.
#[derive(Default)]
struct Sorted<'e> {
    said: BTreeMap<&'e str, &'e RawEvent>,
    edits: Vec<Edit<'e>>,
    /// Event, message, what, who.
    reactions: Vec<(&'e str, &'e str, String, &'e str)>,
    redacted: BTreeMap<&'e str, i64>,
}

impl<'e> Sorted<'e> {
    fn of(events: &'e [RawEvent]) -> Self {
        let mut sorted = Self::default();
        for seen in events.iter().filter_map(event::read) {
            match seen {
                Seen::Said(raw) => {
                    sorted.said.insert(&raw.event_id, raw);
                }
                Seen::Edit(edit) => sorted.edits.push(edit),
                Seen::Reaction { id, of, by, key } => sorted.reactions.push((id, of, key, by)),
                Seen::Gone { id, at } | Seen::Redaction { of: id, at } => {
                    let known = sorted.redacted.entry(id).or_insert(at);
                    *known = at.max(*known);
                }
            }
        }
        let redacted = &sorted.redacted;
        sorted.said.retain(|id, _| !redacted.contains_key(id));
        sorted.edits.retain(|edit| !redacted.contains_key(edit.id));
        sorted.reactions.retain(|reaction| !redacted.contains_key(reaction.0));
        // The one that counts comes last.
        sorted.edits.sort_by(|one, other| (one.at, one.id).cmp(&(other.at, other.id)));
        sorted
    }

    /// Messages that cannot be read here; an export may have told them.
    fn unreadable(&self) -> impl Iterator<Item = &'e str> + '_ {
        self.said.iter().filter(|(_, raw)| raw.kind == ENCRYPTED).map(|(id, _)| *id)
    }

    /// Messages that something is said of.
    fn targets(&self) -> impl Iterator<Item = &'e str> + '_ {
        let edited = self.edits.iter().map(|edit| edit.of);
        edited.chain(self.reactions.iter().map(|reaction| reaction.1))
    }
}

/// One page in the making.
struct Fold<'f> {
    server: &'f Server,
    room: &'f str,
    known: &'f dyn Known,
    people: People,
    ledger: Ledger,
    stored: HashMap<String, Message>,
    drafts: BTreeMap<String, Message>,
    /// Their reactions are to be written.
    touched: BTreeSet<String>,
}

impl Server {
    /// Turns events into messages and marks.
    pub(super) async fn fold(
        &self,
        room: &str,
        events: &[RawEvent],
        known: &dyn Known,
    ) -> Result<Folded, ConnectorError> {
        let sorted = Sorted::of(events);
        let mut ledger = Ledger::default();
        let on = sorted.said.keys().copied().chain(sorted.targets());
        ledger.load(known, on, sorted.redacted.keys().copied()).await?;
        let senders: BTreeSet<&str> = sorted.said.values().map(|raw| raw.sender.as_str()).collect();
        let people = match senders.is_empty() && sorted.edits.is_empty() {
            true => People::default(),
            false => self.people(room, senders).await?,
        };
        let mut fold = Fold {
            server: self,
            room,
            known,
            people,
            ledger,
            stored: HashMap::new(),
            drafts: BTreeMap::new(),
            touched: BTreeSet::new(),
        };
        let elsewhere = sorted.targets().filter(|id| !sorted.said.contains_key(id));
        let elsewhere = elsewhere.chain(sorted.unreadable());
        fold.look_up(elsewhere.chain(sorted.redacted.keys().copied()).collect()).await?;
        fold.say(&sorted).await?;
        fold.edit(&sorted);
        for (id, of, key, by) in &sorted.reactions {
            fold.ledger.react(of, id, key, by);
            fold.touched.insert((*of).to_owned());
        }
        fold.redact(&sorted).await?;
        fold.ended()
    }
}

impl Fold<'_> {
    async fn look_up(&mut self, ids: BTreeSet<&str>) -> Result<(), ConnectorError> {
        let ids: Vec<MessageId> = ids.into_iter().map(MessageId::from).collect();
        for chunk in ids.chunks(AT_ONCE) {
            for message in self.known.messages(chunk).await? {
                self.stored.insert(message.id.to_string(), message);
            }
        }
        Ok(())
    }

    /// Messages with the edit that the server says counts; where it says none and we know of one, it is
    /// asked for: there are servers that never say it.
    async fn say(&mut self, sorted: &Sorted<'_>) -> Result<(), ConnectorError> {
        let mut unsure = Vec::new();
        for (id, raw) in &sorted.said {
            if self.draft(raw)
                && let Some(edit) = self.ledger.edit_of(id)
                && !sorted.edits.iter().any(|here| here.id == edit.id)
            {
                unsure.push(((*id).to_owned(), edit.id.clone()));
            }
        }
        for (id, edit) in unsure {
            let raw = self.server.event(self.room, &edit).await?;
            let edit = raw.as_ref().and_then(event::edit).filter(|edit| edit.of == id);
            if !edit.is_some_and(|edit| self.apply(&edit)) {
                self.ask_for_edit(&id).await?;
            }
        }
        Ok(())
    }

    /// Lets the server say which edit of a drafted message counts, if one does.
    async fn ask_for_edit(&mut self, id: &str) -> Result<(), ConnectorError> {
        let Some(draft) = self.drafts.get(id) else { return Ok(()) };
        self.ledger.settle_edit(id, draft.author.id.as_str(), None);
        let edits = self.server.edits(self.room, id).await?;
        let mut edits: Vec<Edit<'_>> = edits.iter().filter_map(event::edit).collect();
        edits.retain(|edit| edit.of == id);
        edits.sort_by_key(|edit| (edit.at, edit.id));
        while let Some(edit) = edits.pop() {
            if self.apply(&edit) {
                break;
            }
        }
        Ok(())
    }

    /// Drafts a message; `true` when it has no edit as far as the server says.
    fn draft(&mut self, raw: &RawEvent) -> bool {
        let Some(mut message) = message::said(raw, self.room, &self.people) else { return false };
        let id = message.id.to_string();
        if raw.kind == ENCRYPTED
            && let Some(exported) = self.stored.get(&id)
            && exported.kind == MessageKind::Text
            && exported.deleted_at.is_none()
        {
            message = exported.clone();
        }
        self.drafts.insert(id.clone(), message);
        let edit = raw.unsigned.relations.replace.as_deref().and_then(event::edit);
        let Some(edit) = edit.filter(|edit| edit.of == id) else { return true };
        !self.apply(&edit)
    }

    /// Applies an edit to its draft, and notes it as the one that counts.
    fn apply(&mut self, edit: &Edit<'_>) -> bool {
        let Some(draft) = self.drafts.get_mut(edit.of) else { return false };
        if !message::apply(draft, edit, &self.people) {
            return false;
        }
        self.ledger.found(edit.id, edit.of);
        self.ledger.settle_edit(edit.of, edit.by, Some(noted(edit)));
        true
    }

    fn edit(&mut self, sorted: &Sorted<'_>) {
        for edit in &sorted.edits {
            let counts = self.ledger.edit_of(edit.of);
            let is_later = counts.is_none_or(|counts| *counts < noted(edit));
            if sorted.said.contains_key(edit.of) || self.drafts.contains_key(edit.of) {
                let bundled = self.drafts.get(edit.of).is_some_and(|m| m.edited_at.is_some());
                if is_later || !bundled {
                    self.apply(edit);
                }
            } else if let Some(stored) = self.stored.get(edit.of) {
                if stored.author.id.as_str() != edit.by || stored.deleted_at.is_some() {
                    continue;
                }
                if is_later {
                    self.drafts.insert(edit.of.to_owned(), stored.clone());
                    self.apply(edit);
                }
            } else if is_later {
                // Its message comes with an older page, if ever.
                self.ledger.note_edit(edit.of, noted(edit));
            }
            self.ledger.found(edit.id, edit.of);
        }
    }

    async fn redact(&mut self, sorted: &Sorted<'_>) -> Result<(), ConnectorError> {
        let mut lost: Vec<(&str, String, i64)> = Vec::new();
        for (id, at) in &sorted.redacted {
            if let Some(target) = self.ledger.target(id) {
                lost.push((id, target.to_owned(), *at));
            } else if let Some(stored) = self.stored.get(*id) {
                // What was deleted before it was ever seen is not worth a row.
                if stored.deleted_at.is_none() {
                    self.drafts.insert((*id).to_owned(), message::gone(stored.clone(), *at));
                }
                self.ledger.forget(id);
            }
        }
        let targets = lost.iter().map(|(_, target, _)| target.as_str());
        let ledger_lacks = targets.filter(|id| !self.ledger.has(id)).collect::<BTreeSet<_>>();
        self.ledger.load(self.known, ledger_lacks, []).await?;
        let lacking = lost.iter().map(|(_, target, _)| target.as_str());
        let lacking = lacking.filter(|id| !self.stored.contains_key(*id)).collect();
        self.look_up(lacking).await?;
        for (id, target, at) in lost {
            let counted = self.ledger.edit_of(&target).filter(|edit| edit.id == id).cloned();
            self.ledger.lose(id, &target);
            if let Some(edit) = counted {
                let message = self.drafts.get(&target).or_else(|| self.stored.get(&target));
                let author = message.map_or("", |message| message.author.id.as_str());
                self.ledger.settle_edit(&target, author, None);
                if author != edit.by {
                    continue;
                }
                self.ledger.set_reverted(&target, at);
                self.read_again(&target).await?;
            }
            self.touched.insert(target);
        }
        Ok(())
    }

    /// An edit that counted is gone: only the server knows what counts now.
    async fn read_again(&mut self, id: &str) -> Result<(), ConnectorError> {
        let is_there = |message: &Message| message.deleted_at.is_none();
        let known = self.drafts.get(id).or_else(|| self.stored.get(id));
        if !known.is_some_and(is_there) {
            return Ok(());
        }
        let Some(raw) = self.server.event(self.room, id).await? else { return Ok(()) };
        match event::read(&raw) {
            Some(Seen::Said(raw)) if self.draft(raw) => self.ask_for_edit(id).await?,
            Some(Seen::Gone { at, .. }) => {
                if let Some(stored) = self.stored.get(id) {
                    self.drafts.insert(id.to_owned(), message::gone(stored.clone(), at));
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn ended(mut self) -> Result<Folded, ConnectorError> {
        for id in &self.touched {
            if let (false, Some(stored)) = (self.drafts.contains_key(id), self.stored.get(id)) {
                self.drafts.insert(id.clone(), stored.clone());
            }
        }
        for (id, message) in &mut self.drafts {
            if message.deleted_at.is_some() {
                continue;
            }
            let kept = self.ledger.kept(id);
            message.reactions = kept.tally();
            // Who took an edit back has changed the message once more.
            let reverted = kept.reverted.map(|at| event::time(at).max(message.sent_at));
            message.edited_at = message.edited_at.max(reverted);
        }
        let messages = self.drafts.into_values().collect();
        Ok(Folded { messages, marks: self.ledger.into_marks()? })
    }
}

fn noted(edit: &Edit<'_>) -> Noted {
    Noted { at: edit.at, id: edit.id.to_owned(), by: edit.by.to_owned() }
}
