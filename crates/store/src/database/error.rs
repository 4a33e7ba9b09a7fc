//! What a failure in the middle of work means.

use std::path::Path;

use sqlx::{Error, postgres::PgDatabaseError};

use crate::{StoreError, postgres, sqlite};

/// Opening names the file itself.
const THE_FILE: &str = "(see DATABASE_URL)";

impl From<Error> for StoreError {
    fn from(error: Error) -> Self {
        match &error {
            Error::Database(cause) if cause.try_downcast_ref::<PgDatabaseError>().is_some() => {
                postgres::classify(error)
            }
            // Only a server can be spoken to in a way it does not understand: half of an answer.
            Error::Protocol(_) | Error::Tls(_) => Self::Unavailable(Box::new(error)),
            _ => sqlite::classify(error, Path::new(THE_FILE)),
        }
    }
}
