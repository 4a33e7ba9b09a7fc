//! Times as people's files write them. What can mean two things is an error.

use chrono::{DateTime, NaiveDate, NaiveDateTime, TimeZone as _};
use chrono_tz::Tz;
use domain::Timestamp;

use crate::ImportError;

/// Latest year that a message may be of.
const LAST_YEAR: i32 = 9_999;

/// How to read times.
pub(super) struct Times {
    zone: Tz,
    day_first: Option<bool>,
}

impl Times {
    pub(super) fn new(zone: Option<&str>, day_first: Option<bool>) -> Result<Self, ImportError> {
        let zone = zone.unwrap_or("UTC");
        let zone =
            zone.parse().map_err(|_| ImportError::NoZone(zone.chars().take(60).collect()))?;
        Ok(Self { zone, day_first })
    }

    pub(super) fn read(&self, told: &str) -> Result<Timestamp, String> {
        let told = told.trim();
        if let Some(time) = of_epoch(told) {
            return Ok(time);
        }
        if let Ok(time) = DateTime::parse_from_rfc3339(told) {
            return Ok(Timestamp::from_micros(time.timestamp_micros()));
        }
        if let Ok(time) = DateTime::parse_from_rfc2822(told) {
            return Ok(Timestamp::from_micros(time.timestamp_micros()));
        }
        let local = self.local(told)?;
        let time = self.zone.from_local_datetime(&local).earliest();
        let time = time.ok_or("a time that the clocks left out on that day")?;
        Ok(Timestamp::from_micros(time.timestamp_micros()))
    }

    fn local(&self, told: &str) -> Result<NaiveDateTime, String> {
        let unreadable = || format!("a time that cannot be read: {}", excerpt(told));
        let told = told.replacen('T', " ", 1);
        let (date, time) = told.split_once(' ').unwrap_or((&told, "00:00"));
        let date = self.date(date.trim_end_matches(','))?;
        let time = time.trim();
        let formats = ["%H:%M:%S%.f", "%H:%M", "%I:%M:%S %p", "%I:%M %p"];
        let time = formats
            .iter()
            .find_map(|format| chrono::NaiveTime::parse_from_str(time, format).ok())
            .ok_or_else(unreadable)?;
        Ok(date.and_time(time))
    }

    fn date(&self, told: &str) -> Result<NaiveDate, String> {
        let unreadable = || format!("a date that cannot be read: {}", excerpt(told));
        let parts: Vec<&str> = told.split(['-', '/', '.']).collect();
        let [first, second, third] = parts[..] else { return Err(unreadable()) };
        let number = |text: &str| {
            let digits =
                !text.is_empty() && text.len() <= 4 && text.bytes().all(|b| b.is_ascii_digit());
            digits.then(|| text.parse::<u32>().ok()).flatten().ok_or_else(unreadable)
        };
        let (year, month, day) = if first.len() == 4 {
            (number(first)?, number(second)?, number(third)?)
        } else if third.len() == 4 {
            let (a, b) = (number(first)?, number(second)?);
            let (day, month) = match self.day_first {
                Some(true) => (a, b),
                Some(false) => (b, a),
                None if a > 12 => (a, b),
                None if b > 12 => (b, a),
                // The same either way.
                None if a == b => (a, b),
                None => {
                    return Err(format!(
                        "{} can mean two days: say day_first true or false",
                        excerpt(told)
                    ));
                }
            };
            (number(third)?, month, day)
        } else {
            return Err(unreadable());
        };
        let year = i32::try_from(year).unwrap_or(LAST_YEAR);
        NaiveDate::from_ymd_opt(year, month, day).ok_or_else(unreadable)
    }
}

/// Seconds, milliseconds or microseconds since 1970, by their size; seconds may be broken.
fn of_epoch(told: &str) -> Option<Timestamp> {
    let (whole, fraction) = told.split_once('.').unwrap_or((told, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !(9..=16).contains(&whole.len()) || fraction.len() > 9 || !digits(whole) || !digits(fraction)
    {
        return None;
    }
    let number: i64 = whole.parse().ok()?;
    let micros = match whole.len() {
        9..=11 => {
            let fraction: String = fraction.chars().take(6).collect();
            number * 1_000_000 + format!("{fraction:0<6}").parse::<i64>().ok()?
        }
        12..=14 => number * 1_000,
        _ => number,
    };
    Some(Timestamp::from_micros(micros))
}

fn excerpt(told: &str) -> String {
    told.chars().filter(|character| !character.is_control()).take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(told: &str, zone: &str, day_first: Option<bool>) -> Result<String, String> {
        let times = Times::new(Some(zone), day_first).unwrap();
        times.read(told).map(|time| time.to_rfc3339())
    }

    #[test]
    fn times_are_read_in_every_usual_form() {
        let utc = |told: &str| read(told, "UTC", None).unwrap();
        assert_eq!(utc("2026-03-02T10:00:00+01:00"), "2026-03-02T09:00:00Z");
        assert_eq!(utc("2026-03-02 10:00"), "2026-03-02T10:00:00Z");
        assert_eq!(utc("1772445600"), "2026-03-02T10:00:00Z");
        assert_eq!(utc("1772445600000"), "2026-03-02T10:00:00Z");
        assert_eq!(utc("1772445600.000001"), utc("1772445600000001"));
        assert_eq!(utc("25/12/2026 08:30 PM"), "2026-12-25T20:30:00Z");
        assert_eq!(
            read("2026-07-02 10:00", "Europe/Berlin", None).unwrap(),
            "2026-07-02T08:00:00Z"
        );
    }

    #[test]
    fn a_date_that_can_mean_two_days_is_an_error_until_it_is_said_which() {
        assert!(read("03/04/2026 10:00", "UTC", None).unwrap_err().contains("day_first"));
        assert_eq!(read("03/04/2026 10:00", "UTC", Some(true)).unwrap(), "2026-04-03T10:00:00Z");
        assert_eq!(read("03/04/2026 10:00", "UTC", Some(false)).unwrap(), "2026-03-04T10:00:00Z");
    }

    #[test]
    fn what_is_no_time_is_an_error_and_never_now() {
        for told in ["", "soon", "2026-13-01 10:00", "2026-02-30", "12", "10:00", "99/99/2026"] {
            assert!(read(told, "UTC", None).is_err(), "{told}");
        }
        assert!(read("2026-03-29 02:30", "Europe/Berlin", None).is_err());
    }
}
