//! Ids for messages of files that have none: the same on every import of the same message.

use std::collections::HashMap;

use domain::{MessageId, message::hex};
use sha2::{Digest as _, Sha256};

/// Makes ids; of equal messages the second gets another than the first, in the order of the file.
#[derive(Default)]
pub(super) struct MadeIds {
    seen: HashMap<[u8; 16], u32>,
}

impl MadeIds {
    /// The id of a message by what makes it this one.
    pub(super) fn of(&mut self, parts: &[&str]) -> MessageId {
        let mut digest = Sha256::new();
        for part in parts {
            digest.update((part.len() as u64).to_le_bytes());
            digest.update(part.as_bytes());
        }
        let mut key = [0; 16];
        key.copy_from_slice(&digest.clone().finalize()[..16]);
        let ordinal = self.seen.entry(key).or_default();
        digest.update(ordinal.to_le_bytes());
        *ordinal += 1;
        MessageId::from(format!("f:{}", hex(&digest.finalize()[..16])).as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_has_the_same_id_on_every_import_and_equal_ones_differ() {
        let ids = || {
            let mut made = MadeIds::default();
            [made.of(&["a", "bc"]), made.of(&["ab", "c"]), made.of(&["a", "bc"])]
        };
        assert_eq!(ids(), ids());
        let [first, other, again] = ids();
        assert!(first != other && first != again && other != again);
    }
}
