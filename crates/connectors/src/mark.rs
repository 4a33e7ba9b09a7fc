//! Marks and cursors: JSON of ours that the store keeps for us.

use serde::{Serialize, de::DeserializeOwned};

use crate::ConnectorError;

/// Reads back what was written.
pub(crate) fn read<T: DeserializeOwned>(mark: &str) -> Result<T, ConnectorError> {
    serde_json::from_str(mark).map_err(|_| ConnectorError::InvalidMark)
}

/// Writes what is to be kept.
pub(crate) fn written<T: Serialize>(mark: &T) -> Result<String, ConnectorError> {
    serde_json::to_string(mark).map_err(|_| ConnectorError::InvalidMark)
}
