//! Where one conversation ends and the next begins.
//!
//! The unit of extraction is a thread, or messages outside threads that are close in time. The rule
//! looks at two neighbours only and never at a page, a batch or a position, so whatever order
//! messages arrive in, the same messages make the same units. Long ones are cut at messages picked
//! by a digest of their id, which bounds a unit without counting.

use std::time::Duration;

use crate::{ChannelId, Message, MessageId, Timestamp, UnitId};

/// A silence longer than this ends a conversation outside threads.
pub const GAP: Duration = Duration::from_secs(20 * 60);

/// One message in this many begins a new part of a long conversation or thread.
const PART: u64 = 128;

/// A unit never holds more messages than this, whatever its ids; what lies beyond is left out.
pub const MAX_MESSAGES: u32 = 2_000;

/// Messages that belong together, in order of `(sent_at, id)`, and the thread's first message when
/// they are a later part of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Conversation {
    /// The channel.
    pub channel_id: ChannelId,
    /// Workspace of its entities: `platform:workspace`.
    pub scope: String,
    /// Its id, derived from the channel and [`Conversation::root`].
    pub unit_id: UnitId,
    /// Its first message.
    pub root: MessageId,
    /// Read for understanding only, never evidence.
    pub context: Vec<Message>,
    /// The messages, evidence or not.
    pub messages: Vec<Message>,
}

/// Whether a message begins a new part even without a silence before it.
#[must_use]
pub fn begins_part(id: &MessageId) -> bool {
    // FNV-1a: stable across versions and platforms, unlike the standard library's hasher.
    let digest = id.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    // The low bits of FNV depend on the last bytes only; fold the high ones in.
    (digest ^ (digest >> 32)).is_multiple_of(PART)
}

/// Whether a message outside threads begins a conversation, given the time of the one before it.
#[must_use]
pub fn begins_conversation(before: Option<Timestamp>, id: &MessageId, sent_at: Timestamp) -> bool {
    before.is_none_or(|before| sent_at > before.plus(GAP)) || begins_part(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_ends_a_conversation() {
        let start = Timestamp::from_micros(0);
        let id = MessageId::from("1");
        assert!(begins_conversation(None, &id, start));
        assert!(!begins_conversation(Some(start), &id, start.plus(GAP)));
        assert!(begins_conversation(Some(start), &id, start.plus(GAP + Duration::from_secs(1))));
    }

    #[test]
    fn a_long_conversation_is_cut_about_every_hundredth_message() {
        let cuts = (0..100_000)
            .filter(|n| {
                begins_part(&MessageId::from(format!("15{n:08}.{:06}", n * 7919 % 999_983)))
            })
            .count();
        assert!((600..1_000).contains(&cuts), "{cuts} cuts");
    }
}
