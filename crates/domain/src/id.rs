//! Identifiers: a type each, so that none can be passed for another.
//!
//! Three families. Random ids are a prefix and a UUIDv7 (they sort by creation). Derived ids are a
//! prefix and a UUIDv5 over a natural key, so that doing a thing twice names it the same. Foreign
//! ids are the platform's own strings.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};
use uuid::Uuid;

use crate::message::hex;

/// Namespace of every derived id. Changing it renames everything that was ever extracted.
const NAMESPACE: Uuid = Uuid::from_u128(0x6f1d_9c1e_52f4_4d0e_9a3b_7c88_21a0_5e47);

/// Joins the parts of a natural key; it occurs in no platform's ids.
const SEPARATOR: char = '\u{1f}';

/// A text that is not an identifier of the wanted kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a valid {kind} id")]
pub struct InvalidId {
    /// The kind of id that was expected.
    pub kind: &'static str,
}

fn derived(prefix: &str, parts: &[&str]) -> String {
    let mut key = String::from(prefix);
    for part in parts {
        key.push(SEPARATOR);
        key.push_str(part);
    }
    format!("{prefix}{}", Uuid::new_v5(&NAMESPACE, key.as_bytes()).simple())
}

fn check_prefixed(text: &str, prefix: &str) -> bool {
    text.strip_prefix(prefix).is_some_and(|hex| {
        hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(String);

        impl $name {
            /// The id as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

macro_rules! prefixed_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        text_id!($(#[$doc])* $name);

        impl FromStr for $name {
            type Err = InvalidId;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                if check_prefixed(text, $prefix) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(InvalidId { kind: stringify!($name) })
                }
            }
        }
    };
}

macro_rules! random_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        prefixed_id!($(#[$doc])* $name, $prefix);

        impl $name {
            /// A new id; later ones sort after earlier ones.
            #[must_use]
            pub fn random() -> Self {
                Self(format!(concat!($prefix, "{}"), Uuid::now_v7().simple()))
            }
        }
    };
}

macro_rules! derived_id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        prefixed_id!($(#[$doc])* $name, $prefix);

        impl $name {
            /// The id of the thing with this natural key.
            #[must_use]
            pub fn derive(parts: &[&str]) -> Self {
                Self(derived($prefix, parts))
            }
        }
    };
}

macro_rules! foreign_id {
    ($(#[$doc:meta])* $name:ident) => {
        text_id!($(#[$doc])* $name);

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

random_id!(
    /// One requested synchronisation: `sync_` and a UUIDv7.
    JobId, "sync_");
random_id!(
    /// An account of ours at a platform, or a set of imported files.
    ConnectionId, "conn_");
random_id!(
    /// One uploaded export.
    ImportId, "imp_");
random_id!(
    /// An API key. Not the secret itself.
    KeyId, "key_");
random_id!(
    /// Proof of holding a task: every write of a worker must show it.
    ClaimToken, "claim_");
derived_id!(
    /// A fact, from its channel, kind, carrying message and wording.
    FactId, "fact_");
derived_id!(
    /// An entity, from its scope, type and canonical key.
    EntityId, "ent_");
derived_id!(
    /// A relationship, from its channel, source, type and target.
    RelationshipId, "rel_");
derived_id!(
    /// A unit of extraction (a thread, a conversation or a part of one), from its first message.
    UnitId, "unit_");

derived_id!(
    /// A message of the queue that nobody could decode, from what it says.
    DeadLetterId, "dead_");

foreign_id!(
    /// A channel as our API names it: the platform's own id while that is unique here, else
    /// `<connection>~<id>`.
    ChannelId);
foreign_id!(
    /// A message as its platform names it, unique within its channel.
    MessageId);
foreign_id!(
    /// A person or bot as its platform names it, unique within its workspace.
    UserId);

impl ClaimToken {
    /// Names a claim in a log without telling what lets its holder write.
    #[must_use]
    pub fn digest(&self) -> String {
        hex(&Sha256::digest(self.0.as_bytes())[..4])
    }
}

impl UnitId {
    /// The unit of `channel` that begins with message `root`.
    #[must_use]
    pub fn of(channel: &ChannelId, root: &MessageId) -> Self {
        Self::derive(&[channel.as_str(), root.as_str()])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_random_id_survives_its_text_form() {
        let id = JobId::random();
        assert_eq!(id.as_str().len(), "sync_".len() + 32);
        assert_eq!(id.as_str().parse::<JobId>(), Ok(id.clone()));
    }

    #[test]
    fn an_id_of_another_kind_is_refused() {
        let id = ConnectionId::random();
        assert!(id.as_str().parse::<JobId>().is_err());
        assert!("sync_123".parse::<JobId>().is_err());
        assert!("sync_0193E0000000000000000000000000AB".parse::<JobId>().is_err());
    }

    #[test]
    fn random_ids_sort_by_creation() {
        let ids: Vec<JobId> = (0..10_000).map(|_| JobId::random()).collect();
        assert!(ids.windows(2).all(|pair| pair[0] < pair[1]));
    }

    #[test]
    fn a_derived_id_depends_on_its_key_and_on_nothing_else() {
        let id = FactId::derive(&["C1", "decision", "1.0"]);
        assert_eq!(id, FactId::derive(&["C1", "decision", "1.0"]));
        assert_ne!(id, FactId::derive(&["C1", "decision1.0"]));
        assert_ne!(id.as_str()[5..], EntityId::derive(&["C1", "decision", "1.0"]).as_str()[4..]);
    }
}
