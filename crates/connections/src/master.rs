//! Master keys: what the keys of connections are wrapped with.

use std::sync::{Arc, Mutex, PoisonError};

use domain::message::hex;
use secrecy::{ExposeSecret as _, SecretString};
use sha2::{Digest as _, Sha256};
use zeroize::Zeroizing;

/// Bytes of a key.
pub(crate) const KEY: usize = 32;

/// Why credentials cannot be sealed or opened.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// No key was given.
    #[error(
        "there is no master key: name a file with one in ATLAS_MASTER_KEY_FILE, such as \
         `openssl rand -hex 32` makes it"
    )]
    None,
    /// What was given cannot be read.
    #[error("the master key cannot be read: {0}")]
    Unreadable(String),
    /// What was given is no key.
    #[error(
        "a master key is 64 hexadecimal digits; of several, with spaces or line ends between them, the first seals"
    )]
    Malformed,
    /// Sealed with a key that was not given.
    #[error(
        "the credentials are sealed with another master key ({0}): give that one as well, \
         after the new one, or enter the credentials again"
    )]
    Unknown(String),
    /// The sealed bytes are not those of this connection.
    #[error("the stored credentials are damaged, or another connection's: enter them again")]
    Damaged,
    /// The system gives no randomness.
    #[error("the system's source of randomness does not answer")]
    Random,
}

/// A key with its name.
pub(crate) struct MasterKey {
    /// Tells it from others, and nothing about it.
    pub(crate) name: String,
    pub(crate) bytes: Zeroizing<[u8; KEY]>,
}

type Read = dyn Fn() -> Result<Option<SecretString>, String> + Send + Sync;

/// The master keys of an installation: the first seals, all of them open. Cheap to clone.
#[derive(Clone)]
pub struct MasterKeys {
    read: Arc<Read>,
    known: Arc<Mutex<Vec<Arc<MasterKey>>>>,
}

impl MasterKeys {
    /// Keys from wherever `read` finds them: 64 hexadecimal digits each, white space between them. It is asked again for every
    /// sealing, and for a key that is not known yet: they may have been rotated.
    pub fn new(
        read: impl Fn() -> Result<Option<SecretString>, String> + Send + Sync + 'static,
    ) -> Self {
        Self { read: Arc::new(read), known: Arc::default() }
    }

    /// The key to seal with.
    pub(crate) fn first(&self) -> Result<Arc<MasterKey>, KeyError> {
        self.read()?.first().cloned().ok_or(KeyError::None)
    }

    /// The key of a name.
    pub(crate) fn named(&self, name: &str) -> Result<Arc<MasterKey>, KeyError> {
        let find = |keys: &[Arc<MasterKey>]| keys.iter().find(|key| key.name == name).cloned();
        let known = find(&self.known.lock().unwrap_or_else(PoisonError::into_inner));
        match known {
            Some(key) => Ok(key),
            None => find(&self.read()?).ok_or_else(|| KeyError::Unknown(name.to_owned())),
        }
    }

    fn read(&self) -> Result<Vec<Arc<MasterKey>>, KeyError> {
        let text = (self.read)().map_err(KeyError::Unreadable)?.ok_or(KeyError::None)?;
        let keys =
            text.expose_secret().split_whitespace().map(parse).collect::<Result<Vec<_>, _>>()?;
        self.known.lock().unwrap_or_else(PoisonError::into_inner).clone_from(&keys);
        Ok(keys)
    }
}

fn parse(digits: &str) -> Result<Arc<MasterKey>, KeyError> {
    let mut bytes = Zeroizing::new([0; KEY]);
    if digits.len() != 2 * KEY || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Err(KeyError::Malformed);
    }
    for (n, byte) in bytes.iter_mut().enumerate() {
        let pair = digits.get(2 * n..2 * n + 2).ok_or(KeyError::Malformed)?;
        *byte = u8::from_str_radix(pair, 16).map_err(|_| KeyError::Malformed)?;
    }
    let digest =
        Sha256::new().chain_update("atlas-sync master key").chain_update(*bytes).finalize();
    Ok(Arc::new(MasterKey { name: hex(&digest[..4]), bytes }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_keys_are_taken() {
        for text in
            ["", "abc", "zz", &"g".repeat(64), &"a".repeat(63), &"a".repeat(65), &"é".repeat(32)]
        {
            let text = text.to_owned();
            let keys = MasterKeys::new(move || Ok(Some(text.clone().into())));
            assert!(keys.first().is_err());
        }
        assert_eq!(MasterKeys::new(|| Ok(None)).first().err(), Some(KeyError::None));
    }

    #[test]
    fn the_first_seals_and_the_others_are_found_by_name() {
        let (new, old) = ("a1".repeat(32), "b2".repeat(32));
        let both = format!(" {new}\n\n  {old}\n");
        let keys = MasterKeys::new(move || Ok(Some(both.clone().into())));
        let old_name = parse(&old).unwrap().name.clone();
        assert_eq!(keys.first().unwrap().name, parse(&new).unwrap().name);
        assert_eq!(keys.named(&old_name).unwrap().name, old_name);
        assert_eq!(keys.named("none").err(), Some(KeyError::Unknown("none".into())));
    }
}
