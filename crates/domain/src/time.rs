//! Points in time, in microseconds.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A point in time: microseconds since the Unix epoch, UTC. As text it is RFC 3339 with a `Z`.
///
/// Microseconds, because that is how finely platforms order their messages and databases keep
/// times; an integer, because both databases store and compare it alike.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Timestamp(i64);

impl Timestamp {
    /// The point in time that many microseconds after the epoch.
    #[must_use]
    pub const fn from_micros(micros: i64) -> Self {
        Self(micros)
    }

    /// Microseconds since the epoch.
    #[must_use]
    pub const fn micros(self) -> i64 {
        self.0
    }

    /// The same point in time for calendar work.
    #[must_use]
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or_default()
    }

    /// This time and a duration later; saturates at the end of time.
    #[must_use]
    pub fn plus(self, duration: std::time::Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_micros()).unwrap_or(i64::MAX)))
    }

    /// Seconds from `earlier` to this time; zero when it is not earlier.
    #[must_use]
    pub fn seconds_since(self, earlier: Self) -> f64 {
        std::time::Duration::from_micros(u64::try_from(self.0 - earlier.0).unwrap_or(0))
            .as_secs_f64()
    }

    /// `2026-04-13T10:30:00Z`, with a fraction only where there is one.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true)
    }
}

impl From<DateTime<Utc>> for Timestamp {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

impl std::fmt::Display for Timestamp {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.to_rfc3339())
    }
}

impl<'de> Deserialize<'de> for Timestamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        DateTime::parse_from_rfc3339(&text)
            .map(|time| Self(time.timestamp_micros()))
            .map_err(|_| de::Error::custom("expected an RFC 3339 time"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_in_utc_with_a_z_and_read_back_the_same() {
        let time = Timestamp::from_micros(1_776_076_200_000_000);
        assert_eq!(serde_json::to_string(&time).unwrap(), "\"2026-04-13T10:30:00Z\"");
        let fine = Timestamp::from_micros(1_776_076_200_000_123);
        let text = serde_json::to_string(&fine).unwrap();
        assert_eq!(text, "\"2026-04-13T10:30:00.000123Z\"");
        assert_eq!(serde_json::from_str::<Timestamp>(&text).unwrap(), fine);
    }
}
