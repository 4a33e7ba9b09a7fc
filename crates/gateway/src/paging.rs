//! Cursors: places in a list, opaque to clients.

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Serialize, de::DeserializeOwned};

use crate::{ApiError, input::Params};

/// Entries of a list page unless said otherwise.
const DEFAULT: u32 = 50;

/// Entries of a list page at most.
const MOST: u32 = 200;

/// Which page of a list is asked for.
pub(crate) struct Asked<P> {
    pub(crate) limit: u32,
    pub(crate) after: Option<P>,
}

impl<P: DeserializeOwned> Asked<P> {
    pub(crate) fn read(params: &Params) -> Result<Self, ApiError> {
        let limit = params.limit(DEFAULT, MOST)?;
        let Some(cursor) = params.text("cursor")? else { return Ok(Self { limit, after: None }) };
        let wrong = || ApiError::invalid("cursor", "cursor must be a next_cursor of this list");
        let bytes = URL_SAFE_NO_PAD.decode(cursor).map_err(|_| wrong())?;
        let after = serde_json::from_slice(&bytes).map_err(|_| wrong())?;
        Ok(Self { limit, after: Some(after) })
    }

    /// One more than asked for shows whether there is another page.
    pub(crate) fn fetch(&self) -> u32 {
        self.limit + 1
    }
}

/// Cuts a list to what was asked for; the cursor leads behind its last entry.
pub(crate) fn page<T, P: Serialize>(
    mut entries: Vec<T>,
    limit: u32,
    place: impl Fn(&T) -> P,
) -> (Vec<T>, Option<String>) {
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let last = entries.last().filter(|_| more).map(place);
    let cursor = last.and_then(|place| serde_json::to_vec(&place).ok());
    (entries, cursor.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_given_only_while_there_is_more() {
        let (entries, cursor) = page(vec![1, 2, 3], 2, |n| *n);
        assert_eq!((entries, cursor.is_some()), (vec![1, 2], true));
        let (entries, cursor) = page(vec![1, 2], 2, |n| *n);
        assert_eq!((entries, cursor), (vec![1, 2], None));
    }
}
