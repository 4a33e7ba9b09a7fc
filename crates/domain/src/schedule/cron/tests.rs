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
fn several_times_of_a_day_keep_the_rule_of_one() {
    // Berlin, 29 March 2026: the skipped 02:00 fires at 03:00, and 03:00 itself not once more.
    let spring = "2026-03-28T23:30:00Z";
    assert_eq!(next("0 2,14 * * *", "Europe/Berlin", spring), "2026-03-29T01:00:00Z");
    assert_eq!(next("0 2-3 * * *", "Europe/Berlin", spring), "2026-03-29T01:00:00Z");
    assert_eq!(
        next("0 2-3 * * *", "Europe/Berlin", "2026-03-29T01:00:00Z"),
        "2026-03-30T00:00:00Z"
    );
    // New York, 1 November 2026: 01:00 comes at 05:00 UTC and at 06:00 UTC.
    let autumn = "2026-11-01T05:00:00Z";
    assert_eq!(next("0 1,3 * * *", "America/New_York", autumn), "2026-11-01T08:00:00Z");
    assert_eq!(
        next("0,30 1 * * *", "America/New_York", "2026-11-01T05:45:00Z"),
        "2026-11-02T06:00:00Z"
    );
    // Lord Howe, 5 April 2026: 01:30 to 02:00 comes twice, from 14:30 UTC and from 15:00 UTC.
    assert_eq!(
        next("45 1-2 * * *", "Australia/Lord_Howe", "2026-04-04T14:45:00Z"),
        "2026-04-04T16:15:00Z"
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

/// The hours in which clocks are changed.
fn hours_of_the_night() -> impl Strategy<Value = (String, Vec<u32>)> {
    (0..4_u32, 0..3_u32).prop_map(|(from, more)| {
        (format!("{from}-{}", from + more), (from..=from + more).collect())
    })
}

/// Changes of the clocks: an hour, half an hour, north and south, and at midnight.
const CHANGES: &[(&str, &str)] = &[
    ("Europe/Berlin", "2026-03-29T01:00:00Z"),
    ("Europe/Berlin", "2026-10-25T01:00:00Z"),
    ("America/New_York", "2026-03-08T07:00:00Z"),
    ("America/New_York", "2026-11-01T06:00:00Z"),
    ("Australia/Lord_Howe", "2026-04-04T15:00:00Z"),
    ("Australia/Lord_Howe", "2026-10-03T15:30:00Z"),
    ("Africa/Cairo", "2026-04-23T22:00:00Z"),
    ("Africa/Cairo", "2026-10-29T21:00:00Z"),
];

/// The slow way: reads the clock on the wall every minute, for two days from `start` on, and remembers
/// which times it has shown and which it has left out.
fn watch_the_wall(
    zone: &str,
    start: i64,
    matches: impl Fn(chrono::NaiveDateTime) -> bool,
    by_real_time: bool,
) -> Vec<DateTime<Utc>> {
    let zone: Tz = zone.parse().unwrap();
    let minute = chrono::TimeDelta::minutes(1);
    let start = DateTime::from_timestamp(start, 0).unwrap();
    let mut time = (start - chrono::TimeDelta::hours(4)).with_second(0).unwrap();
    let mut latest = time.with_timezone(&zone).naive_local();
    let mut fired = Vec::new();
    while time < start + chrono::TimeDelta::days(2) {
        time += minute;
        let wall = time.with_timezone(&zone).naive_local();
        let mut due = matches(wall);
        if !by_real_time {
            due &= wall > latest;
            let mut left_out = latest + minute;
            while left_out < wall {
                due |= matches(left_out);
                left_out += minute;
            }
        }
        latest = latest.max(wall);
        if due && time > start {
            fired.push(time);
        }
    }
    fired
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
    fn around_a_change_of_the_clocks_it_fires_like_a_watcher_of_the_wall(
        minute in field(0, 59),
        hour in prop_oneof![field(0, 23), hours_of_the_night()],
        (zone, change) in proptest::sample::select(CHANGES),
        before in 0_i64..30 * 3600,
    ) {
        let expression = format!("{} {} * * *", minute.0, hour.0);
        let start = at(change).micros() / 1_000_000 - before;
        let by_real_time = [&minute.0, &hour.0].iter().any(|field| field.starts_with('*'));
        let matches = |wall: chrono::NaiveDateTime| {
            minute.1.contains(&wall.minute()) && hour.1.contains(&wall.hour())
        };
        let expected = watch_the_wall(zone, start, matches, by_real_time);
        let cron = Cron::parse(&expression, zone, Timestamp::from_micros(start * 1_000_000)).unwrap();
        let mut time = Timestamp::from_micros(start * 1_000_000);
        for wanted in expected {
            time = cron.next_after(time).unwrap();
            prop_assert_eq!(time.to_utc(), wanted, "{} in {} from {}", expression, zone, start);
        }
    }

    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,40}") {
        let _ = Cron::parse(&text, "UTC", Timestamp::from_micros(0));
    }
}
