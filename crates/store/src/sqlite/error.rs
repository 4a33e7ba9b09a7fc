//! What a failure of SQLite means.

use std::path::Path;

use sqlx::Error;

use crate::StoreError;

/// Sorts a failure by its primary result code (<https://www.sqlite.org/rescode.html>).
pub(crate) fn classify(error: Error, path: &Path) -> StoreError {
    let place = || path.display().to_string();
    match &error {
        Error::Database(cause) => match primary_code(cause.code().as_deref()) {
            Some(5 | 6) => StoreError::Unavailable(Box::new(error)),
            Some(8 | 14 | 23) => StoreError::ReadOnly { path: place() },
            Some(11 | 26) => StoreError::Corrupt { path: place() },
            // A full disk is also told as a failed write of the log.
            Some(13) => StoreError::Full(Box::new(error)),
            Some(10) => io_failure(error),
            _ => StoreError::Statement(Box::new(error)),
        },
        Error::Io(cause) if cause.kind() == std::io::ErrorKind::StorageFull => {
            StoreError::Full(Box::new(error))
        }
        Error::Io(_) | Error::PoolTimedOut | Error::PoolClosed | Error::WorkerCrashed => {
            StoreError::Unavailable(Box::new(error))
        }
        Error::ColumnDecode { .. } | Error::Decode(_) => StoreError::Unreadable { what: "row" },
        _ => StoreError::Statement(Box::new(error)),
    }
}

/// `SQLITE_IOERR`: writing or growing a file fails when the disk is full, everything else may pass.
fn io_failure(error: Error) -> StoreError {
    const WRITE: i64 = 10 | (3 << 8);
    const FSYNC: i64 = 10 | (4 << 8);
    const SHM_SIZE: i64 = 10 | (19 << 8);
    let code = error.as_database_error().and_then(|cause| cause.code());
    match code.and_then(|code| code.parse().ok()) {
        Some(WRITE | FSYNC | SHM_SIZE) => StoreError::Full(Box::new(error)),
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

fn primary_code(code: Option<&str>) -> Option<i64> {
    code?.parse::<i64>().ok().map(|code| code & 0xff)
}
