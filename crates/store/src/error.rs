//! What can go wrong with a database, by what follows from it.

use domain::{Classify, ErrorCode, Retry, SyncError};

/// A failure of the database itself. What a caller can foresee (an unknown job, a taken channel) is
/// part of a method's result instead.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Not reachable, or too busy; it may be again.
    #[error("the database cannot be reached")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// Another transaction came between; made again it may succeed.
    #[error("another transaction came between")]
    Conflict(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The server does not let this program in, or not do what it must.
    #[error("the database server refuses: {reason}; check DATABASE_URL and the role's rights")]
    Refused {
        /// In the server's words.
        reason: String,
    },
    /// No room left where the database lives.
    #[error("the disk that holds the database is full: free some room, nothing is lost")]
    Full(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// It may not be written.
    #[error(
        "the database file {path} cannot be written: check the owner and the mode of the file and its folder"
    )]
    ReadOnly {
        /// Where it lives.
        path: String,
    },
    /// It is not a database, or a damaged one.
    #[error(
        "the file {path} is not a database or is damaged: restore it from a backup, or move it away to start anew"
    )]
    Corrupt {
        /// Where it lives.
        path: String,
    },
    /// It belongs to a program that is newer than this one.
    #[error(
        "the database needs release schema {oldest_compatible} or later, this program has {own}: upgrade the program"
    )]
    TooNew {
        /// Schema number below which no program may use it.
        oldest_compatible: i64,
        /// Schema number of this program.
        own: i64,
    },
    /// Another process has it open.
    #[error(
        "the database file {path} is in use by another process: use that one, or stop it first"
    )]
    InUse {
        /// Where it lives.
        path: String,
    },
    /// There is no database yet.
    #[error("there is no database at {path}: start the server once to make one")]
    Missing {
        /// Where it would live.
        path: String,
    },
    /// Not an address of a database that this program knows.
    #[error("not a database URL: give sqlite:PATH or postgres://USER@HOST/DATABASE")]
    InvalidUrl,
    /// A server is backed up with its own tools.
    #[error("a PostgreSQL database is backed up with the server's own tools, such as pg_dump")]
    NotHere,
    /// A statement failed; a defect of ours.
    #[error("a database statement failed")]
    Statement(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A row holds what this program cannot read.
    #[error("a stored {what} cannot be read")]
    Unreadable {
        /// What kind of value.
        what: &'static str,
    },
}

impl Classify for StoreError {
    fn sync_error(&self) -> SyncError {
        let message = match self {
            Self::Unavailable(_) | Self::Conflict(_) => "the database could not be reached",
            Self::Refused { .. } => {
                "the database server refuses this program: check its role's rights"
            }
            Self::Full(_) => {
                "the disk that holds the database is full: free some room and sync again"
            }
            Self::ReadOnly { .. } => "the database cannot be written: check the mode of its file",
            Self::Corrupt { .. } => "the database is damaged: restore it from a backup",
            Self::TooNew { .. } => "the database belongs to a newer release: upgrade this process",
            Self::InUse { .. } => "the database is in use by another process",
            Self::Missing { .. } | Self::InvalidUrl => "there is no database",
            Self::NotHere => "not done for this kind of database",
            Self::Statement(_) | Self::Unreadable { .. } => "an internal error occurred",
        };
        SyncError::new(ErrorCode::InternalError, message)
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Unavailable(_)
            | Self::Conflict(_)
            | Self::Full(_)
            | Self::Refused { .. }
            | Self::Statement(_) => Retry::Backoff,
            _ => Retry::Never,
        }
    }
}
