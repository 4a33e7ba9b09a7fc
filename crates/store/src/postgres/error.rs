//! What a failure of PostgreSQL means.

use sqlx::Error;

use crate::StoreError;

/// Sorts a failure by its code (<https://www.postgresql.org/docs/current/errcodes-appendix.html>).
pub(crate) fn classify(error: Error) -> StoreError {
    let code = error.as_database_error().and_then(|cause| cause.code()).unwrap_or_default();
    match &*code {
        // Serialisation, deadlock, a key that another transaction was faster with.
        "40001" | "40P01" | "23505" => StoreError::Conflict(Box::new(error)),
        "53100" => StoreError::Full(Box::new(error)),
        // A password, a database or a right that is not there.
        "28000" | "28P01" | "3D000" | "42501" => {
            let reason = error.as_database_error().map_or("", |cause| cause.message()).to_owned();
            StoreError::Refused { reason }
        }
        // Out of connections, shutting down, starting up, read-only after a failover, connection lost.
        _ if matches!(code.get(..2), Some("08" | "53" | "57" | "25")) => {
            StoreError::Unavailable(Box::new(error))
        }
        _ => StoreError::Statement(Box::new(error)),
    }
}
