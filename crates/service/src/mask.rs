//! The last guard of the log: whatever looks like a token is not written, whoever logs it.

use std::io::{self, Write};

/// What the tokens of platforms begin with: Slack's, Matrix's, and JSON web tokens.
const PREFIXES: [&str; 13] = [
    "xoxa-", "xoxb-", "xoxc-", "xoxd-", "xoxe-", "xoxe.", "xoxp-", "xoxr-", "xoxs-", "xapp-",
    "syt_", "mat_", "eyJ",
];

/// What our own keys begin with; hexadecimal digits follow, as they do in no other name of ours.
const OWN_PREFIX: &str = "atlas_";

/// What stands before any other.
const SCHEMES: [&str; 6] =
    ["Bearer ", "Bot ", "Basic ", "access_token=", "client_secret=", "token="];

/// What follows a prefix is a token from this length on.
const SHORTEST: usize = 16;

/// Writes all but tokens. A line has to come in one piece, as the log's lines do.
pub(crate) struct Masked<W>(pub(crate) W);

impl<W: Write> Write for Masked<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match std::str::from_utf8(bytes).ok().and_then(masked) {
            Some(masked) => self.0.write_all(masked.as_bytes())?,
            None => self.0.write_all(bytes)?,
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

/// The text without its tokens; `None` when it has none.
fn masked(text: &str) -> Option<String> {
    let mut kept = String::new();
    let mut from = 0;
    let mut at = 0;
    while let Some(rest) = text.get(at..) {
        if let Some(length) = token(text, at, rest) {
            kept.push_str(&text[from..at]);
            kept.push('…');
            at += length;
            from = at;
        } else {
            match rest.chars().next() {
                Some(next) => at += next.len_utf8(),
                None => break,
            }
        }
    }
    if from == 0 {
        return None;
    }
    kept.push_str(&text[from..]);
    Some(kept)
}

/// How long the token is that stands here.
fn token(text: &str, at: usize, rest: &str) -> Option<usize> {
    let before = &text[..at];
    let begins = (PREFIXES.iter().any(|prefix| rest.starts_with(prefix)) || is_own(rest))
        && !before.chars().next_back().is_some_and(|last| last.is_alphanumeric());
    let named = SCHEMES.iter().any(|scheme| before.ends_with(scheme));
    if !begins && !named {
        return None;
    }
    let of_token = |c: char| c.is_ascii_alphanumeric() || "-._~+/=|:".contains(c);
    let length = rest.find(|c| !of_token(c)).unwrap_or(rest.len());
    (length >= SHORTEST).then_some(length)
}

fn is_own(rest: &str) -> bool {
    let digits = |key: &str| key.bytes().take_while(u8::is_ascii_hexdigit).count();
    rest.strip_prefix(OWN_PREFIX).is_some_and(|key| digits(key) >= SHORTEST)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> String {
        let mut bytes = Vec::new();
        Masked(&mut bytes).write_all(text.as_bytes()).unwrap();
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_looks_like_a_token_is_not_written() {
        for (text, masked) in [
            ("xoxb-123456789012-abcdefghijkl", "…"),
            ("said «xoxe.xoxp-1-Mi0yLTEyMzQ1Njc4OTA» twice", "said «…» twice"),
            ("Authorization: Bearer abcdefghijklmnop1234, next", "Authorization: Bearer …, next"),
            ("Bot MTk4NjIyNDgzNDcxOTI1MjQ4.Cl2FMQ.ZnCjm1XVW7vRze4b7Cq4se7kKWs", "Bot …"),
            ("GET /x?access_token=syt_abcdefghijklmnop&y=1", "GET /x?access_token=…&y=1"),
            ("key=atlas_0123456789abcdef0123456789abcdef", "key=…"),
            ("é eyJhbGciOiJIUzI1NiJ9.eyJzdWIi.c2ln é", "é … é"),
            ("one xoxp-1111111111111 two xoxp-2222222222222", "one … two …"),
        ] {
            assert_eq!(written(text), masked);
        }
    }

    #[test]
    fn everything_else_is() {
        for text in [
            "",
            "Bearer of news",
            "Bot deployed the service",
            "the token=short",
            "atlas_sync::store: opened",
            "atlas_tasks_total{stage}",
            "migration 0001 äöü 🎉",
            "flexoxb-not-a-prefix-of-anything",
        ] {
            assert_eq!(written(text), text);
        }
        let mut bytes = Vec::new();
        Masked(&mut bytes).write_all(&[0xff, 0xfe]).unwrap();
        assert_eq!(bytes, [0xff, 0xfe]);
    }
}
