//! Days by which something is to be done, as people name them.
//!
//! A day is counted from the day of the message itself, in UTC: nothing else is known for sure.

use chrono::{Datelike as _, Days, NaiveDate, Weekday};
use domain::Timestamp;

use super::text::Sentence;

const WEEKDAYS: [(&str, Weekday); 7] = [
    ("monday", Weekday::Mon),
    ("tuesday", Weekday::Tue),
    ("wednesday", Weekday::Wed),
    ("thursday", Weekday::Thu),
    ("friday", Weekday::Fri),
    ("saturday", Weekday::Sat),
    ("sunday", Weekday::Sun),
];

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

/// The day a sentence names as its due date, from word `from` on.
pub(super) fn due(sentence: &Sentence, from: usize, said_at: Timestamp) -> Option<NaiveDate> {
    let today = said_at.to_utc().date_naive();
    let words: Vec<&str> = sentence.words.iter().map(|word| word.lower.as_str()).collect();
    // A day of a month is more exact than the weekday that often stands before it.
    let places = from..words.len();
    places
        .clone()
        .find_map(|n| day_of_month(&words, n, today))
        .or_else(|| places.clone().find_map(|n| ordinal(&words, n, today)))
        .or_else(|| places.clone().find_map(|n| weekday(&words, n, today)))
        .or_else(|| places.clone().find_map(|n| near(&words, n, today)))
}

/// `7 april`, `april 7th`.
fn day_of_month(words: &[&str], n: usize, today: NaiveDate) -> Option<NaiveDate> {
    let month = |word: &str| {
        let full = MONTHS.iter().position(|month| *month == word);
        full.or_else(|| MONTHS.iter().position(|month| word.len() == 3 && month.starts_with(word)))
    };
    let month_index = month(words[n])?;
    let before = n.checked_sub(1).and_then(|n| number(words[n]));
    // "may" and "march" are words as well: only a number beside them makes them a month.
    let day = before.or_else(|| words.get(n + 1).and_then(|word| number(word)))?;
    let month = u32::try_from(month_index).ok()? + 1;
    let this_year = NaiveDate::from_ymd_opt(today.year(), month, day)?;
    if (today - this_year).num_days() > 180 {
        return NaiveDate::from_ymd_opt(today.year() + 1, month, day);
    }
    (this_year >= today).then_some(this_year)
}

/// `on the 6th`: of this month, or the next.
fn ordinal(words: &[&str], n: usize, today: NaiveDate) -> Option<NaiveDate> {
    if words[n] != "the" || !["on", "by", "until", "before"].contains(words.get(n.checked_sub(1)?)?)
    {
        return None;
    }
    let word = words.get(n + 1)?;
    word.ends_with(["h", "t", "d"].map(|end| end.as_bytes()[0] as char)).then_some(())?;
    let day = number(word)?;
    let this = today.with_day(day).filter(|date| *date >= today);
    this.or_else(|| today.checked_add_months(chrono::Months::new(1))?.with_day(day))
}

fn number(word: &str) -> Option<u32> {
    let digits = word.trim_end_matches(|character: char| character.is_ascii_alphabetic());
    let suffix = &word[digits.len()..];
    if !["", "st", "nd", "rd", "th"].contains(&suffix) {
        return None;
    }
    digits.parse().ok().filter(|day| (1..=31).contains(day))
}

/// `by friday`; what is to be done before a Monday is done on the Friday.
fn weekday(words: &[&str], n: usize, today: NaiveDate) -> Option<NaiveDate> {
    let (_, wanted) = WEEKDAYS.iter().find(|(name, _)| *name == words[n])?;
    let before = n.checked_sub(1).map(|n| words[n]).unwrap_or_default();
    let far = if before == "next" { 7 } else { 0 };
    let ahead = (7 + wanted.num_days_from_monday() - today.weekday().num_days_from_monday()) % 7;
    let ahead = match (ahead, before) {
        (0, "this") => 0,
        (0, _) => 7,
        (ahead, _) => ahead,
    };
    let day = today.checked_add_days(Days::new(u64::from(ahead) + far))?;
    match before {
        "by" | "on" | "until" | "till" | "this" | "next" | "for" => Some(day),
        "before" => last_working_day_before(day),
        _ => None,
    }
}

fn last_working_day_before(day: NaiveDate) -> Option<NaiveDate> {
    let back = match day.weekday() {
        Weekday::Mon => 3,
        Weekday::Sun => 2,
        _ => 1,
    };
    day.checked_sub_days(Days::new(back))
}

/// `today`, `tomorrow`, `next week` (its Friday), `end of day`.
fn near(words: &[&str], n: usize, today: NaiveDate) -> Option<NaiveDate> {
    match (words[n], words.get(n + 1).copied()) {
        ("today" | "tonight" | "eod", _) => Some(today),
        ("tomorrow", _) => today.checked_add_days(Days::new(1)),
        (which @ ("next" | "this"), Some("week")) => {
            let to_friday = i64::from(Weekday::Fri.num_days_from_monday())
                - i64::from(today.weekday().num_days_from_monday());
            let days = to_friday + if which == "next" { 7 } else { 0 };
            u64::try_from(days).ok().and_then(|days| today.checked_add_days(Days::new(days)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{super::text::sentences, *};

    /// Said on Tuesday, 3 March 2026.
    fn due_in(text: &str) -> Option<String> {
        let said_at = Timestamp::from_micros(1_772_532_501 * 1_000_000);
        due(&sentences(text)[0], 0, said_at).map(|day| day.to_string())
    }

    #[test]
    fn days_are_counted_from_the_message() {
        for (text, day) in [
            ("by Friday", "2026-03-06"),
            ("by Tuesday", "2026-03-10"),
            ("on next Thursday", "2026-03-12"),
            ("by tomorrow 10:00", "2026-03-04"),
            ("please do it today", "2026-03-03"),
            ("by 7 April", "2026-04-07"),
            ("by Wednesday 1 April", "2026-04-01"),
            ("until April 17th", "2026-04-17"),
            ("on the 6th", "2026-03-06"),
            ("by the 2nd", "2026-04-02"),
            ("sometime next week", "2026-03-13"),
            ("before Monday", "2026-03-06"),
        ] {
            assert_eq!(due_in(text).as_deref(), Some(day), "{text}");
        }
    }

    #[test]
    fn what_names_no_day_to_come_is_none() {
        for text in [
            "we may march on",
            "since 2 March",
            "last Friday was fun",
            "on the road",
            "by 99 April",
        ] {
            assert_eq!(due_in(text), None, "{text}");
        }
    }
}
