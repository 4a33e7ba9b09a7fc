//! Who may ask.

use std::{
    collections::HashMap,
    sync::{PoisonError, RwLock},
    time::{Duration, Instant},
};

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::Response,
};
use domain::{KeyId, message::hex};
use http::header;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::{ApiError, Gateway};

/// A key that was valid is taken for valid so long: a revoked one stops within it.
const KNOWN_FOR: Duration = Duration::from_secs(5);

/// Keys remembered at most.
const MAX_KNOWN: usize = 1_000;

/// Longest key that is looked at.
const LONGEST: usize = 512;

/// Keys that were valid a moment ago, by the hash of their secret.
#[derive(Default)]
pub(crate) struct KnownKeys {
    keys: RwLock<HashMap<[u8; 32], (KeyId, Instant)>>,
}

impl KnownKeys {
    fn get(&self, hash: &[u8; 32]) -> Option<KeyId> {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        let (id, since) = keys.get(hash)?;
        (since.elapsed() < KNOWN_FOR).then(|| id.clone())
    }

    fn insert(&self, hash: [u8; 32], id: KeyId) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if keys.len() >= MAX_KNOWN {
            keys.clear();
        }
        keys.insert(hash, (id, Instant::now()));
    }
}

/// Lets a request pass that shows a valid key, and notes which.
pub(crate) async fn require_key(
    State(gateway): State<Gateway>,
    mut request: Request,
    next: Next,
) -> Result<Response, ApiError> {
    let secret = bearer(&request).ok_or_else(ApiError::unauthorized)?;
    let hash: [u8; 32] = Sha256::digest(secret.as_bytes()).into();
    let id = match gateway.keys.get(&hash) {
        Some(id) => id,
        None => look_up(&gateway, hash).await?,
    };
    request.extensions_mut().insert(id);
    Ok(next.run(request).await)
}

fn bearer(request: &Request) -> Option<&str> {
    let value = request.headers().get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, secret) = value.split_once(' ')?;
    let secret = secret.trim();
    (scheme.eq_ignore_ascii_case("bearer") && (1..=LONGEST).contains(&secret.len()))
        .then_some(secret)
}

async fn look_up(gateway: &Gateway, hash: [u8; 32]) -> Result<KeyId, ApiError> {
    let text = hex(&hash);
    let key = gateway.store.key_by_hash(&text).await?.ok_or_else(ApiError::unauthorized)?;
    // The index has compared them already; this comparison tells nothing by the time it takes.
    if !bool::from(key.hash.as_bytes().ct_eq(text.as_bytes())) {
        return Err(ApiError::unauthorized());
    }
    gateway.keys.insert(hash, key.id.clone());
    Ok(key.id)
}
