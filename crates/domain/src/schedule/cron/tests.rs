use chrono::{DateTime, Datelike as _, Timelike as _, Utc};
use proptest::prelude::*;

use super::*;

fn at(text: &str) -> Timestamp {
    let time: DateTime<Utc> = text.parse().unwrap();
    Timestamp::from_micros(time.timestamp_micros())
}

fn next(expression: &str, zone: &str, after: &str) -> String {
    let cron = Cron::parse(expression, zone, at(after)).unwrap();
    cron.next_after(at(after)).unwrap().to_rfc3339()
}

fn refused(expression: &str) -> CronError {
    Cron::parse(expression, "UTC", at("2026-01-01T00:00:00Z")).unwrap_err()
}

#[test]
fn common_schedules_fire_when_people_expect() {
    for (expression, expected) in [
        ("0 */4 * * *", "2026-03-03T12:00:00Z"),
        ("*/15 * * * *", "2026-03-03T10:45:00Z"),
        ("0 9 * * 1", "2026-03-09T09:00:00Z"),
        ("0 9 * * mon-fri", "2026-03-04T09:00:00Z"),
        ("0 0 * * 7", "2026-03-08T00:00:00Z"),
        ("30 10 3 3 *", "2027-03-03T10:30:00Z"),
        ("0 0 29 2 *", "2028-02-29T00:00:00Z"),
        ("@daily", "2026-03-04T00:00:00Z"),
    ] {
        assert_eq!(next(expression, "UTC", "2026-03-03T10:30:00Z"), expected, "{expression}");
    }
}

#[test]
fn day_of_month_and_day_of_week_are_alternatives() {
    // The 13th, or any Friday.
    assert_eq!(next("0 0 13 * 5", "UTC", "2026-03-01T00:00:00Z"), "2026-03-06T00:00:00Z");
    assert_eq!(next("0 0 13 * 5", "UTC", "2026-04-10T12:00:00Z"), "2026-04-13T00:00:00Z");
}

#[test]
fn a_time_that_the_clocks_skip_fires_once_as_soon_as_there_is_one() {
    // Berlin, 29 March 2026: 02:00 becomes 03:00 (01:00 UTC).
    assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z"), "2026-03-29T01:00:00Z");
    assert_eq!(next("30 2 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"), "2026-03-30T00:30:00Z");
}

#[test]
fn a_time_that_comes_twice_fires_once() {
    // New York, 1 November 2026: 01:30 comes at 05:30 UTC and at 06:30 UTC.
    assert_eq!(
        next("30 1 * * *", "America/New_York", "2026-10-31T12:00:00Z"),
        "2026-11-01T05:30:00Z"
    );
    assert_eq!(
        next("30 1 * * *", "America/New_York", "2026-11-01T05:30:00Z"),
        "2026-11-02T06:30:00Z"
    );
}

#[test]
fn every_hour_is_every_hour_across_the_change() {
    let mut time = at("2026-10-31T22:00:00Z");
    let cron = Cron::parse("0 * * * *", "America/New_York", time).unwrap();
    for _ in 0..12 {
        let next = cron.next_after(time).unwrap();
        assert_eq!(next.micros() - time.micros(), 3_600_000_000);
        time = next;
    }
}

#[test]
fn what_is_no_posix_expression_is_refused_with_the_reason() {
    assert_eq!(refused("* * * *"), CronError::Fields);
    assert_eq!(refused("0 0 0 * * *"), CronError::Fields);
    assert_eq!(refused(""), CronError::Fields);
    assert_eq!(refused("@reboot"), CronError::Fields);
    assert_eq!(refused(&"1,".repeat(200)), CronError::TooLong);
    for bad in [
        "60 * * * *",
        "* 24 * * *",
        "* * 0 * *",
        "* * 32 * *",
        "* * * 13 *",
        "* * * * 8",
        "5-1 * * * *",
        "a * * * *",
        "1, * * * *",
        "-1 * * * *",
        "* * L * *",
        "* * * * 5#2",
        "? * * * *",
        "5/10 * * * *",
        "* * * * mon-mon-mon",
    ] {
        assert!(matches!(refused(bad), CronError::Field { .. }), "{bad}: {:?}", refused(bad));
    }
    for bad in ["*/0 * * * *", "*/60 * * * *", "* */24 * * *", "*/x * * * *", "1-5/ * * * *"] {
        assert!(matches!(refused(bad), CronError::Step { .. }), "{bad}: {:?}", refused(bad));
    }
    assert_eq!(refused("0 0 30 2 *"), CronError::Never);
    assert_eq!(refused("0 0 */2 * 1"), CronError::AmbiguousDays);
    let zone = Cron::parse("* * * * *", "Mars/Olympus", at("2026-01-01T00:00:00Z")).unwrap_err();
    assert_eq!(zone, CronError::TimeZone);
}

#[test]
fn starts_are_spread_and_each_channel_keeps_its_place() {
    let offsets: Vec<_> = (0..200).map(|n| offset(&ChannelId::from(format!("C{n}")))).collect();
    assert!(offsets.iter().all(|offset| *offset < SPREAD));
    assert!(offsets.iter().filter(|offset| **offset < SPREAD / 2).count() > 60);
    assert_eq!(offset(&"C1".into()), offset(&"C1".into()));
}

/// A field as text, and the numbers it stands for.
fn field(least: u32, most: u32) -> impl Strategy<Value = (String, Vec<u32>)> {
    let all = move || (least..=most).collect::<Vec<_>>();
    prop_oneof![
        3 => Just(("*".to_owned(), all())),
        2 => (least..=most).prop_map(|n| (n.to_string(), vec![n])),
        1 => (1..(most - least)).prop_map(move |step| {
            let hit = (least..=most).step_by(step as usize).collect();
            (format!("*/{step}"), hit)
        }),
        1 => (least..=most, least..=most).prop_map(|(a, b)| {
            let (from, to) = (a.min(b), a.max(b));
            (format!("{from}-{to}"), (from..=to).collect())
        }),
        1 => (least..=most, least..=most).prop_map(|(a, b)| (format!("{a},{b}"), vec![a, b])),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn in_utc_the_next_time_is_the_first_minute_that_matches(
        minute in field(0, 59),
        hour in field(0, 23),
        month in field(1, 12),
        start in 1_700_000_000_i64..1_900_000_000,
    ) {
        let expression = format!("{} {} * {} *", minute.0, hour.0, month.0);
        let after = Timestamp::from_micros(start * 1_000_000);
        let cron = Cron::parse(&expression, "UTC", after).unwrap();
        let found = cron.next_after(after).unwrap();
        let matches = |time: DateTime<Utc>| {
            minute.1.contains(&time.minute()) && hour.1.contains(&time.hour()) && month.1.contains(&time.month())
        };
        let mut time = (after.to_utc() + chrono::TimeDelta::minutes(1)).with_second(0).unwrap().with_nanosecond(0).unwrap();
        while !matches(time) {
            let step = if month.1.contains(&time.month()) { 1 } else { 60 - i64::from(time.minute()) };
            time += chrono::TimeDelta::minutes(step);
        }
        prop_assert_eq!(found.to_utc(), time);
    }

    #[test]
    fn the_next_time_is_always_later(
        minute in field(0, 59),
        hour in field(0, 23),
        zone in prop_oneof![Just("Europe/Berlin"), Just("America/New_York"), Just("Australia/Lord_Howe")],
        start in 1_700_000_000_i64..1_900_000_000,
    ) {
        let expression = format!("{} {} * * *", minute.0, hour.0);
        let mut time = Timestamp::from_micros(start * 1_000_000);
        let cron = Cron::parse(&expression, zone, time).unwrap();
        for _ in 0..20 {
            let next = cron.next_after(time).unwrap();
            prop_assert!(next > time);
            time = next;
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        let _ = Cron::parse(&text, "UTC", Timestamp::from_micros(0));
    }
}
