//! Whole archives: made here, bundled, and real.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    collections::BTreeSet,
    io::{Cursor, Write as _},
    ops::ControlFlow,
    path::{Path, PathBuf},
};

use connectors::{
    ImportError,
    import::{Export as _, Report},
    slack::{Limits, SlackExport},
};
use domain::Message;
use zip::{ZipWriter, write::SimpleFileOptions};

const CHANNELS: (&str, &str) =
    ("channels.json", r#"[{"id":"C1","name":"general","topic":{"value":"all of it"}}]"#);

fn archive(files: &[(&str, &str)]) -> Cursor<Vec<u8>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(*name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let mut file = zip.finish().unwrap();
    file.set_position(0);
    file
}

fn read_all<R: std::io::Read + std::io::Seek>(
    export: &mut SlackExport<R>,
) -> (Vec<Message>, Report) {
    let mut report = Report::default();
    let mut messages = Vec::new();
    let mut sink = |_, batch: Vec<Message>| {
        assert!(batch.len() <= 1_000);
        messages.extend(batch);
        ControlFlow::Continue(())
    };
    export.read_all(&mut report, &mut sink).unwrap();
    (messages, report)
}

fn open(files: &[(&str, &str)]) -> Result<SlackExport<Cursor<Vec<u8>>>, ImportError> {
    SlackExport::open(archive(files), Limits::default())
}

fn message(n: u32) -> String {
    format!(r#"{{"type":"message","user":"U1","ts":"17000000{n:02}.000000","text":"m{n}"}}"#)
}

#[test]
fn a_broken_record_costs_itself_and_a_broken_day_its_day() {
    let day = format!("[{},{{\"ts\":7}},{{\"type\":\"message\"}},{}]", message(1), message(2));
    let mut export = open(&[
        CHANNELS,
        ("general/2024-01-01.json", &day),
        ("general/2024-01-02.json", "[{broken"),
        ("general/2024-01-03.json", &format!("[{}]", message(3))),
    ])
    .unwrap();
    let (messages, report) = read_all(&mut export);
    assert_eq!(messages.iter().map(|m| m.text.as_str()).collect::<Vec<_>>(), ["m1", "m2", "m3"]);
    let places: Vec<_> = report.errors.iter().map(|e| (e.file.as_str(), e.line)).collect();
    assert_eq!(
        places,
        [
            ("general/2024-01-01.json", 2),
            ("general/2024-01-01.json", 3),
            ("general/2024-01-02.json", 0)
        ]
    );
    assert_eq!(report.rows, 3);
}

#[test]
fn an_export_that_was_packed_again_is_read_through_its_top_folder() {
    let day = format!("[{}]", message(1));
    let mut export = open(&[
        ("Team export/channels.json", CHANNELS.1),
        ("Team export/general/2024-01-01.json", &day),
        ("__MACOSX/Team export/._channels.json", "junk"),
    ])
    .unwrap();
    assert_eq!(export.channels()[0].external_id, "C1");
    assert_eq!(read_all(&mut export).0.len(), 1);
}

#[test]
fn private_channels_and_folders_without_a_list_are_channels_too() {
    let day = format!("[{}]", message(1));
    let export = open(&[
        CHANNELS,
        ("groups.json", r#"[{"id":"G1","name":"secret"}]"#),
        ("dms.json", r#"[{"id":"D1","members":["U1","U2"]}]"#),
        ("lost/2024-01-01.json", &day),
        ("general/canvas_in_the_conversation.json", "{}"),
    ])
    .unwrap();
    let ids: Vec<_> = export.channels().iter().map(|c| c.external_id.as_str()).collect();
    assert_eq!(ids, ["C1", "D1", "G1", "lost"]);
    assert_eq!(export.channels()[0].topic, "all of it");
}

#[test]
fn what_is_no_export_is_refused_with_the_reason() {
    let refusal = |files: &[(&str, &str)]| open(files).err().unwrap();
    assert!(matches!(refusal(&[("readme.txt", "hello")]), ImportError::NotAnExport));
    assert!(matches!(refusal(&[("channels.json", "{")]), ImportError::BrokenList("channels.json")));
    let junk = SlackExport::open(Cursor::new(b"no zip at all".to_vec()), Limits::default());
    assert!(matches!(junk.err().unwrap(), ImportError::NotAnArchive));
    assert!(matches!(
        refusal(&[CHANNELS, ("../general/2024-01-01.json", "[]")]),
        ImportError::UnsafeName
    ));
    assert!(matches!(
        refusal(&[CHANNELS, ("/etc/2024-01-01.json", "[]")]),
        ImportError::UnsafeName
    ));
}

#[test]
fn a_bomb_and_an_archive_beyond_the_limits_are_refused_unread() {
    let zeros = format!("[\"{}\"]", "0".repeat(8 << 20));
    let files = [CHANNELS, ("general/2024-01-01.json", zeros.as_str())];
    assert!(matches!(open(&files).err().unwrap(), ImportError::Bomb));
    let limited = |limits| SlackExport::open(archive(&files), limits).err().unwrap();
    let few = Limits { entries: 1, ..Limits::default() };
    assert!(matches!(limited(few), ImportError::TooLarge("entries")));
    let small = Limits { entry_bytes: 1 << 20, ..Limits::default() };
    assert!(matches!(limited(small), ImportError::TooLarge("bytes in one file")));
    let short = Limits { total_bytes: 1 << 20, ratio: u64::MAX, ..Limits::default() };
    assert!(matches!(limited(short), ImportError::TooLarge("bytes")));
}

#[test]
fn an_export_without_lists_has_its_folders_and_the_workspace_of_its_messages() {
    let day = r#"[{"ts":"1.0","team":"T9","user":"U1","text":"a"}]"#;
    for name in ["general/2024-01-01.json", "Packed again/general/2024-01-01.json"] {
        let mut export = open(&[(name, day)]).unwrap();
        assert_eq!(export.channels()[0].external_id, "general");
        assert_eq!((export.workspace().as_str(), read_all(&mut export).0.len()), ("T9", 1));
    }
    let nameless = open(&[("general/2024-01-01.json", "[]")]).unwrap();
    assert_eq!(nameless.workspace(), "export-general");
}

#[test]
fn a_folder_named_by_the_id_belongs_to_its_channel() {
    let day = format!("[{}]", message(1));
    let mut export = open(&[CHANNELS, ("C1/2024-01-01.json", &day)]).unwrap();
    assert_eq!((export.channels().len(), export.channels()[0].name.as_str()), (1, "general"));
    assert_eq!(read_all(&mut export).0.len(), 1);
}

#[test]
fn an_odd_entry_of_a_list_costs_itself_only() {
    let users = r#"[{"id":7},{"id":"U1","profile":null,"name":"ann","team_id":"T1"}]"#;
    let channels = r#"[{"id":null},{"id":"C1","name":"general","topic":{"value":"x"}}]"#;
    let day = format!("[{}]", message(1));
    let files =
        [("users.json", users), ("channels.json", channels), ("general/2024-01-01.json", &day)];
    let mut export = open(&files).unwrap();
    assert_eq!(read_all(&mut export).0[0].author.name, "ann");
}

#[test]
fn row_errors_are_counted_beyond_those_kept() {
    let day = format!("[{}]", vec!["7"; 150].join(","));
    let (_, report) = read_all(&mut open(&[CHANNELS, ("general/2024-01-01.json", &day)]).unwrap());
    assert_eq!((report.errors.len(), report.unread), (100, 150));
}

#[test]
fn an_entry_that_holds_more_than_it_says_is_refused() {
    let day = format!("[{}]", message(1));
    let mut bytes = archive(&[CHANNELS, ("general/2024-01-01.json", &day)]).into_inner();
    // The size in both headers of the second entry; the data stays as it is.
    for (header, size) in [(b"PK\x03\x04", 22), (b"PK\x01\x02", 24)] {
        let entry = (0..bytes.len()).filter(|&at| bytes[at..].starts_with(header)).nth(1).unwrap();
        bytes[entry + size..entry + size + 4].copy_from_slice(&3_u32.to_le_bytes());
    }
    // Without a list of users the first day is read for its workspace.
    let refused = SlackExport::open(Cursor::new(bytes), Limits::default()).err();
    assert!(matches!(refused, Some(ImportError::Bomb | ImportError::NotAnArchive)), "{refused:?}");
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

#[test]
fn the_bundled_sample_is_read_without_an_error() {
    let folder = root().join("crates/atlas-sync/sample-channel/export");
    let mut files = Vec::new();
    for path in [folder.clone(), folder.join("beacon-platform")] {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
                files.push((name, std::fs::read_to_string(path).unwrap()));
            }
        }
    }
    let files: Vec<_> = files.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let mut export = open(&files).unwrap();
    let (messages, report) = read_all(&mut export);
    assert_eq!((messages.len(), report.errors), (339, vec![]));
    assert_eq!(export.channels()[0].external_id, "C0BEACON01");
}

/// The real export, where there is one; a test that must have it says so by `ATLAS_REQUIRE_EXPORT=1`.
#[test]
fn a_real_export_is_read_whole() {
    let place = std::env::var_os("ATLAS_TEST_EXPORT")
        .map_or_else(|| root().join("../shared/data/slack-export-racket.zip"), PathBuf::from);
    let Ok(file) = std::fs::File::open(&place) else {
        assert!(std::env::var_os("ATLAS_REQUIRE_EXPORT").is_none(), "there is no real export");
        // Straight to the terminal: what a passing test prints is not shown otherwise.
        let notice = b"SKIPPED: set ATLAS_TEST_EXPORT to a Slack export to run this test\n";
        let _ = std::io::stderr().write_all(notice);
        return;
    };
    let mut export = SlackExport::open(file, Limits::default()).unwrap();
    let (messages, report) = read_all(&mut export);
    assert_eq!((report.rows, report.errors), (22_172, vec![]));
    // 351 people are listed, of whom 326 wrote; each is named by the list, never by an id.
    let authors: BTreeSet<_> = messages.iter().map(|m| (&m.author.id, &m.author.name)).collect();
    assert_eq!(authors.len(), 326);
    assert!(authors.iter().all(|(id, name)| id.as_str() != name.as_str()));
    let ids: BTreeSet<_> = messages.iter().map(|message| &message.id).collect();
    assert_eq!(ids.len(), 22_172);
    let replies = messages.iter().filter(|m| m.thread_id.as_ref().is_some_and(|t| *t != m.id));
    assert_eq!(replies.count(), 10_021);
    assert_eq!(export.workspace(), "T1BB4C8B0B");
}
