//! What a token must be allowed to do.

use super::dialect::missing;
use crate::ConnectorError;

/// What a token is granted, by the header that Slack sends with every reply.
fn granted(header: &str) -> Vec<&str> {
    header.split(',').map(str::trim).collect()
}

/// Whether a token may search; Slack grants that to people only.
pub(super) fn may_search(header: Option<&str>) -> bool {
    header.is_some_and(|header| granted(header).contains(&"search:read"))
}

/// Finds what a token lacks.
pub(super) fn check(header: Option<&str>) -> Result<(), ConnectorError> {
    let Some(header) = header else { return Ok(()) };
    let granted = granted(header);
    let lacking = |scopes: &[&'static str]| -> Vec<&'static str> {
        scopes.iter().filter(|scope| !granted.contains(scope)).copied().collect()
    };
    let mut lacks = lacking(&["users:read"]);
    let public = lacking(&["channels:read", "channels:history"]);
    let private = lacking(&["groups:read", "groups:history"]);
    if !public.is_empty() && !private.is_empty() {
        lacks.extend(public);
    }
    if lacks.is_empty() { Ok(()) } else { Err(ConnectorError::Auth(missing(&lacks.join(", ")))) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_that_reads_public_or_private_channels_and_names_is_enough() {
        assert_eq!(check(Some("channels:read,channels:history, users:read,chat:write")), Ok(()));
        assert_eq!(check(Some("groups:read,groups:history,users:read")), Ok(()));
        assert_eq!(check(None), Ok(()));
    }

    #[test]
    fn what_is_lacking_is_named() {
        let lacks = |scopes| check(Some(scopes)).unwrap_err().to_string();
        assert!(lacks("channels:read,users:read").contains("the scope channels:history: add"));
        assert!(lacks("channels:read,channels:history").contains("users:read"));
        assert!(lacks("").contains("users:read, channels:read, channels:history"));
    }
}
