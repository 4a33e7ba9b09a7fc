//! A consistent copy of a database that goes on working.

use std::path::Path;

use sqlx::Executor as _;

use super::Sqlite;
use crate::{Result, StoreError};

impl Sqlite {
    /// Writes the last committed state to a file that must not exist yet. Readers and the writer go on.
    pub(crate) async fn copy_to(&self, path: &Path) -> Result<()> {
        let target = path.to_str().ok_or(StoreError::InvalidUrl)?;
        let mut reader = self.readers.acquire().await?;
        // A connection that may only query refuses VACUUM as well, although it writes elsewhere.
        let statements = ["PRAGMA query_only = OFF", "VACUUM INTO $1", "PRAGMA query_only = ON"];
        for statement in statements {
            let query = sqlx::query(statement);
            let query = if statement.contains("$1") { query.bind(target) } else { query };
            let outcome = reader.execute(query).await;
            if let Err(error) = outcome {
                // Not to be handed out again in this state.
                let _ = reader.close().await;
                return Err(error.into());
            }
        }
        Ok(())
    }
}
