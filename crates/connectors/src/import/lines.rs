//! A file of lines, each bounded.

use std::io::{self, BufRead};

/// Longest line, in bytes.
pub(super) const MAX_LINE: usize = 16 << 20;

/// Reads the next line into `line`, without its end; `false` after the last. A longer line is an error.
pub(super) fn next(source: &mut dyn BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    loop {
        let available = source.fill_buf()?;
        if available.is_empty() {
            return Ok(!line.is_empty());
        }
        let (part, found) = match available.iter().position(|byte| *byte == b'\n') {
            Some(at) => (&available[..at], 1),
            None => (available, 0),
        };
        if line.len() + part.len() > MAX_LINE {
            return Err(io::Error::other("a line that is longer than any message"));
        }
        line.extend_from_slice(part);
        let used = part.len() + found;
        source.consume(used);
        if found == 1 {
            if line.last() == Some(&b'\r') {
                line.pop();
            }
            return Ok(true);
        }
    }
}
