//! Lists and rows as JSON: what a column holds, and how many rows travel in one parameter.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Result, StoreError};

/// Rows or a list for `json_each`, or the content of a JSON column.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    serde_json::to_string(value).map_err(|error| StoreError::Statement(Box::new(error)))
}

/// The content of a JSON column.
pub(super) fn decode<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what })
}
