//! A configuration that cannot be used.

use std::{net::SocketAddr, path::PathBuf};

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable holds what it must not.
    #[error("{name} is {value:?}: it must be {expected}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A setting of a stage, or one in the file, holds what it must not.
    #[error("{place} is {value:?}: it must be {expected}")]
    Setting {
        /// Where it stands: a variable's name, or a key and its file.
        place: String,
        /// What it holds.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// A key in the file that means nothing.
    #[error("{file}: {key} is not a setting{}", suggestion.as_ref().map(|name| format!(": did you mean {name}?")).unwrap_or_default())]
    UnknownKey {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The nearest name that means something.
        suggestion: Option<String>,
    },
    /// A file that is not written as TOML is.
    #[error("{file} cannot be understood: {cause}")]
    Syntax {
        /// The file.
        file: String,
        /// What is wrong, and where.
        cause: String,
    },
    /// A file that cannot be read.
    #[error("the configuration file {} cannot be read: {cause}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        cause: String,
    },
    /// An adapter that this program does not have.
    #[error("{name} has an unknown scheme: it must be {expected}")]
    Scheme {
        /// The variable's name.
        name: &'static str,
        /// The schemes that are known.
        expected: &'static str,
    },
    /// One role of a whole whose parts could not reach each other.
    #[error(
        "{name} is {embedded}, which only one process can use, but this one does not have every role: \
         name a server ({expected}), or start it with all roles"
    )]
    Alone {
        /// The variable's name.
        name: &'static str,
        /// The embedded scheme.
        embedded: &'static str,
        /// The schemes that are known.
        expected: &'static str,
    },
    /// Open to others without anybody having chosen a key.
    #[error(
        "ATLAS_LISTEN is {0}, which others can reach, and there is no API key yet: make one with \
         `atlas-sync keys create`, or name a file with one in ATLAS_API_KEY_FILE"
    )]
    OpenWithoutKey(SocketAddr),
}
