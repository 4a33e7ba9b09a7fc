//! Rows of a table, or lines of JSON objects, as lists of cells.

use std::{
    io::{BufRead, Read as _},
    ops::ControlFlow,
};

use encoding_rs::Encoding;
use encoding_rs_io::DecodeReaderBytesBuilder;
use serde_json::{Map, Value};

use super::columns::Found;
use crate::{
    ImportError,
    import::{ImportOptions, lines},
};

/// The cells of a row, in the order of the header.
pub(super) type Row = Vec<String>;

/// Columns of one file.
const MAX_COLUMNS: usize = 1_000;

/// Bytes from which encoding and delimiter are recognised.
const SAMPLE: u64 = 64 * 1024;

/// How a file holds its rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::import) enum Shape {
    /// A header, then a row a record.
    Table,
    /// A JSON object a line.
    Lines,
}

/// Hands over row by row with the columns found, numbered by line.
pub(super) fn each(
    source: Box<dyn BufRead + '_>,
    shape: Shape,
    options: &ImportOptions,
    take: impl FnMut(u64, &Found, Result<Row, String>) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    match shape {
        Shape::Table => each_record(source, options, take),
        Shape::Lines => each_object(source, options, take),
    }
}

fn each_record(
    mut source: Box<dyn BufRead + '_>,
    options: &ImportOptions,
    mut take: impl FnMut(u64, &Found, Result<Row, String>) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    let mut sample = Vec::new();
    (&mut source).take(SAMPLE).read_to_end(&mut sample)?;
    let encoding = encoding(&sample, options)?;
    let decoded = encoding.decode(&sample).0.into_owned();
    let source = DecodeReaderBytesBuilder::new()
        .encoding(Some(encoding))
        .bom_override(true)
        .build(std::io::Cursor::new(sample).chain(source));
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter(&decoded, options)?)
        .flexible(true)
        .from_reader(bounded::Records::new(source));
    let header = reader.headers().map_err(|_| ImportError::NoHeader)?;
    if header.len() > MAX_COLUMNS {
        return Err(ImportError::TooLarge("columns"));
    }
    let names: Vec<String> = header.iter().map(str::to_owned).collect();
    let found = Found::find(&names, &options.columns)?;
    let mut record = csv::StringRecord::new();
    loop {
        let line = reader.position().line();
        let row = match reader.read_record(&mut record) {
            Ok(false) => return Ok(()),
            Ok(true) if record.len() > names.len() => {
                Err("more cells than the header has columns".to_owned())
            }
            Ok(true) => Ok(record.iter().map(str::to_owned).collect()),
            Err(error) if error.is_io_error() => {
                return Err(ImportError::TooLarge("bytes in one row"));
            }
            Err(_) => Err("a row that is no text".to_owned()),
        };
        reader.get_mut().renew();
        if take(line, &found, row).is_break() {
            return Ok(());
        }
    }
}

fn each_object(
    mut source: Box<dyn BufRead + '_>,
    options: &ImportOptions,
    mut take: impl FnMut(u64, &Found, Result<Row, String>) -> ControlFlow<()>,
) -> Result<(), ImportError> {
    let mut line = Vec::new();
    let mut found: Option<Found> = None;
    let mut n = 0;
    while lines::next(&mut *source, &mut line)? {
        n += 1;
        let text = line.strip_prefix("\u{feff}".as_bytes()).unwrap_or(&line);
        if text.iter().all(u8::is_ascii_whitespace) {
            continue;
        }
        let object = serde_json::from_slice::<Map<String, Value>>(text);
        let found = match (&mut found, &object) {
            (Some(found), _) => found,
            (none, Ok(object)) => {
                // Declared fields may be missing from the first line.
                let declared = declared(options);
                let names = object.keys().cloned().chain(declared).collect::<Vec<_>>();
                none.insert(Found::find(&names, &options.columns)?)
            }
            (None, Err(_)) => return Err(ImportError::NoHeader),
        };
        let row = match &object {
            Ok(object) => Ok(found.names().iter().map(|name| cell(object.get(name))).collect()),
            Err(_) => Err("the line is no JSON object".to_owned()),
        };
        if take(n, found, row).is_break() {
            break;
        }
    }
    Ok(())
}

fn declared(options: &ImportOptions) -> Vec<String> {
    let columns = &options.columns;
    let all = [
        &columns.content,
        &columns.timestamp,
        &columns.author,
        &columns.author_id,
        &columns.id,
        &columns.thread,
        &columns.channel,
    ];
    all.into_iter().flatten().cloned().collect()
}

fn cell(value: Option<&Value>) -> String {
    match value {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Number(number)) => number.to_string(),
        Some(Value::Bool(truth)) => truth.to_string(),
        _ => String::new(),
    }
}

/// By declaration, by a byte order mark, as UTF-8 where it is, else by what its bytes are like.
fn encoding(sample: &[u8], options: &ImportOptions) -> Result<&'static Encoding, ImportError> {
    if let Some(label) = &options.encoding {
        let unknown = || ImportError::NoEncoding(label.chars().take(40).collect());
        return Encoding::for_label(label.as_bytes()).ok_or_else(unknown);
    }
    if let Some((encoding, _)) = Encoding::for_bom(sample) {
        return Ok(encoding);
    }
    match std::str::from_utf8(sample) {
        Ok(_) => Ok(encoding_rs::UTF_8),
        // Cut within a character.
        Err(error) if error.error_len().is_none() => Ok(encoding_rs::UTF_8),
        Err(_) => {
            let mut detector =
                chardetng::EncodingDetector::new(chardetng::Iso2022JpDetection::Deny);
            detector.feed(sample, true);
            Ok(detector.guess(None, chardetng::Utf8Detection::Deny))
        }
    }
}

/// The candidate that the header has most of.
fn delimiter(sample: &str, options: &ImportOptions) -> Result<u8, ImportError> {
    if let Some(declared) = options.delimiter {
        return u8::try_from(declared).map_err(|_| ImportError::NoDelimiter);
    }
    let header = sample.trim_start_matches('\u{feff}').lines().next().unwrap_or_default();
    let count = |candidate: &u8| header.bytes().filter(|byte| byte == candidate).count();
    let candidates = [b',', b';', b'\t', b'|'];
    // Of equals the first.
    Ok(candidates.into_iter().rev().max_by_key(count).unwrap_or(b','))
}

mod bounded {
    //! A quote that is never closed must not take a whole file for one cell.

    use std::io::{self, Read};

    use crate::import::lines::MAX_LINE;

    pub(super) struct Records<R> {
        source: R,
        since_record: usize,
    }

    impl<R> Records<R> {
        pub(super) fn new(source: R) -> Self {
            Self { source, since_record: 0 }
        }

        /// A record has been read.
        pub(super) fn renew(&mut self) {
            self.since_record = 0;
        }
    }

    impl<R: Read> Read for Records<R> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let read = self.source.read(buffer)?;
            self.since_record += read;
            match self.since_record > MAX_LINE {
                true => Err(io::Error::other("a row that is longer than any message")),
                false => Ok(read),
            }
        }
    }
}
