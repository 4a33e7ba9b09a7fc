//! Exports to import.

use std::{
    fs::File,
    io::{Cursor, Write as _},
    path::{Path, PathBuf},
};

use serde_json::{Value, json};
use zip::{ZipWriter, write::SimpleFileOptions};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

fn packed(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in files {
        zip.start_file(name.as_str(), SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// The bundled sample channel; of its days only those that `wanted` takes.
#[must_use]
pub fn sample_archive(wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let folder = root().join("crates/atlas-sync/sample-channel/export");
    let mut files = Vec::new();
    let mut folders = vec![folder.clone()];
    while let Some(path) = folders.pop() {
        for entry in std::fs::read_dir(path).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(&folder).unwrap().to_str().unwrap().to_owned();
            if !name.contains('/') || wanted(&name) {
                files.push((name, std::fs::read(&path).unwrap()));
            }
        }
    }
    files.sort();
    packed(&files)
}

/// An export of one channel, `C1`, with these messages.
#[must_use]
pub fn channel_archive(messages: &[Value]) -> Vec<u8> {
    let users = json!([
        {"id": "U1", "team_id": "T1", "name": "ann", "profile": {"display_name": "Ann"}},
        {"id": "U2", "team_id": "T1", "name": "bob", "profile": {"display_name": "Bob"}},
    ]);
    packed(&[
        ("channels.json".into(), json!([{"id": "C1", "name": "general"}]).to_string().into()),
        ("users.json".into(), users.to_string().into()),
        ("general/2024-01-01.json".into(), Value::from(messages).to_string().into()),
    ])
}

/// An export of several channels: the n-th has the id and the name `Cn` and so many messages, each in a
/// conversation of its own.
#[must_use]
pub fn channels_archive(messages: &[usize]) -> Vec<u8> {
    let channel = |n| json!({"id": format!("C{n}"), "name": format!("c{n}")});
    let channels: Vec<_> = (0..messages.len()).map(channel).collect();
    let users = json!([{"id": "U1", "team_id": "T1", "name": "ann"}]);
    let mut files = vec![
        ("channels.json".into(), Value::from(channels).to_string().into()),
        ("users.json".into(), users.to_string().into()),
    ];
    for (n, count) in messages.iter().enumerate() {
        let said = |m: usize| {
            let seconds = 1_600_000_000 + m * 3_600;
            let text = format!("We decided to run service-{} on PostgreSQL.", m % 500);
            json!({"type": "message", "user": "U1", "ts": format!("{seconds}.000000"), "text": text})
        };
        let said: Vec<_> = (0..*count).map(said).collect();
        files.push((format!("c{n}/2024-01-01.json"), Value::from(said).to_string().into()));
    }
    packed(&files)
}

/// The real export, where there is one. Its absence is told, and is a failure where
/// `ATLAS_REQUIRE_EXPORT` says so.
#[must_use]
pub fn real_export() -> Option<Vec<u8>> {
    let place = std::env::var_os("ATLAS_TEST_EXPORT")
        .map_or_else(|| root().join("../shared/data/slack-export-racket.zip"), PathBuf::from);
    let mut bytes = Vec::new();
    match File::open(place).and_then(|mut file| std::io::Read::read_to_end(&mut file, &mut bytes)) {
        Ok(_) => Some(bytes),
        Err(_) => {
            assert!(std::env::var_os("ATLAS_REQUIRE_EXPORT").is_none(), "there is no real export");
            // Straight to the terminal: what a passing test prints is not shown otherwise.
            let notice = b"SKIPPED: set ATLAS_TEST_EXPORT to a Slack export to run this test\n";
            let _ = std::io::stderr().write_all(notice);
            None
        }
    }
}
