//! API keys: random, shown once, stored as a hash.

use std::{
    fs::OpenOptions,
    io::{self, Write as _},
    path::{Path, PathBuf},
};

use domain::{KeyId, message::hex};
use sha2::{Digest as _, Sha256};
use store::{Access, ApiKey, StoreError};

use crate::{Config, ConfigError};

/// A key as it is made; its secret is nowhere else.
#[derive(Debug)]
pub struct NewKey {
    /// The stored part.
    pub key: ApiKey,
    /// The secret.
    pub secret: String,
}

/// What can go wrong with keys.
#[derive(Debug, thiserror::Error)]
pub enum KeyError {
    /// The database cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The system gives no randomness.
    #[error("the system's source of randomness does not answer")]
    Random,
    /// A key's file cannot be read or written.
    #[error("the key file {path} cannot be used: {cause}")]
    File {
        /// Where it is.
        path: PathBuf,
        /// Why.
        cause: io::Error,
    },
    /// A file with something too short to be a secret.
    #[error("the key file {0} must hold one line of at least 20 characters")]
    Weak(PathBuf),
    /// The configuration forbids to start.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

/// Shortest secret that is taken from a file, in characters.
const SHORTEST: usize = 20;

/// Makes a key.
pub async fn create(store: &dyn Access, name: &str) -> Result<NewKey, KeyError> {
    let secret = format!("atlas_{}", random()?);
    let key = store.add_key(&KeyId::random(), name, &hash(&secret)).await?;
    Ok(NewKey { key, secret })
}

/// 32 random bytes, as 64 hexadecimal digits.
pub fn random() -> Result<String, KeyError> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(hex(&bytes))
}

/// What is stored of a secret.
#[must_use]
pub fn hash(secret: &str) -> String {
    hex(&Sha256::digest(secret.as_bytes()))
}

/// Where the first key of an embedded service is left for the command line.
#[must_use]
pub fn file(config: &Config) -> PathBuf {
    config.data_folder().join("api-key")
}

/// Makes sure that there is a key: takes over the one of `ATLAS_API_KEY_FILE`, else, on loopback, makes
/// one and leaves it in a file that only its owner can read.
pub async fn ensure(store: &dyn Access, config: &Config) -> Result<(), KeyError> {
    if let Some(path) = &config.api_key_file {
        adopt(store, path).await?;
        return valid_or_loopback(store, config).await;
    }
    if !config.is_loopback() {
        return valid_or_loopback(store, config).await;
    }
    let path = file(config);
    if let Some(secret) = read(&path)?
        && store.key_by_hash(&hash(&secret)).await?.is_some()
    {
        return Ok(());
    }
    let new = create(store, "made at the first start").await?;
    write_private(&path, &new.secret).map_err(|cause| KeyError::File { path, cause })
}

/// What others can reach needs a key that is still valid.
async fn valid_or_loopback(store: &dyn Access, config: &Config) -> Result<(), KeyError> {
    let any = store.keys().await?.iter().any(|key| key.revoked_at.is_none());
    let refused = ConfigError::OpenWithoutKey(config.listen);
    if any || config.is_loopback() { Ok(()) } else { Err(refused.into()) }
}

async fn adopt(store: &dyn Access, path: &Path) -> Result<(), KeyError> {
    let secret = read(path)?.ok_or_else(|| KeyError::File {
        path: path.to_owned(),
        cause: io::ErrorKind::NotFound.into(),
    })?;
    if secret.chars().count() < SHORTEST {
        return Err(KeyError::Weak(path.to_owned()));
    }
    let hash = hash(&secret);
    if !store.keys().await?.iter().any(|key| key.hash == hash) {
        store.add_key(&KeyId::random(), "from ATLAS_API_KEY_FILE", &hash).await?;
    }
    Ok(())
}

/// The secret in a file, if there is one.
pub fn read(path: &Path) -> Result<Option<String>, KeyError> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text.trim().to_owned()).filter(|secret| !secret.is_empty())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(cause) => Err(KeyError::File { path: path.to_owned(), cause }),
    }
}

/// Writes a file that only its owner can read, whole or not at all.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let beside = path.with_extension("new");
    // A leftover may be readable by others, and would stay so.
    match std::fs::remove_file(&beside) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.create_new(true).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    let mut file = options.open(&beside)?;
    writeln!(file, "{text}")?;
    file.sync_all()?;
    std::fs::rename(&beside, path)
}
