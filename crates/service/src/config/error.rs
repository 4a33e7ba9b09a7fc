//! A configuration that cannot be used.

use std::{net::SocketAddr, path::PathBuf};

/// Why a configuration is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A setting holds what it must not.
    #[error("{place} is {value:?}: it must be {allowed}")]
    Value {
        /// Where it stands: a variable's name, or a key and its file.
        place: String,
        /// What it holds, as far as that may be seen.
        value: String,
        /// What it may be.
        allowed: String,
    },
    /// A key in the file that means nothing.
    #[error("{key} in {file} is not a setting{}", meant(suggestion.as_deref()))]
    UnknownKey {
        /// The file.
        file: String,
        /// The key.
        key: String,
        /// The nearest name that means something.
        suggestion: Option<String>,
    },
    /// A variable that is named as those of settings are, and is none.
    #[error("{name} is not a setting{}", meant(suggestion.as_deref()))]
    UnknownVariable {
        /// Its name.
        name: String,
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
    /// One role of a whole whose parts could not reach each other.
    #[error(
        "{variable} is {embedded}, which only one process can use, but this one does not have every \
         role: name a server ({allowed}), or start it with all roles"
    )]
    Alone {
        /// The setting's variable.
        variable: &'static str,
        /// The embedded scheme.
        embedded: &'static str,
        /// The schemes that are known.
        allowed: String,
    },
    /// Open to others without anybody having chosen a key.
    #[error(
        "ATLAS_LISTEN is {0}, which others can reach, and there is no API key yet: make one with \
         `atlas-sync keys create`, or name a file with one in ATLAS_API_KEY_FILE"
    )]
    OpenWithoutKey(SocketAddr),
}

fn meant(suggestion: Option<&str>) -> String {
    suggestion.map(|name| format!(": did you mean {name}?")).unwrap_or_default()
}
