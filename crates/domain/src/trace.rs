//! The trace that a piece of work belongs to.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

/// A place in a trace, in the form of W3C's `traceparent` header: what follows from there belongs to the
/// same trace. Carries no content.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceContext(String);

/// A text that is no `traceparent`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a traceparent")]
pub struct InvalidTraceContext;

/// `00-<trace>-<span>-<flags>` in lower-case hexadecimal.
const LENGTH: usize = 55;

impl TraceContext {
    /// The place that a span has.
    #[must_use]
    pub fn new(trace: u128, span: u64, flags: u8) -> Option<Self> {
        (trace != 0 && span != 0).then(|| Self(format!("00-{trace:032x}-{span:016x}-{flags:02x}")))
    }

    /// The text of the header.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Trace, span and flags.
    #[must_use]
    pub fn parts(&self) -> (u128, u64, u8) {
        // It was checked when it was made.
        parts(&self.0).unwrap_or((0, 0, 0))
    }
}

fn parts(text: &str) -> Option<(u128, u64, u8)> {
    let mut parts = text.get(3..LENGTH)?.split('-');
    let trace = u128::from_str_radix(parts.next()?, 16).ok()?;
    let span = u64::from_str_radix(parts.next()?, 16).ok()?;
    let flags = u8::from_str_radix(parts.next()?, 16).ok()?;
    Some((trace, span, flags))
}

impl FromStr for TraceContext {
    type Err = InvalidTraceContext;

    /// A later version of the header is read as far as this one is known.
    fn from_str(text: &str) -> Result<Self, InvalidTraceContext> {
        let bytes = text.as_bytes();
        let dashes = [2, 35, 52].iter().all(|place| bytes.get(*place) == Some(&b'-'));
        let hex = |byte: &u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte);
        let is_hex = bytes.len() >= LENGTH
            && bytes[..LENGTH].iter().filter(|byte| **byte != b'-').all(hex)
            && bytes[..LENGTH].iter().filter(|byte| **byte == b'-').count() == 3;
        let known = match bytes.get(..2) {
            Some(b"00") => bytes.len() == LENGTH,
            Some(b"ff") | None => false,
            Some(_) => bytes.get(LENGTH).is_none_or(|next| *next == b'-'),
        };
        if !(dashes && is_hex && known) {
            return Err(InvalidTraceContext);
        }
        let (trace, span, flags) = parts(text).ok_or(InvalidTraceContext)?;
        Self::new(trace, span, flags).ok_or(InvalidTraceContext)
    }
}

impl TryFrom<String> for TraceContext {
    type Error = InvalidTraceContext;

    fn try_from(text: String) -> Result<Self, InvalidTraceContext> {
        text.parse()
    }
}

impl From<TraceContext> for String {
    fn from(context: TraceContext) -> Self {
        context.0
    }
}

impl fmt::Display for TraceContext {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_traceparent_is_read_and_written_the_same() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let context: TraceContext = text.parse().unwrap();
        assert_eq!(context.to_string(), text);
        let (trace, span, flags) = context.parts();
        assert_eq!(TraceContext::new(trace, span, flags), Some(context));
        let later = "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more";
        assert_eq!(later.parse::<TraceContext>().unwrap().as_str(), text);
    }

    #[test]
    fn what_is_no_traceparent_is_refused() {
        for text in [
            "",
            "00",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e47360-0f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-é",
        ] {
            assert!(text.parse::<TraceContext>().is_err(), "{text}");
        }
    }
}
