//! Bringing an upload from the store to a temporary file: an archive is read from its end.

use std::io::{Seek as _, SeekFrom, Write as _};

use domain::ImportId;
use store::Store;

/// What went wrong while an upload was brought over.
#[derive(Debug, thiserror::Error)]
pub(super) enum SpoolError {
    #[error(transparent)]
    Store(#[from] store::StoreError),
    #[error("the temporary file cannot be written: check the room in the system's folder for them")]
    File(#[from] std::io::Error),
}

/// The upload as a file that vanishes with its handle.
pub(super) async fn spool(store: &dyn Store, id: &ImportId) -> Result<std::fs::File, SpoolError> {
    let mut file = tempfile::tempfile()?;
    let mut n = 0;
    while let Some(bytes) = store.chunk(id, n).await? {
        file = tokio::task::spawn_blocking(move || {
            file.write_all(&bytes)?;
            Ok::<_, std::io::Error>(file)
        })
        .await
        .map_err(std::io::Error::other)??;
        n += 1;
    }
    file.seek(SeekFrom::Start(0))?;
    Ok(file)
}
