//! The SQLite adapter: one file, one writer, any number of readers.
//!
//! The writer is a single connection whose transactions begin `IMMEDIATE`, so none fails half-way for
//! want of the lock. A trigger, a cancel or a heartbeat goes first in line (see [`writer`]). Readers
//! see the last committed state and wait for nobody.

mod access;
mod backup;
mod channels;
mod error;
mod imports;
mod jobs;
mod json;
mod knowledge;
mod messages;
mod open;
mod row;
mod schedules;
mod tasks;
mod wiki;
mod writer;

use std::fs::File;

use sqlx::SqlitePool;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    writer: writer::Writer,
    readers: SqlitePool,
    /// Held as long as this process owns the file; none for [`Sqlite::open_beside`].
    _lock: Option<File>,
}

/// The clock that all processes of a database share.
fn now() -> domain::Timestamp {
    // SQLite has no server: its clock is this machine's.
    domain::Timestamp::from_micros(chrono::Utc::now().timestamp_micros())
}
