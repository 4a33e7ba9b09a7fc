//! API keys.

use std::path::Path;

use async_trait::async_trait;
use domain::KeyId;

use super::{
    Database, Engine, Session,
    query::query,
    row::{Columns as _, Row},
    session::Lane,
};
use crate::{Access, ApiKey, Result, StoreError};

#[async_trait]
impl Access for Database {
    async fn add_key(&self, id: &KeyId, name: &str, hash: &str) -> Result<ApiKey> {
        let mut write = self.begin(Lane::Work).await?;
        let key = ApiKey {
            id: id.clone(),
            name: name.to_owned(),
            hash: hash.to_owned(),
            created_at: write.now().await?,
            revoked_at: None,
        };
        query("INSERT INTO api_keys (key_id, name, hash, created_at) VALUES ($1, $2, $3, $4)")
            .bind(key.id.as_str())
            .bind(&key.name)
            .bind(&key.hash)
            .bind(key.created_at.micros())
            .execute(&mut write)
            .await?;
        write.commit().await?;
        Ok(key)
    }

    async fn keys(&self) -> Result<Vec<ApiKey>> {
        let mut reader = self.read().await?;
        let rows = query("SELECT * FROM api_keys ORDER BY created_at, key_id")
            .fetch_all(&mut reader)
            .await?;
        rows.iter().map(key).collect()
    }

    async fn key_by_hash(&self, hash: &str) -> Result<Option<ApiKey>> {
        let mut reader = self.read().await?;
        let row = query("SELECT * FROM api_keys WHERE hash = $1 AND revoked_at IS NULL")
            .bind(hash)
            .fetch_optional(&mut reader)
            .await?;
        row.as_ref().map(key).transpose()
    }

    async fn revoke_key(&self, id: &KeyId) -> Result<bool> {
        let mut write = self.begin(Lane::Work).await?;
        let now = write.now().await?;
        let outcome =
            query("UPDATE api_keys SET revoked_at = $2 WHERE key_id = $1 AND revoked_at IS NULL")
                .bind(id.as_str())
                .bind(now.micros())
                .execute(&mut write)
                .await?;
        write.commit().await?;
        Ok(outcome.rows_affected() == 1)
    }

    async fn ping(&self) -> Result<()> {
        query("SELECT 1").execute(&mut self.read().await?).await?;
        Ok(())
    }

    async fn backup(&self, path: &Path) -> Result<()> {
        match &self.shared.engine {
            Engine::Sqlite(sqlite) => sqlite.copy_to(path).await,
            Engine::Postgres(_) => Err(StoreError::NotHere),
        }
    }
}

/// The name of a key, in its maker's words.
pub(super) async fn key_name(session: &mut Session, id: &KeyId) -> Result<Option<String>> {
    let row = query("SELECT name FROM api_keys WHERE key_id = $1")
        .bind(id.as_str())
        .fetch_optional(session)
        .await?;
    row.map(|row| row.column("name")).transpose()
}

fn key(row: &Row) -> Result<ApiKey> {
    Ok(ApiKey {
        id: row.parsed("key_id")?,
        name: row.column("name")?,
        hash: row.column("hash")?,
        created_at: row.time("created_at")?,
        revoked_at: row.optional_time("revoked_at")?,
    })
}
