//! Lanes: the sequences of messages that units are cut from. The same for every adapter.
//!
//! A channel has one lane of what is said outside threads, and one lane a thread. Whether a message
//! begins a unit depends on itself and the message before it, on nothing else. So a changed message
//! touches its own unit and those of its neighbours, and the rest of a lane need not be looked at.

use domain::{Message, MessageId, Timestamp, conversation, message::hex};
use sha2::{Digest as _, Sha256};

/// Place of a message in its lane.
pub(crate) type Place = (Timestamp, MessageId);

/// A message as it is stored.
#[derive(Debug, Clone)]
pub(crate) struct Stored {
    pub(crate) message: Message,
    pub(crate) content_hash: String,
}

impl Stored {
    pub(crate) fn place(&self) -> (Timestamp, &MessageId) {
        (self.message.sent_at, &self.message.id)
    }
}

/// Which lane.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Lane {
    /// What is said outside threads.
    Channel,
    /// A thread.
    Thread(MessageId),
}

impl Lane {
    /// Whether a message begins a unit.
    pub(crate) fn begins(&self, before: Option<&Stored>, stored: &Stored) -> bool {
        let Message { id, sent_at, .. } = &stored.message;
        match self {
            Self::Channel => {
                let before = before.map(|before| before.message.sent_at);
                conversation::begins_conversation(before, id, *sent_at)
            }
            Self::Thread(_) => before.is_none() || conversation::begins_part(id),
        }
    }

    /// Cuts a part of a lane, whose first message begins a unit, into units.
    pub(crate) fn cut(&self, part: Vec<Stored>) -> Vec<Vec<Stored>> {
        let limit = conversation::MAX_MESSAGES as usize;
        let mut units: Vec<Vec<Stored>> = Vec::new();
        for stored in part {
            let open = units.last_mut().filter(|unit| !self.begins(unit.last(), &stored));
            match open {
                Some(unit) if unit.len() < limit => unit.push(stored),
                Some(_) => {}
                None => units.push(vec![stored]),
            }
        }
        units
    }

    /// Where a part of a lane may end so that it holds the whole unit that follows `place`; `None` when
    /// more has to be read first. `whole` says that the lane ends with the part.
    pub(crate) fn end_after(&self, part: &[Stored], place: &Place, whole: bool) -> Option<usize> {
        let after = part.partition_point(|stored| stored.place() <= (place.0, &place.1));
        let next = (after + 1..part.len()).find(|&n| self.begins(part.get(n - 1), &part[n]));
        next.or_else(|| whole.then_some(part.len()))
    }

    /// How many of the messages before a place, newest first, belong to the unit that ends there;
    /// `None` when more has to be read first. `whole` says that the lane begins with the last of them.
    pub(crate) fn start_before(&self, newest_first: &[Stored], whole: bool) -> Option<usize> {
        let known = newest_first.len().saturating_sub(usize::from(!whole));
        let start = (0..known).find(|&n| self.begins(newest_first.get(n + 1), &newest_first[n]));
        match start {
            Some(n) => Some(n + 1),
            None if whole => Some(newest_first.len()),
            None => None,
        }
    }
}

/// A digest of what a unit is made of.
pub(crate) fn digest(context: &[Stored], unit: &[Stored]) -> String {
    let mut digest = Sha256::new();
    for (mark, stored) in
        context.iter().map(|stored| (b'c', stored)).chain(unit.iter().map(|stored| (b'm', stored)))
    {
        digest.update([mark]);
        digest.update(stored.message.id.as_str());
        digest.update([0]);
        digest.update(&stored.content_hash);
    }
    hex(&digest.finalize()[..16])
}

#[cfg(test)]
mod tests {
    use domain::message::{Author, AuthorKind, MessageKind};

    use super::*;

    fn at(minute: i64) -> Stored {
        let id = MessageId::from(format!("m{minute:06}"));
        Stored {
            content_hash: id.to_string(),
            message: Message {
                id,
                thread_id: None,
                author: Author { id: "U1".into(), name: "Ann".into(), kind: AuthorKind::Person },
                kind: MessageKind::Text,
                text: "hello".into(),
                mentions: vec![],
                links: vec![],
                sent_at: Timestamp::from_micros(minute * 60_000_000),
                edited_at: None,
                deleted_at: None,
                permalink: None,
                reactions: vec![],
                attachments: vec![],
            },
        }
    }

    fn place(minute: i64) -> Place {
        let stored = at(minute);
        (stored.message.sent_at, stored.message.id)
    }

    #[test]
    fn a_part_ends_after_the_unit_that_follows_the_changed_message() {
        let part: Vec<_> = [0, 1, 2, 60, 61, 120].map(at).into();
        assert_eq!(Lane::Channel.end_after(&part, &place(2), false), Some(5));
        assert_eq!(Lane::Channel.end_after(&part, &place(60), false), Some(5));
        assert_eq!(Lane::Channel.end_after(&part, &place(61), false), None);
        assert_eq!(Lane::Channel.end_after(&part, &place(61), true), Some(6));
    }

    #[test]
    fn a_part_starts_with_the_unit_before_the_changed_message() {
        let before: Vec<_> = [61, 60, 2, 1].map(at).into();
        assert_eq!(Lane::Channel.start_before(&before, false), Some(2));
        assert_eq!(Lane::Channel.start_before(&before[..2], false), None);
        assert_eq!(Lane::Channel.start_before(&before[..2], true), Some(2));
        assert_eq!(Lane::Channel.start_before(&[], true), Some(0));
    }

    #[test]
    fn a_silence_separates_units_outside_threads_only() {
        let part: Vec<_> = [0, 1, 60, 61].map(at).into();
        assert_eq!(Lane::Channel.cut(part.clone()).len(), 2);
        assert_eq!(Lane::Thread("m000000".into()).cut(part).len(), 1);
    }
}
