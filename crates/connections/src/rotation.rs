//! Rotating the master key.

use domain::SyncError;
use store::{Connections, StoreError};

use crate::{
    KeyError, MasterKeys,
    seal::{Owner, rewrap},
};

/// Connections of one round.
const AT_ONCE: u32 = 100;

/// Why a rotation stopped; what was done stays, and it can be begun again.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// A key is missing.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The database cannot take it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<RotationError> for SyncError {
    fn from(error: RotationError) -> Self {
        Self::new(domain::ErrorCode::InternalError, error.to_string())
    }
}

/// Wraps every connection's key with the first master key; answers with how many were under another.
/// Credentials themselves are not opened.
pub async fn rotate(store: &dyn Connections, keys: &MasterKeys) -> Result<u64, RotationError> {
    let name = keys.first()?.name.clone();
    let mut rotated = 0;
    loop {
        let old = store.under_other_keys(&name, AT_ONCE).await?;
        if old.is_empty() {
            return Ok(rotated);
        }
        for (connection, platform, sealed) in old {
            let owner = Owner { connection: &connection, platform };
            let new = rewrap(keys, owner, &sealed)?;
            if new.master_key != name {
                // Rotated by somebody else at the same time.
                return Err(KeyError::Unknown(name).into());
            }
            // One that was changed meanwhile is looked at again.
            rotated += u64::from(store.rewrap(&connection, &sealed, &new).await?);
        }
    }
}
