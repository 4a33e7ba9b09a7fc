//! Addresses of services, which may hold passwords.

use std::{fmt, ops::Deref};

/// A URL that tells everything but its password.
#[derive(Clone, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    /// An address.
    #[must_use]
    pub const fn new(url: String) -> Self {
        Self(url)
    }
}

impl Deref for Address {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((scheme, rest)) = self.0.split_once("://") else {
            // No server's, and yet it may be meant as one.
            return f.write_str(if self.0.contains('@') { "…" } else { &self.0 });
        };
        // Parameters may hold secrets as well.
        let rest = rest.split('?').next().unwrap_or_default();
        match rest.rsplit_once('@') {
            Some((_, host)) => write!(f, "{scheme}://…@{host}"),
            None => write!(f, "{scheme}://{rest}"),
        }
    }
}

impl fmt::Debug for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
