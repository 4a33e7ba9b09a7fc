//! What was read of an export, and what could not be.

use domain::import::{MAX_ROW_ERRORS, RowError};

/// What was read, and what could not be.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Report {
    /// Messages read.
    pub rows: u64,
    /// What could not be read, the first hundred.
    pub errors: Vec<RowError>,
    /// How much could not be read, all of it counted.
    pub unread: u64,
}

impl Report {
    pub(crate) fn error(&mut self, file: &str, line: u64, message: impl Into<String>) {
        self.unread += 1;
        if self.errors.len() < MAX_ROW_ERRORS {
            self.errors.push(RowError { file: file.to_owned(), line, message: message.into() });
        }
    }
}
