//! The files of an upload: one, or those of a zip archive.

use std::io::{BufRead, BufReader, Read as _, Seek as _, SeekFrom};

use super::ReadSeek;
use crate::{
    ImportError,
    slack::{Archive, Limits},
};

/// Bytes that are looked at to recognise a file.
const BEGINNING: u64 = 64 * 1024;

/// Files by name.
pub(crate) enum Files {
    Plain { name: String, file: Box<dyn ReadSeek> },
    Zip(Archive<Box<dyn ReadSeek>>),
}

impl Files {
    /// Opens a zip archive, or whatever else it is as one file.
    pub(super) fn open(
        mut file: Box<dyn ReadSeek>,
        name: &str,
        limits: Limits,
    ) -> Result<Self, ImportError> {
        let mut magic = [0; 4];
        let read = file.read(&mut magic)?;
        file.seek(SeekFrom::Start(0))?;
        // Streamed, so that one may be as large as all.
        let limits = Limits { entry_bytes: limits.total_bytes, ..limits };
        match &magic[..read] {
            b"PK\x03\x04" => Ok(Self::Zip(Archive::open_with(file, limits, is_data)?)),
            _ => Ok(Self::Plain { name: name.to_owned(), file }),
        }
    }

    pub(super) fn names(&self) -> Vec<String> {
        match self {
            Self::Plain { name, .. } => vec![name.clone()],
            Self::Zip(archive) => archive.names().map(str::to_owned).collect(),
        }
    }

    /// A file from its beginning.
    pub(crate) fn read(&mut self, name: &str) -> Result<Box<dyn BufRead + '_>, ImportError> {
        match self {
            Self::Plain { file, .. } => {
                file.seek(SeekFrom::Start(0))?;
                Ok(Box::new(BufReader::with_capacity(1 << 16, file)))
            }
            Self::Zip(archive) => {
                let entry = archive.stream(name)?.ok_or(ImportError::NotAnArchive)?;
                Ok(Box::new(BufReader::with_capacity(1 << 16, entry)))
            }
        }
    }

    /// How a file begins.
    pub(super) fn beginning(&mut self, name: &str) -> Result<Vec<u8>, ImportError> {
        let mut beginning = Vec::new();
        self.read(name)?.take(BEGINNING).read_to_end(&mut beginning)?;
        Ok(beginning)
    }

    pub(super) fn into_inner(self) -> Box<dyn ReadSeek> {
        match self {
            Self::Plain { file, .. } => file,
            Self::Zip(archive) => archive.into_inner(),
        }
    }
}

fn is_data(name: &str) -> bool {
    let extension = name.rsplit_once('.').map_or("", |(_, extension)| extension);
    ["json", "jsonl", "ndjson", "csv", "tsv", "txt"]
        .iter()
        .any(|known| extension.eq_ignore_ascii_case(known))
}
