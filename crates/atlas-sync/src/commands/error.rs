//! What a command says when it fails, and the exit code that scripts see.

use std::fmt;

use serde_json::Value;

/// A command that failed.
#[derive(Debug)]
pub struct CliError {
    code: u8,
    message: String,
    may_pass: bool,
}

impl CliError {
    /// Any failure.
    pub fn failed(message: impl Into<String>) -> Self {
        Self { code: 1, message: message.into(), may_pass: false }
    }

    /// Used in a way that has no meaning.
    pub fn usage(message: impl Into<String>) -> Self {
        Self { code: 2, message: message.into(), may_pass: false }
    }

    /// Something that does not exist.
    pub fn not_found(message: impl Into<String>) -> Self {
        Self { code: 3, message: message.into(), may_pass: false }
    }

    /// A followed sync did not complete.
    pub fn unsuccessful(message: impl Into<String>) -> Self {
        Self { code: 5, message: message.into(), may_pass: false }
    }

    /// No server, or no valid key.
    pub fn unreachable(message: impl Into<String>) -> Self {
        Self { code: 6, message: message.into(), may_pass: false }
    }

    /// A refusal of the server, in its own words.
    #[must_use]
    pub fn refused(status: u16, body: &Value) -> Self {
        let message = body["error"]["message"].as_str().unwrap_or("the server refused");
        let code = match status {
            401 | 403 => 6,
            404 => 3,
            409 => 4,
            400 | 413 | 422 => 2,
            _ => 1,
        };
        let job = body["error"]["details"]["job_id"].as_str();
        let message = match job {
            Some(job) => format!("{message} ({job})"),
            None => message.to_owned(),
        };
        Self { code, message, may_pass: status == 503 }
    }

    /// Whether asking again soon may help.
    #[must_use]
    pub const fn may_pass(&self) -> bool {
        self.may_pass
    }

    /// Whether what was asked for does not exist.
    #[must_use]
    pub const fn is_not_found(&self) -> bool {
        self.code == 3
    }

    /// The exit code.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.code
    }
}

impl fmt::Display for CliError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

macro_rules! from_error {
    ($($error:ty),*) => {
        $(impl From<$error> for CliError {
            fn from(error: $error) -> Self {
                Self::failed(error.to_string())
            }
        })*
    };
}

from_error!(
    service::StartError,
    service::ConfigError,
    service::keys::KeyError,
    store::StoreError,
    queue::QueueError,
    std::io::Error
);

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn scripts_can_tell_refusals_apart() {
        let body = json!({"error": {"message": "busy", "details": {"job_id": "sync_1"}}});
        let error = CliError::refused(409, &body);
        assert_eq!((error.code(), error.to_string()), (4, "busy (sync_1)".to_owned()));
        for (status, code) in [(401, 6), (404, 3), (422, 2), (500, 1), (503, 1)] {
            assert_eq!(CliError::refused(status, &Value::Null).code(), code);
        }
    }
}
