//! Slack's times: keys in the shape of seconds and microseconds, never numbers with a fraction.

use domain::Timestamp;

use crate::slack::message;

/// A time as Slack writes it.
pub(super) fn written(micros: i64) -> String {
    let micros = micros.max(0);
    format!("{}.{:06}", micros / 1_000_000, micros % 1_000_000)
}

/// Microseconds; `None` for what is no such time.
pub(super) fn micros(ts: &str) -> Option<i64> {
    message::time(Some(ts)).ok().map(Timestamp::micros)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_ts_keeps_its_microseconds_both_ways() {
        for ts in ["1712345678.123456", "1712345678.000001", "1355517523.999999"] {
            assert_eq!(written(micros(ts).unwrap()), ts);
        }
        assert_eq!(micros("0000000000.000000"), Some(0));
        assert_eq!(micros("1e9.0"), None);
    }
}
