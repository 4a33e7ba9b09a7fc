//! What belongs to which message: kept in marks, since servers do not tell it afterwards.
//!
//! `of:<edit or reaction>` says which message; `on:<message>` what there is: the edit that counts, and all
//! reactions. Both outlive walks.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use domain::{UserId, message::Reaction};
use serde::{Deserialize, Serialize};

use crate::{ConnectorError, Known, Mark, mark};

/// Reactions of one message that are counted.
const MAX_REACTIONS: usize = 1_000;

/// Sorts of reactions, and users of each, that are kept of one message.
const MAX_LISTED: usize = 100;

/// Marks that are asked for at a time.
const AT_ONCE: usize = 1_000;

/// An edit that is known of. Of several the one of the latest time counts, of the same time that with the
/// greatest id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(super) struct Noted {
    pub(super) at: i64,
    pub(super) id: String,
    /// Who edits: somebody else than the author edits nothing.
    pub(super) by: String,
}

/// What there is on one message.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Kept {
    /// The edit that counts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) edit: Option<Noted>,
    /// When the last edit was taken back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) reverted: Option<i64>,
    /// By event: what, and who.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    reactions: BTreeMap<String, (String, String)>,
}

impl Kept {
    /// Nobody reacts twice in the same way.
    pub(super) fn tally(&self) -> Vec<Reaction> {
        let mut by_name = BTreeMap::<&str, BTreeSet<&str>>::new();
        for (key, user) in self.reactions.values() {
            by_name.entry(key).or_default().insert(user);
        }
        let reactions = by_name.into_iter().take(MAX_LISTED).map(|(name, users)| Reaction {
            name: name.to_owned(),
            count: u32::try_from(users.len()).unwrap_or(u32::MAX),
            users: users.into_iter().take(MAX_LISTED).map(UserId::from).collect(),
        });
        reactions.collect()
    }
}

/// The part of it that a page needs.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    on: HashMap<String, Kept>,
    of: HashMap<String, String>,
    changed_on: BTreeSet<String>,
    changed_of: BTreeSet<String>,
}

impl Ledger {
    /// Looks up messages, and edits and reactions.
    pub(super) async fn load(
        &mut self,
        known: &dyn Known,
        messages: impl IntoIterator<Item = &str>,
        events: impl IntoIterator<Item = &str>,
    ) -> Result<(), ConnectorError> {
        let messages: BTreeSet<&str> = messages.into_iter().collect();
        let events: BTreeSet<&str> = events.into_iter().collect();
        let streams: Vec<String> = messages.into_iter().map(on).collect();
        for chunk in streams.chunks(AT_ONCE) {
            for (stream, kept) in chunk.iter().zip(known.marks(chunk).await?) {
                let (Some(kept), Some(id)) = (kept, stream.strip_prefix("on:")) else { continue };
                self.on.insert(id.to_owned(), mark::read(&kept)?);
            }
        }
        let streams: Vec<String> = events.into_iter().map(of).collect();
        for chunk in streams.chunks(AT_ONCE) {
            for (stream, target) in chunk.iter().zip(known.marks(chunk).await?) {
                let (Some(target), Some(id)) = (target, stream.strip_prefix("of:")) else {
                    continue;
                };
                self.of.insert(id.to_owned(), target);
            }
        }
        Ok(())
    }

    /// What there is on a message.
    pub(super) fn kept(&self, message: &str) -> Kept {
        self.on.get(message).cloned().unwrap_or_default()
    }

    pub(super) fn edit_of(&self, message: &str) -> Option<&Noted> {
        self.on.get(message)?.edit.as_ref()
    }

    /// Whether it has looked for a message.
    pub(super) fn has(&self, message: &str) -> bool {
        self.on.contains_key(message)
    }

    /// The message that an edit or a reaction belongs to.
    pub(super) fn target(&self, event: &str) -> Option<&str> {
        self.of.get(event).map(String::as_str)
    }

    /// An edit is there.
    pub(super) fn found(&mut self, event: &str, message: &str) {
        if self.target(event) != Some(message) {
            self.of.insert(event.to_owned(), message.to_owned());
            self.changed_of.insert(event.to_owned());
        }
    }

    /// An edit may count once its message is known.
    pub(super) fn note_edit(&mut self, message: &str, edit: Noted) {
        self.change(message, |kept| kept.edit = Some(edit));
    }

    /// Which edit of its author counts. One that counted and was later must have been taken back.
    pub(super) fn settle_edit(&mut self, message: &str, author: &str, edit: Option<Noted>) {
        self.change(message, |kept| {
            let before = kept.edit.take().filter(|before| before.by == author);
            let taken_back = before.filter(|before| Some(before) > edit.as_ref());
            kept.reverted = kept.reverted.max(taken_back.map(|edit| edit.at));
            kept.edit = edit;
        });
    }

    /// The last edit was taken back.
    pub(super) fn set_reverted(&mut self, message: &str, at: i64) {
        self.change(message, |kept| kept.reverted = kept.reverted.max(Some(at)));
    }

    pub(super) fn react(&mut self, message: &str, event: &str, key: &str, by: &str) {
        self.found(event, message);
        self.change(message, |kept| {
            if kept.reactions.len() < MAX_REACTIONS || kept.reactions.contains_key(event) {
                kept.reactions.insert(event.to_owned(), (key.to_owned(), by.to_owned()));
            }
        });
    }

    /// An edit or a reaction is gone.
    pub(super) fn lose(&mut self, event: &str, message: &str) {
        self.of.remove(event);
        self.changed_of.insert(event.to_owned());
        self.change(message, |kept| {
            kept.reactions.remove(event);
        });
    }

    /// A message is gone, with all that was on it.
    pub(super) fn forget(&mut self, message: &str) {
        if self.on.remove(message).is_some() {
            self.changed_on.insert(message.to_owned());
        }
    }

    fn change(&mut self, message: &str, change: impl FnOnce(&mut Kept)) {
        let mut kept = self.kept(message);
        let before = kept.clone();
        change(&mut kept);
        if kept != before {
            self.on.insert(message.to_owned(), kept);
            self.changed_on.insert(message.to_owned());
        }
    }

    /// What has changed.
    pub(super) fn into_marks(self) -> Result<Vec<Mark>, ConnectorError> {
        let Self { on: kept, of: targets, changed_on, changed_of } = self;
        let mut marks = Vec::with_capacity(changed_on.len() + changed_of.len());
        for id in changed_on {
            let is_empty = |kept: &&Kept| **kept != Kept::default();
            let mark = kept.get(&id).filter(is_empty).map(mark::written).transpose()?;
            marks.push(Mark { stream: on(&id), mark });
        }
        for id in changed_of {
            marks.push(Mark { stream: of(&id), mark: targets.get(&id).cloned() });
        }
        Ok(marks)
    }
}

fn on(message: &str) -> String {
    format!("on:{message}")
}

fn of(event: &str) -> String {
    format!("of:{event}")
}
