//! What replies mean on a platform.

use std::time::Duration;

use domain::Platform;

use super::{Bucket, Reply};
use crate::ConnectorError;

/// A platform's way to say things.
pub trait Dialect: Send + Sync + 'static {
    /// Whose way it is, as metrics name it.
    fn platform(&self) -> Platform;

    /// Whether the reply is what was asked for, or which failure it tells. A rate limit found here pauses
    /// the buckets of the call for everybody.
    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError>;

    /// A pause that even a good reply asks for: the last call that was allowed for now.
    fn pause(&self, _reply: &Reply) -> Option<Duration> {
        None
    }

    /// Whether the pause that a reply asks for is meant for this bucket of the call.
    fn concerns(&self, _reply: &Reply, _bucket: &Bucket) -> bool {
        true
    }
}
