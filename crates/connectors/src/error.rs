//! What can go wrong at the source, by what follows from it.

use std::time::Duration;

use domain::{Classify, ErrorCode, MessageId, Retry, SyncError, error::ErrorDetails};

use crate::http::Forbidden;

/// A platform did not give what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConnectorError {
    /// It failed; what it did.
    #[error("Failed to fetch messages: {0}")]
    Platform(String),
    /// It failed, and says when to come again.
    #[error("Failed to fetch messages: {reason}")]
    Busy {
        /// What it did.
        reason: String,
        /// How long to stay away.
        retry_after: Duration,
    },
    /// It does not accept our credentials, or not for this; why, and what to do.
    #[error("the platform refuses our credentials: {0}")]
    Auth(String),
    /// The connection was removed, or cannot be used as it is; what to do.
    #[error("{0}")]
    NotConnected(String),
    /// Its address may not be called; what to do.
    #[error("{0}")]
    Address(#[from] Forbidden),
    /// It asks us to slow down.
    #[error("Failed to fetch messages: rate limit exceeded")]
    RateLimit {
        /// How long to stay away.
        retry_after: Duration,
    },
    /// It lets us read so slowly that people should know for how long, and what they can do.
    #[error("Failed to fetch messages: rate limit exceeded: {explanation}")]
    Metered {
        /// How long to stay away.
        retry_after: Duration,
        /// What is allowed, how long it will take, what can be done.
        explanation: String,
    },
    /// It has no such channel, or does not show it to us; what to do.
    #[error("the channel does not exist on the platform, or is not shown to this connection: {0}")]
    ChannelNotFound(String),
    /// Its credentials cannot be opened on our side; why, and what to do.
    #[error("{0}")]
    Locked(String),
    /// It does not understand what we ask for: our mistake.
    #[error("the platform does not accept the request: {0}")]
    Request(String),
    /// It failed at one message.
    #[error("{cause}")]
    At {
        /// The platform's id of the message.
        message: MessageId,
        /// What happened.
        cause: Box<Self>,
    },
    /// What it is read from on our side cannot be reached.
    #[error("the source of this channel cannot be read at the moment")]
    Unavailable,
    /// A mark of ours that we cannot read back.
    #[error("the mark of the last walk cannot be read: sync again with force")]
    InvalidMark,
}

impl ConnectorError {
    /// Says at which message it failed, where that may have to do with the message.
    pub(crate) fn at(self, message: impl Into<MessageId>) -> Self {
        match self {
            Self::Platform(_) | Self::Busy { .. } | Self::Request(_) => {
                Self::At { message: message.into(), cause: Box::new(self) }
            }
            error => error,
        }
    }
}

impl Classify for ConnectorError {
    fn sync_error(&self) -> SyncError {
        let code = match self {
            Self::Platform(_) | Self::Busy { .. } => ErrorCode::PlatformError,
            Self::Auth(_) | Self::NotConnected(_) | Self::Address(_) => ErrorCode::AuthError,
            Self::RateLimit { .. } | Self::Metered { .. } => ErrorCode::RateLimit,
            Self::ChannelNotFound(_) => ErrorCode::ChannelNotFound,
            Self::Unavailable | Self::InvalidMark | Self::Locked(_) | Self::Request(_) => {
                ErrorCode::InternalError
            }
            Self::At { message, cause } => {
                let mut error = cause.sync_error();
                error.details.failing_message_id.get_or_insert_with(|| message.clone());
                return error;
            }
        };
        let retry_after = match self {
            Self::RateLimit { retry_after }
            | Self::Metered { retry_after, .. }
            | Self::Busy { retry_after, .. } => {
                // A try before the pause is over would be refused: rounded up.
                Some(retry_after.as_secs() + u64::from(retry_after.subsec_nanos() > 0))
            }
            _ => None,
        };
        let details = ErrorDetails { retry_after, ..ErrorDetails::default() };
        SyncError { details, ..SyncError::new(code, self.to_string()) }
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Platform(_) | Self::Unavailable => Retry::Backoff,
            Self::RateLimit { retry_after }
            | Self::Metered { retry_after, .. }
            | Self::Busy { retry_after, .. } => Retry::After(*retry_after),
            Self::Auth(_)
            | Self::NotConnected(_)
            | Self::Address(_)
            | Self::ChannelNotFound(_)
            | Self::InvalidMark
            | Self::Locked(_)
            | Self::Request(_) => Retry::Never,
            Self::At { cause, .. } => cause.retry(),
        }
    }
}

/// A file cannot be imported at all.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// Not a zip archive, or a damaged one.
    #[error(
        "the file is not a readable zip archive: upload the zip as the platform's export made it"
    )]
    NotAnArchive,
    /// Nothing in it looks like an export.
    #[error(
        "the file is no export that is known: upload it as Slack, DiscordChatExporter, Mattermost, Telegram or \
         Element made it, or a table or JSON lines with columns for content and timestamp"
    )]
    NotAnExport,
    /// Has no messages.
    #[error("the file holds no messages")]
    Empty,
    /// A table without names of columns.
    #[error("the first line does not name columns: add one with content and timestamp")]
    NoHeader,
    /// A column that is needed or was declared.
    #[error("there is no column {0:?}: name the one that holds it in columns")]
    NoColumn(String),
    /// A time zone that nobody knows.
    #[error("{0:?} is no time zone: give its IANA name, such as Europe/Berlin")]
    NoZone(String),
    /// An encoding that nobody knows.
    #[error("{0:?} is no encoding that is known: give its label, such as utf-8 or gb18030")]
    NoEncoding(String),
    /// A delimiter that is no single ASCII character.
    #[error("the delimiter must be one ASCII character")]
    NoDelimiter,
    /// More rows are unreadable than may be.
    #[error(
        "{unread} of {all} rows cannot be read, the first for this reason: {first}. Declare the columns, the time \
         zone or day_first, or allow more with max_error_percent"
    )]
    TooManyErrors {
        /// Rows that cannot be read.
        unread: u64,
        /// All rows.
        all: u64,
        /// What is wrong with the first.
        first: String,
    },
    /// Its entries are encrypted.
    #[error("the archive is encrypted: unpack it and upload it without a password")]
    Encrypted,
    /// An entry's name would lead out of the archive.
    #[error(
        "the archive has an entry with an unsafe name: it was not made by the platform's export"
    )]
    UnsafeName,
    /// Larger unpacked than may be read.
    #[error(
        "the archive unpacks to more than may be imported ({0}): split it by channel or by time"
    )]
    TooLarge(&'static str),
    /// Unpacks to so many times its size that it must be meant as an attack.
    #[error("the archive is packed beyond what any export is: it was not made by the platform")]
    Bomb,
    /// A list that everything else depends on cannot be understood.
    #[error("{0} in the archive cannot be understood: export again")]
    BrokenList(&'static str),
    /// The file itself cannot be read on our side.
    #[error("the uploaded file cannot be read")]
    Io(#[from] std::io::Error),
}

impl Classify for ImportError {
    fn sync_error(&self) -> SyncError {
        SyncError::new(ErrorCode::PlatformError, self.to_string())
    }

    fn retry(&self) -> Retry {
        match self {
            Self::Io(_) => Retry::Backoff,
            _ => Retry::Never,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_code_and_only_passing_ones_are_retried() {
        let pause = Duration::from_secs(30);
        let limit = ConnectorError::RateLimit { retry_after: pause };
        let cases = [
            (ConnectorError::Platform("down".into()), ErrorCode::PlatformError, Retry::Backoff),
            (ConnectorError::Auth("log in again".into()), ErrorCode::AuthError, Retry::Never),
            (limit, ErrorCode::RateLimit, Retry::After(pause)),
            (
                ConnectorError::ChannelNotFound("invite it".into()),
                ErrorCode::ChannelNotFound,
                Retry::Never,
            ),
            (ConnectorError::Unavailable, ErrorCode::InternalError, Retry::Backoff),
            (ConnectorError::InvalidMark, ErrorCode::InternalError, Retry::Never),
        ];
        for (error, code, retry) in cases {
            assert_eq!((error.sync_error().code, error.retry()), (code, retry), "{error}");
        }
    }

    #[test]
    fn a_rate_limit_tells_its_seconds_and_never_less() {
        let limit = ConnectorError::RateLimit { retry_after: Duration::from_millis(1_200) };
        assert_eq!(limit.sync_error().details.retry_after, Some(2));
    }

    #[test]
    fn a_file_that_cannot_be_read_is_not_read_again() {
        assert_eq!(ImportError::Bomb.retry(), Retry::Never);
        assert_eq!(ImportError::TooLarge("entries").retry(), Retry::Never);
    }
}
