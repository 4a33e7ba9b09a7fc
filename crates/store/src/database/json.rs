//! Lists and rows as JSON: what a column holds, and how many rows travel in one parameter.

use serde::{Serialize, de::DeserializeOwned};

use crate::{Result, StoreError};

/// Rows or a list for `json_each`, or the content of a JSON column.
pub(super) fn encode<T: Serialize + ?Sized>(value: &T) -> Result<String> {
    let text = serde_json::to_string(value);
    text.map(without_nul).map_err(|error| StoreError::Statement(Box::new(error)))
}

/// PostgreSQL's text has no NUL: what is written for it becomes what stands for what cannot be shown. A
/// backslash that somebody typed is written as two, and what follows it is no escape.
fn without_nul(text: String) -> String {
    if !text.contains("\\u0000") {
        return text;
    }
    let mut clean = String::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some(at) = rest.find('\\') {
        let (before, escape) = rest.split_at(at);
        clean.push_str(before);
        if let Some(after) = escape.strip_prefix("\\u0000") {
            clean.push('\u{fffd}');
            rest = after;
        } else {
            // An escape is a backslash and one ASCII character, or begins with these.
            let (escape, after) = escape.split_at(2);
            clean.push_str(escape);
            rest = after;
        }
    }
    clean.push_str(rest);
    clean
}

/// The content of a JSON column.
pub(super) fn decode<T: DeserializeOwned>(text: &str, what: &'static str) -> Result<T> {
    serde_json::from_str(text).map_err(|_| StoreError::Unreadable { what })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nul_is_replaced_and_a_typed_escape_is_not() {
        assert_eq!(encode("a\0b").unwrap(), "\"a\u{fffd}b\"");
        assert_eq!(encode("a\\u0000b\0").unwrap(), "\"a\\\\u0000b\u{fffd}\"");
        assert_eq!(encode("\\\0é").unwrap(), "\"\\\\\u{fffd}é\"");
    }
}
