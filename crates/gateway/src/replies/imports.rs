//! Imports.

use domain::{
    SyncError,
    import::{Import, RowError},
};
use serde::Serialize;
use utoipa::ToSchema;

/// An uploaded export.
#[derive(Serialize, ToSchema)]
pub(crate) struct ImportReply {
    id: String,
    /// queued, running, completed or failed.
    status: &'static str,
    /// Known once it has been read.
    connection_id: Option<String>,
    channels: Vec<String>,
    rows: u64,
    #[schema(value_type = Vec<Object>)]
    row_errors: Vec<RowError>,
    #[schema(value_type = Option<Object>)]
    error: Option<SyncError>,
}

impl From<Import> for ImportReply {
    fn from(import: Import) -> Self {
        Self {
            id: import.id.to_string(),
            status: import.status.as_str(),
            connection_id: import.connection_id.map(String::from),
            channels: import.channels.into_iter().map(String::from).collect(),
            rows: import.rows,
            row_errors: import.row_errors,
            error: import.error,
        }
    }
}
