//! Discord's ids: numbers that begin with a time.

use domain::Timestamp;

/// The first millisecond of Discord's time.
const EPOCH: u64 = 1_420_070_400_000;

/// Reads an id; `None` for what is none, so that nothing else gets into a path.
pub(super) fn read(id: &str) -> Option<u64> {
    let is_number = (1..=20).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { id.parse().ok() } else { None }
}

/// The millisecond in which an id was given.
pub(super) const fn millis(id: u64) -> i64 {
    // 42 bits and a constant: fits.
    ((id >> 22) + EPOCH).cast_signed()
}

pub(super) const fn time(id: u64) -> Timestamp {
    Timestamp::from_micros(millis(id) * 1_000)
}

/// The first id of a millisecond.
pub(super) fn first_of(millis: i64) -> u64 {
    u64::try_from(millis).unwrap_or_default().saturating_sub(EPOCH) << 22
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_tells_its_time_and_ids_compare_as_numbers() {
        let id = read("175928847299117063").unwrap();
        assert_eq!(time(id).to_rfc3339(), "2016-04-30T11:18:25.796Z");
        assert!(first_of(millis(id)) <= id && first_of(millis(id) + 1) > id);
        assert!(read("99999999999999999") < read("100000000000000000"), "not as texts");
    }

    #[test]
    fn what_is_no_number_is_no_id() {
        for id in ["", "1/2", "-1", "１", "999999999999999999999", "@me"] {
            assert_eq!(read(id), None, "{id}");
        }
    }
}
