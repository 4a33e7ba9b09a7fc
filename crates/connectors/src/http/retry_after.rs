//! How long to stay away, in all the ways in which servers say it.

use std::time::Duration;

use chrono::{DateTime, Utc};

/// No pause is shorter: a server that says "0" would be asked in a circle.
pub const SHORTEST: Duration = Duration::from_secs(1);

/// No pause is longer, whatever a server says.
pub const LONGEST: Duration = Duration::from_secs(60 * 60);

/// A pause within bounds.
#[must_use]
pub fn bounded(pause: Duration) -> Duration {
    pause.clamp(SHORTEST, LONGEST)
}

/// Reads a `Retry-After` header: whole or broken seconds, or a date.
#[must_use]
pub fn parse(value: &str, now: DateTime<Utc>) -> Option<Duration> {
    let value = value.trim();
    if let Ok(seconds) = value.parse::<f64>() {
        return of_seconds(seconds);
    }
    let date = DateTime::parse_from_rfc2822(value).ok()?;
    let pause = date.with_timezone(&Utc) - now;
    Some(bounded(pause.to_std().unwrap_or_default()))
}

/// A pause told in seconds; `None` for what is no number of seconds.
#[must_use]
pub fn of_seconds(seconds: f64) -> Option<Duration> {
    if seconds.is_nan() {
        return None;
    }
    let pause = Duration::try_from_secs_f64(seconds.min(LONGEST.as_secs_f64())).ok()?;
    Some(bounded(pause))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_way_to_say_a_pause_is_understood_and_bounded() {
        let now = DateTime::parse_from_rfc2822("Wed, 25 Nov 2026 07:00:00 GMT").unwrap().to_utc();
        assert_eq!(parse("30", now), Some(Duration::from_secs(30)));
        assert_eq!(parse("1.5", now), Some(Duration::from_millis(1_500)));
        assert_eq!(parse("0", now), Some(SHORTEST));
        assert_eq!(parse("99999999", now), Some(LONGEST));
        assert_eq!(parse("Wed, 25 Nov 2026 07:01:00 GMT", now), Some(Duration::from_secs(60)));
        assert_eq!(parse("Wed, 25 Nov 2026 06:00:00 GMT", now), Some(SHORTEST));
        assert_eq!(parse("-5", now), None);
        assert_eq!(parse("NaN", now), None);
        assert_eq!(parse("soon", now), None);
    }
}
