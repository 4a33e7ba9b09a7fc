//! A zip archive of unknown making, read with bounds.

use std::{
    collections::BTreeMap,
    io::{Read, Seek},
};

use zip::ZipArchive;

use crate::ImportError;

/// What may be read at most.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Entries in the archive.
    pub entries: usize,
    /// Bytes of one entry, unpacked.
    pub entry_bytes: u64,
    /// Bytes of all entries, unpacked.
    pub total_bytes: u64,
    /// Unpacked size over packed size of a large entry.
    pub ratio: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { entries: 200_000, entry_bytes: 64 << 20, total_bytes: 8 << 30, ratio: 250 }
    }
}

/// Entries below this size may be packed as well as they like.
const SMALL: u64 = 1 << 20;

/// The files of an archive that matter, by name within its top folder.
pub(crate) struct Archive<R> {
    zip: ZipArchive<R>,
    files: BTreeMap<String, usize>,
}

impl<R: Read + Seek> Archive<R> {
    /// An archive's JSON files.
    pub(crate) fn open(reader: R, limits: Limits) -> Result<Self, ImportError> {
        Self::open_with(reader, limits, |name| name.ends_with(".json"))
    }

    /// An archive's files of some kinds.
    pub(crate) fn open_with(
        reader: R,
        limits: Limits,
        matters: impl Fn(&str) -> bool,
    ) -> Result<Self, ImportError> {
        let mut zip = ZipArchive::new(reader).map_err(|_| ImportError::NotAnArchive)?;
        if zip.len() > limits.entries {
            return Err(ImportError::TooLarge("entries"));
        }
        let mut files = BTreeMap::new();
        let mut total: u64 = 0;
        for index in 0..zip.len() {
            let entry = zip.by_index_raw(index).map_err(|_| ImportError::NotAnArchive)?;
            if entry.encrypted() {
                return Err(ImportError::Encrypted);
            }
            let name = safe_name(&entry.name().map_err(|_| ImportError::UnsafeName)?)?;
            if entry.is_symlink() || !matters(&name) || name.starts_with("__MACOSX/") {
                continue;
            }
            check_size(entry.size(), entry.compressed_size(), &limits)?;
            total = total.saturating_add(entry.size());
            // Of two entries with one name the last counts, as for any unpacking program.
            files.insert(name, index);
        }
        if total > limits.total_bytes {
            return Err(ImportError::TooLarge("bytes"));
        }
        let top = top_folder(&files);
        let files = files
            .into_iter()
            .filter_map(|(name, index)| Some((name.strip_prefix(&top)?.to_owned(), index)))
            .collect();
        Ok(Self { zip, files })
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// A file to be read in pieces; `None` when there is none of that name.
    pub(crate) fn stream(
        &mut self,
        name: &str,
    ) -> Result<Option<impl Read + use<'_, R>>, ImportError> {
        let Some(&index) = self.files.get(name) else { return Ok(None) };
        let entry = self.zip.by_index(index).map_err(|_| ImportError::NotAnArchive)?;
        let declared = entry.size();
        Ok(Some(entry.take(declared)))
    }

    /// What it is read from.
    pub(crate) fn into_inner(self) -> R {
        self.zip.into_inner()
    }

    /// The content of a file; `None` when there is none of that name.
    pub(super) fn read(&mut self, name: &str) -> Result<Option<Vec<u8>>, ImportError> {
        let Some(&index) = self.files.get(name) else { return Ok(None) };
        let entry = self.zip.by_index(index).map_err(|_| ImportError::NotAnArchive)?;
        let mut content = Vec::with_capacity(usize::try_from(entry.size().min(SMALL)).unwrap_or(0));
        // What an entry says of its size need not be true, and all limits were checked against that.
        let declared = entry.size();
        let mut bounded = entry.take(declared.saturating_add(1));
        bounded.read_to_end(&mut content).map_err(|_| ImportError::NotAnArchive)?;
        if content.len() as u64 > declared { Err(ImportError::Bomb) } else { Ok(Some(content)) }
    }
}

fn safe_name(name: &str) -> Result<String, ImportError> {
    let safe = !name.starts_with('/')
        && !name.contains('\\')
        && !name.contains('\0')
        && !name.split('/').any(|part| part == "..")
        && name.get(1..2) != Some(":");
    if safe { Ok(name.to_owned()) } else { Err(ImportError::UnsafeName) }
}

fn check_size(unpacked: u64, packed: u64, limits: &Limits) -> Result<(), ImportError> {
    if unpacked > limits.entry_bytes {
        return Err(ImportError::TooLarge("bytes in one file"));
    }
    if unpacked > SMALL && unpacked / packed.max(1) > limits.ratio {
        return Err(ImportError::Bomb);
    }
    Ok(())
}

/// Whether a file is `2024-05-31.json`; a canvas or a huddle's transcript is something else.
pub(super) fn is_day(file: &str) -> bool {
    let shape = |(n, byte): (usize, u8)| match n {
        4 | 7 => byte == b'-',
        _ => byte.is_ascii_digit(),
    };
    file.strip_suffix(".json")
        .is_some_and(|day| day.len() == 10 && day.bytes().enumerate().all(shape))
}

/// The folder that holds the lists: the archive itself, or the one folder that somebody packed again.
/// Without lists it is the folder of the channels' folders.
fn top_folder(files: &BTreeMap<String, usize>) -> String {
    let with_lists = files.keys().filter_map(|name| {
        let folder = name.strip_suffix("channels.json").or(name.strip_suffix("users.json"))?;
        (folder.is_empty() || folder.ends_with('/')).then_some(folder)
    });
    let with_channels = files.keys().filter_map(|name| {
        let (channel, day) = name.rsplit_once('/')?;
        is_day(day).then(|| channel.rfind('/').map_or("", |slash| &channel[..=slash]))
    });
    let listed = with_lists.min_by_key(|folder| folder.len());
    listed
        .or_else(|| with_channels.min_by_key(|folder| folder.len()))
        .unwrap_or_default()
        .to_owned()
}
