//! What is measured of calls to a platform.

use std::time::Duration;

use domain::{Classify as _, Platform};
use metrics::histogram;

use crate::ConnectorError;

/// A call was answered, or not.
pub(super) fn called<T>(
    platform: Platform,
    elapsed: Duration,
    outcome: Result<T, &ConnectorError>,
) {
    let outcome = outcome.err().map_or("ok", |error| error.sync_error().code.as_str());
    histogram!("atlas_connector_call_seconds", "platform" => platform.as_str(), "outcome" => outcome)
        .record(elapsed);
}

/// A call had its turn, after so long a wait; told of those that waited only.
pub(super) fn waited(platform: Platform, waited: Duration) {
    if !waited.is_zero() {
        histogram!("atlas_connector_wait_seconds", "platform" => platform.as_str()).record(waited);
    }
}
