//! API keys.

use async_trait::async_trait;
use domain::{KeyId, Timestamp};

use crate::Result;

/// An API key; its secret is nowhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiKey {
    /// Its id.
    pub id: KeyId,
    /// What it is for, in its maker's words.
    pub name: String,
    /// Hexadecimal SHA-256 of the secret.
    pub hash: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it stopped being valid.
    pub revoked_at: Option<Timestamp>,
}

/// API keys, and whether the database answers at all.
#[async_trait]
pub trait Access: Send + Sync + 'static {
    /// Adds a key.
    async fn add_key(&self, id: &KeyId, name: &str, hash: &str) -> Result<ApiKey>;
    /// All keys, oldest first, revoked ones included.
    async fn keys(&self) -> Result<Vec<ApiKey>>;
    /// The valid key whose secret has this hash.
    async fn key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>>;
    /// Ends a key; `false` when there is no such valid key.
    async fn revoke_key(&self, id: &KeyId) -> Result<bool>;
    /// Whether the database answers.
    async fn ping(&self) -> Result<()>;
    /// Writes a consistent copy of the whole database to a new file beside nothing else.
    async fn backup(&self, path: &std::path::Path) -> Result<()>;
}
