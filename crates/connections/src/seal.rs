//! Sealing: a random key for each set of credentials, wrapped by the master key; both bound to the
//! connection, so that no row can be put in another's place.

use chacha20poly1305::{
    KeyInit as _, XChaCha20Poly1305, XNonce,
    aead::{Aead as _, Payload},
};
use domain::{ConnectionId, Platform};
use serde_json::{Map, Value};
use store::Sealed;
use zeroize::Zeroizing;

use crate::master::{KEY, KeyError, MasterKey, MasterKeys};

/// Bytes of a nonce: so many that random ones never meet.
const NONCE: usize = 24;

/// What sealed bytes belong to.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Owner<'o> {
    pub(crate) connection: &'o ConnectionId,
    pub(crate) platform: Platform,
}

impl Owner<'_> {
    fn of_credentials(self) -> String {
        format!("atlas-sync/credentials/1/{}/{}", self.connection, self.platform)
    }

    fn of_key(self, master_key: &str) -> String {
        format!("atlas-sync/key/1/{}/{}/{master_key}", self.connection, self.platform)
    }
}

pub(crate) fn seal(
    keys: &MasterKeys,
    owner: Owner<'_>,
    credentials: &Map<String, Value>,
) -> Result<Sealed, KeyError> {
    let mut key = Zeroizing::new([0; KEY]);
    getrandom::fill(&mut *key).map_err(|_| KeyError::Random)?;
    let text = Zeroizing::new(serde_json::to_vec(credentials).map_err(|_| KeyError::Damaged)?);
    let bytes = encrypt(&key, &text, &owner.of_credentials())?;
    wrap(&*keys.first()?, owner, &key, bytes)
}

pub(crate) fn open(
    keys: &MasterKeys,
    owner: Owner<'_>,
    sealed: &Sealed,
) -> Result<Map<String, Value>, KeyError> {
    let key = unwrap(keys, owner, sealed)?;
    let text = decrypt(&key, &sealed.bytes, &owner.of_credentials())?;
    serde_json::from_slice(&text).map_err(|_| KeyError::Damaged)
}

/// The same credentials under the key that seals now.
pub(crate) fn rewrap(
    keys: &MasterKeys,
    owner: Owner<'_>,
    sealed: &Sealed,
) -> Result<Sealed, KeyError> {
    let key = unwrap(keys, owner, sealed)?;
    wrap(&*keys.first()?, owner, &key, sealed.bytes.clone())
}

fn wrap(
    master: &MasterKey,
    owner: Owner<'_>,
    key: &[u8; KEY],
    bytes: Vec<u8>,
) -> Result<Sealed, KeyError> {
    let wrapped_key = encrypt(&master.bytes, key, &owner.of_key(&master.name))?;
    Ok(Sealed { master_key: master.name.clone(), wrapped_key, bytes })
}

fn unwrap(
    keys: &MasterKeys,
    owner: Owner<'_>,
    sealed: &Sealed,
) -> Result<Zeroizing<[u8; KEY]>, KeyError> {
    let master = keys.named(&sealed.master_key)?;
    let bytes = decrypt(&master.bytes, &sealed.wrapped_key, &owner.of_key(&master.name))?;
    let mut key = Zeroizing::new([0; KEY]);
    if bytes.len() != KEY {
        return Err(KeyError::Damaged);
    }
    key.copy_from_slice(&bytes);
    Ok(key)
}

fn encrypt(key: &[u8; KEY], text: &[u8], bound_to: &str) -> Result<Vec<u8>, KeyError> {
    let mut nonce = [0; NONCE];
    getrandom::fill(&mut nonce).map_err(|_| KeyError::Random)?;
    let payload = Payload { msg: text, aad: bound_to.as_bytes() };
    let cipher = XChaCha20Poly1305::new(key.into());
    let sealed = cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| KeyError::Damaged)?;
    Ok([nonce.as_slice(), &sealed].concat())
}

fn decrypt(key: &[u8; KEY], sealed: &[u8], bound_to: &str) -> Result<Zeroizing<Vec<u8>>, KeyError> {
    let (nonce, sealed) = sealed.split_first_chunk::<NONCE>().ok_or(KeyError::Damaged)?;
    let payload = Payload { msg: sealed, aad: bound_to.as_bytes() };
    let cipher = XChaCha20Poly1305::new(key.into());
    let text = cipher.decrypt(&XNonce::from(*nonce), payload).map_err(|_| KeyError::Damaged)?;
    Ok(Zeroizing::new(text))
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use serde_json::json;

    use super::*;

    fn keys(lines: &[char]) -> MasterKeys {
        let text = lines.iter().map(|digit| digit.to_string().repeat(64)).collect::<Vec<_>>();
        MasterKeys::new(move || Ok(Some(text.join("\n").into())))
    }

    fn credentials() -> Map<String, Value> {
        json!({"token": "canary-token"}).as_object().unwrap().clone()
    }

    #[test]
    fn what_is_sealed_can_be_opened_and_shows_nothing() {
        let connection = ConnectionId::random();
        let owner = Owner { connection: &connection, platform: Platform::Slack };
        let sealed = seal(&keys(&['a']), owner, &credentials()).unwrap();
        assert!(!sealed.bytes.windows(6).any(|bytes| bytes == b"canary"));
        assert_eq!(open(&keys(&['a']), owner, &sealed).unwrap(), credentials());
        let again = seal(&keys(&['a']), owner, &credentials()).unwrap();
        assert_ne!((again.bytes, again.wrapped_key), (sealed.bytes, sealed.wrapped_key));
    }

    #[test]
    fn a_row_in_anothers_place_is_not_opened() {
        let (one, other) = (ConnectionId::random(), ConnectionId::random());
        let owner = Owner { connection: &one, platform: Platform::Slack };
        let keys = keys(&['a']);
        let sealed = seal(&keys, owner, &credentials()).unwrap();
        for stranger in [
            Owner { connection: &other, platform: Platform::Slack },
            Owner { connection: &one, platform: Platform::Matrix },
        ] {
            assert_eq!(open(&keys, stranger, &sealed), Err(KeyError::Damaged));
        }
        let mine = seal(&keys, Owner { connection: &other, ..owner }, &credentials()).unwrap();
        let mixed = Sealed { bytes: mine.bytes, ..sealed.clone() };
        assert_eq!(open(&keys, owner, &mixed), Err(KeyError::Damaged));
        for n in 0..sealed.bytes.len() {
            let mut bytes = sealed.bytes.clone();
            bytes[n] ^= 1;
            let changed = Sealed { bytes, ..sealed.clone() };
            assert_eq!(open(&keys, owner, &changed), Err(KeyError::Damaged), "byte {n}");
        }
        let short = Sealed { wrapped_key: vec![1, 2], ..sealed };
        assert_eq!(open(&keys, owner, &short), Err(KeyError::Damaged));
    }

    #[test]
    fn rotation_changes_the_wrapping_only() {
        let connection = ConnectionId::random();
        let owner = Owner { connection: &connection, platform: Platform::Slack };
        let old = seal(&keys(&['a']), owner, &credentials()).unwrap();
        let new = rewrap(&keys(&['b', 'a']), owner, &old).unwrap();
        assert_eq!(new.bytes, old.bytes);
        assert_eq!(open(&keys(&['b']), owner, &new).unwrap(), credentials());
        assert!(matches!(open(&keys(&['a']), owner, &new), Err(KeyError::Unknown(_))));
    }

    #[test]
    fn a_running_process_finds_a_key_that_was_added_since() {
        let connection = ConnectionId::random();
        let owner = Owner { connection: &connection, platform: Platform::Slack };
        static GIVEN: Mutex<String> = Mutex::new(String::new());
        *GIVEN.lock().unwrap() = "a".repeat(64);
        let running = MasterKeys::new(|| Ok(Some(GIVEN.lock().unwrap().clone().into())));
        let old = seal(&running, owner, &credentials()).unwrap();
        *GIVEN.lock().unwrap() = format!("{}\n{}", "b".repeat(64), "a".repeat(64));
        let new = rewrap(&keys(&['b', 'a']), owner, &old).unwrap();
        assert_eq!(open(&running, owner, &new).unwrap(), credentials());
        assert_eq!(seal(&running, owner, &credentials()).unwrap().master_key, new.master_key);
    }
}
