//! Five-field POSIX cron expressions in a time zone.
//!
//! The search for the next time is croner's; here is what POSIX allows and croner would let pass, and
//! what implementations disagree about, which is refused.

use std::{str::FromStr as _, time::Duration};

use chrono::{DateTime, NaiveDateTime, TimeDelta, TimeZone as _, Utc};
use chrono_tz::Tz;
use croner::{
    Cron as Pattern,
    parser::{CronParser, Seconds, Year},
};

use crate::{ChannelId, Timestamp};

/// Longest expression, in bytes.
const LONGEST: usize = 256;

/// Starts are spread over this long, so that a thousand channels on `0 * * * *` do not begin at once.
const SPREAD: Duration = Duration::from_secs(45);

/// Why an expression is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CronError {
    /// Not five fields.
    #[error("a schedule has five fields: minute, hour, day of month, month, day of week")]
    Fields,
    /// Too long to be meant.
    #[error("a schedule has at most {LONGEST} characters")]
    TooLong,
    /// A field holds what it must not.
    #[error("the {field} field cannot be understood: {text}")]
    Field {
        /// Its name.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A step that never comes round.
    #[error("the step in the {field} field is out of range: {text}")]
    Step {
        /// Its name.
        field: &'static str,
        /// What stands there.
        text: String,
    },
    /// A stepped day field beside another day field.
    #[error(
        "a step in one day field beside a restriction in the other means different things to different \
         programs: list the days instead"
    )]
    AmbiguousDays,
    /// No time ever matches.
    #[error("this schedule never fires")]
    Never,
    /// Not an IANA name.
    #[error("unknown time zone: give an IANA name such as Europe/Berlin")]
    TimeZone,
}

/// A schedule's expression, understood.
#[derive(Debug, Clone)]
pub struct Cron {
    pattern: Pattern,
    zone: Tz,
    /// Whether it names times of the day: neither minute nor hour begins with `*`.
    fixed: bool,
}

/// A field: its name and the numbers it may hold.
const FIELDS: [(&str, u32, u32); 5] = [
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of month", 1, 31),
    ("month", 1, 12),
    ("day of week", 0, 7),
];

impl Cron {
    /// Understands an expression in a zone (an IANA name), and makes sure that it fires after `now`.
    pub fn parse(expression: &str, zone: &str, now: Timestamp) -> Result<Self, CronError> {
        if expression.len() > LONGEST {
            return Err(CronError::TooLong);
        }
        let zone = Tz::from_str(zone).map_err(|_| CronError::TimeZone)?;
        let plain = nickname(expression.trim()).unwrap_or(expression.trim());
        let fields: Vec<&str> = plain.split_ascii_whitespace().collect();
        if fields.len() != FIELDS.len() {
            return Err(CronError::Fields);
        }
        for (text, (field, least, most)) in fields.iter().zip(FIELDS) {
            check_field(field, text, least, most)?;
        }
        check_days(fields[2], fields[4])?;
        let parser =
            CronParser::builder().seconds(Seconds::Disallowed).year(Year::Disallowed).build();
        let pattern = parser.parse(&fields.join(" ")).map_err(|_| CronError::Never)?;
        let fixed = !fields[..2].iter().any(|field| field.starts_with('*'));
        let cron = Self { pattern, zone, fixed };
        cron.next_after(now).ok_or(CronError::Never)?;
        Ok(cron)
    }

    /// The first time after this one. Across a change of the clocks, times of the day (`30 2,14 * * *`)
    /// that are skipped fire as soon as there is a time again, and those that come twice fire once;
    /// what is meant as an interval (`*/30 * * * *`, `0 * * * *`) goes on by real time.
    #[must_use]
    pub fn next_after(&self, after: Timestamp) -> Option<Timestamp> {
        let after = after.to_utc();
        let local = after.with_timezone(&self.zone);
        let next = if self.fixed {
            self.next_fixed(after, local.naive_local())?
        } else {
            self.pattern.find_next_occurrence(&local, false).ok()?.to_utc()
        };
        Some(next.into())
    }

    /// Searches the days on the wall and then asks when that time is: croner takes lists and ranges of
    /// hours for intervals, which skips some of them in spring and repeats some in autumn.
    fn next_fixed(&self, after: DateTime<Utc>, mut wall: NaiveDateTime) -> Option<DateTime<Utc>> {
        loop {
            wall = self.pattern.find_next_occurrence(&wall.and_utc(), false).ok()?.naive_utc();
            // The second pass through an hour that comes twice finds times of the first one.
            if let Some(next) = first_moment(self.zone, wall).filter(|next| *next > after) {
                return Some(next);
            }
        }
    }
}

/// When the clocks on the wall first show a minute, or the first one after a gap that it falls into.
fn first_moment(zone: Tz, wall: NaiveDateTime) -> Option<DateTime<Utc>> {
    /// Zones have skipped a whole day, never more.
    const LONGEST_GAP: i64 = 24 * 60;
    (0..=LONGEST_GAP).find_map(|later| {
        let shown = wall.checked_add_signed(TimeDelta::minutes(later))?;
        zone.from_local_datetime(&shown).earliest().map(|time| time.to_utc())
    })
}

/// How long after its time a channel's schedule starts: the same for a channel, another for others.
#[must_use]
pub fn offset(channel: &ChannelId) -> Duration {
    let digest = channel.as_str().bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    let millis = u64::try_from(SPREAD.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis((digest ^ (digest >> 32)) % millis)
}

fn nickname(expression: &str) -> Option<&'static str> {
    match expression {
        "@hourly" => Some("0 * * * *"),
        "@daily" | "@midnight" => Some("0 0 * * *"),
        "@weekly" => Some("0 0 * * 0"),
        "@monthly" => Some("0 0 1 * *"),
        "@yearly" | "@annually" => Some("0 0 1 1 *"),
        _ => None,
    }
}

/// A list of `*`, numbers, names and ranges, each with an optional step.
fn check_field(field: &'static str, text: &str, least: u32, most: u32) -> Result<(), CronError> {
    let refused = || CronError::Field { field, text: text.to_owned() };
    for part in text.split(',') {
        let (range, step) = match part.split_once('/') {
            Some((range, step)) => (range, Some(step)),
            None => (part, None),
        };
        let bounds: Vec<&str> = range.split('-').collect();
        let numbers: Option<Vec<u32>> =
            bounds.iter().map(|bound| value(field, bound, least, most)).collect();
        match (range, numbers.as_deref()) {
            ("*", _) => {}
            (_, Some([_])) if step.is_none() => {}
            (_, Some([from, to])) if from <= to => {}
            _ => return Err(refused()),
        }
        if let Some(step) = step {
            let width = most - least;
            let good = step.parse().is_ok_and(|step: u32| (1..=width).contains(&step));
            if !good || step.len() > 2 {
                return Err(CronError::Step { field, text: text.to_owned() });
            }
        }
    }
    Ok(())
}

fn value(field: &str, text: &str, least: u32, most: u32) -> Option<u32> {
    const MONTHS: [&str; 12] =
        ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
    const DAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
    let lower = text.to_ascii_lowercase();
    let named = |names: &[&str], first: u32| {
        let at = names.iter().position(|name| *name == lower)?;
        Some(u32::try_from(at).ok()? + first)
    };
    let by_name = match field {
        "month" => named(&MONTHS, 1),
        "day of week" => named(&DAYS, 0),
        _ => None,
    };
    let digits = || text.len() <= 2 && !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    by_name.or_else(|| digits().then(|| text.parse().ok())?).filter(|n| (least..=most).contains(n))
}

/// `*/2` in a day field restricts for some programs and not for others.
fn check_days(of_month: &str, of_week: &str) -> Result<(), CronError> {
    let stepped = |field: &str| field.starts_with("*/");
    let ambiguous = stepped(of_month) && of_week != "*" || stepped(of_week) && of_month != "*";
    if ambiguous { Err(CronError::AmbiguousDays) } else { Ok(()) }
}

#[cfg(test)]
mod tests;
