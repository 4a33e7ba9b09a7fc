//! What can go wrong in a sync, and what follows from it.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

use crate::MessageId;

/// The codes with which a job can fail. Codes for refused requests belong to the gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub enum ErrorCode {
    /// The platform's API failed.
    PlatformError,
    /// Authentication with the platform failed.
    AuthError,
    /// The platform asked us to slow down.
    RateLimit,
    /// The channel does not exist, or no longer.
    ChannelNotFound,
    /// Something failed on our side.
    InternalError,
}

impl ErrorCode {
    /// All codes.
    pub const ALL: [Self; 5] = [
        Self::PlatformError,
        Self::AuthError,
        Self::RateLimit,
        Self::ChannelNotFound,
        Self::InternalError,
    ];

    /// The name on the wire.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlatformError => "PLATFORM_ERROR",
            Self::AuthError => "AUTH_ERROR",
            Self::RateLimit => "RATE_LIMIT",
            Self::ChannelNotFound => "CHANNEL_NOT_FOUND",
            Self::InternalError => "INTERNAL_ERROR",
        }
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for ErrorCode {
    type Err = UnknownCode;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|code| code.as_str() == name).ok_or(UnknownCode)
    }
}

/// A name that no error code has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown error code")]
pub struct UnknownCode;

/// What a user is told about a failure: the `error` object of the API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SyncError {
    /// What kind of failure it is.
    pub code: ErrorCode,
    /// What happened and what to do; no secrets, no internals.
    pub message: String,
    /// What else is known.
    #[serde(default)]
    pub details: ErrorDetails,
}

/// What is known about a failure beyond its code.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ErrorDetails {
    /// Seconds after which the platform allows another try.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after: Option<u64>,
    /// The message at which it failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub failing_message_id: Option<MessageId>,
}

impl SyncError {
    /// An error without details.
    #[must_use]
    pub fn new(code: ErrorCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), details: ErrorDetails::default() }
    }
}

impl fmt::Display for SyncError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.code, self.message)
    }
}

/// Whether and when a failed task may run again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// The same input will fail the same way.
    Never,
    /// Again after the usual backoff.
    Backoff,
    /// Again no sooner than the far side asked.
    After(Duration),
}

/// A classified error, as a stage returns it: what to tell the user, whether to retry, and the cause
/// for the log.
#[derive(Debug)]
pub struct Failure {
    /// What the user is told.
    pub error: SyncError,
    /// Whether and when to try again.
    pub retry: Retry,
    /// What really happened; for logs only.
    pub cause: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl Failure {
    /// A failure of our own program.
    #[must_use]
    pub fn internal(message: impl Into<String>, retry: Retry) -> Self {
        Self { error: SyncError::new(ErrorCode::InternalError, message), retry, cause: None }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.error)?;
        match &self.cause {
            Some(cause) => write!(f, " ({cause})"),
            None => Ok(()),
        }
    }
}

/// An error that knows what follows from it, so that no call site has to decide.
pub trait Classify: std::error::Error + Send + Sync + 'static {
    /// What the user is told.
    fn sync_error(&self) -> SyncError;
    /// Whether and when trying again can help.
    fn retry(&self) -> Retry;
}

impl<E: Classify> From<E> for Failure {
    fn from(error: E) -> Self {
        Self { error: error.sync_error(), retry: error.retry(), cause: Some(Box::new(error)) }
    }
}
