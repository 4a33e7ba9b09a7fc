//! The command itself, as scripts and people run it.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    path::Path,
    process::{Command, Output},
};

use serde_json::Value;

/// Runs the command on a data folder of its own, on any free port.
fn run(folder: &Path, arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_atlas-sync"))
        .args(arguments)
        .current_dir(folder)
        .env_clear()
        .env("DATABASE_URL", format!("sqlite:{}", folder.join("data/atlas-sync.db").display()))
        .env("ATLAS_LISTEN", "127.0.0.1:0")
        .env("ATLAS_HEALTH_LISTEN", "127.0.0.1:0")
        .output()
        .unwrap()
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn done(folder: &Path, arguments: &[&str]) -> String {
    let output = run(folder, arguments);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{arguments:?}: {told}");
    text(&output)
}

fn json(folder: &Path, arguments: &[&str]) -> Value {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    serde_json::from_str(&done(folder, &arguments)).unwrap()
}

/// The bundled sample, packed as the demonstration packs it.
fn export(folder: &Path) -> String {
    use std::io::Write as _;

    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-channel/export");
    let path = folder.join("export.zip");
    let mut zip = zip::ZipWriter::new(std::fs::File::create(&path).unwrap());
    let mut folders = vec![source.clone()];
    while let Some(next) = folders.pop() {
        for entry in std::fs::read_dir(next).unwrap() {
            let entry = entry.unwrap().path();
            if entry.is_dir() {
                folders.push(entry);
                continue;
            }
            let name = entry.strip_prefix(&source).unwrap().to_str().unwrap();
            zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
            zip.write_all(&std::fs::read(&entry).unwrap()).unwrap();
        }
    }
    zip.finish().unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn the_demonstration_shows_a_wiki_and_finds_its_data_again() {
    let folder = tempfile::tempdir().unwrap();
    let first = done(folder.path(), &["demo", "--exit"]);
    assert!(first.contains("339 messages"), "{first}");
    assert!(first.contains("# #beacon-platform") && first.contains("/docs"), "{first}");
    let second = done(folder.path(), &["demo", "--exit"]);
    assert!(second.contains("0 messages, 0 new facts"), "{second}");
}

#[test]
fn an_export_becomes_a_folder_of_pages() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    assert!(done(at, &["channels"]).contains("No channels yet"));
    let import = json(at, &["import", &export(at)]);
    assert_eq!((&import["status"], &import["rows"]), (&"completed".into(), &339.into()));
    let status = json(at, &["sync", "#beacon-platform", "--follow"]);
    assert_eq!(status["status"], "completed");
    assert_eq!(json(at, &["status", "C0BEACON01"])["job_id"], status["job_id"]);
    let why = done(at, &["why", status["job_id"].as_str().unwrap()]);
    assert!(why.starts_with("completed in ") && why.contains("stage_completed"), "{why}");
    let history = json(at, &["history", "beacon-platform", "--limit", "1"]);
    assert_eq!(history["history"][0]["messages_synced"], 339);
    assert!(done(at, &["wiki", "beacon-platform", "decisions"]).contains("## Superseded"));
    let missing = run(at, &["wiki", "beacon-platform", "decision"]);
    let told = String::from_utf8_lossy(&missing.stderr).into_owned();
    assert_eq!(missing.status.code(), Some(3), "{told}");
    assert!(told.contains("there is no page decision; there are: overview, decisions"), "{told}");
    done(at, &["wiki", "beacon-platform", "--out", "pages"]);
    assert!(at.join("pages/overview.md").is_file() && at.join("pages/timeline.md").is_file());
    let schedule = json(at, &["schedule", "set", "beacon-platform", "0 */4 * * *"]);
    assert!(schedule["next_sync"].is_string());
    assert_eq!(json(at, &["schedule", "list"])["schedules"].as_array().unwrap().len(), 1);
    done(at, &["schedule", "remove", "beacon-platform"]);
    done(at, &["backup", "copy.db"]);
    assert!(at.join("copy.db").metadata().unwrap().len() > 100_000);
}

#[test]
fn scripts_see_by_the_exit_code_what_went_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    for (arguments, code, told) in [
        (&["sync"][..], 2, "Usage"),
        (&["sync", "nowhere"], 3, "atlas-sync import"),
        (&["import", "missing.zip"], 1, "missing.zip"),
        (&["cancel", "sync_00000000000000000000000000000000"], 3, "no such job"),
        (&["channels", "--server", "http://127.0.0.1:9", "--key", "k"], 6, "no server answers"),
        (&["keys", "revoke", "key_0"], 3, "keys list"),
    ] {
        let output = run(at, arguments);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {error}");
        assert!(error.contains(told), "{arguments:?}: {error}");
    }
}

#[cfg(unix)]
#[test]
fn keys_are_shown_once_and_lie_where_only_their_owner_reads() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    done(at, &["channels"]);
    for file in ["data/api-key", "data/atlas-sync.db"] {
        let mode = at.join(file).metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    let made = json(at, &["keys", "create", "for a test"]);
    let secret = made["key"].as_str().unwrap();
    assert!(secret.len() > 40);
    let listed = json(at, &["keys", "list"]);
    assert_eq!(listed["keys"].as_array().unwrap().len(), 2);
    assert!(!listed.to_string().contains(secret));
    assert_eq!(run(at, &["channels", "--key", secret]).status.code(), Some(0));
    done(at, &["keys", "revoke", made["id"].as_str().unwrap()]);
    assert_eq!(run(at, &["channels", "--key", secret]).status.code(), Some(6));
}

#[test]
fn a_notice_that_a_killed_server_left_leads_nobody_to_its_address() {
    let folder = tempfile::tempdir().unwrap();
    let at = folder.path();
    done(at, &["channels"]);
    let stranger = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    stranger.set_nonblocking(true).unwrap();
    let notice = format!(r#"{{"address":"{}","pid":1}}"#, stranger.local_addr().unwrap());
    std::fs::write(at.join("data/server.json"), notice).unwrap();
    assert!(done(at, &["channels"]).contains("No channels yet"));
    assert!(stranger.accept().is_err(), "the stranger was asked");
}
