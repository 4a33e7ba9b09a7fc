//! What every program says when it is told something wrong, and that it does not start.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::process::{Command, Output};

use service::Role;
use system_tests::program;

/// Every program that runs something, and the arguments with which it does.
fn programs() -> impl Iterator<Item = (&'static str, &'static [&'static str])> {
    let of_roles = Role::ALL.into_iter().map(|role| (role.program(), &[] as &[_]));
    of_roles.chain([("atlas-sync", &["serve"] as &[_])])
}

fn refused(command: &mut Command) -> String {
    let Output { status, stderr, .. } = command.output().unwrap();
    let told = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(1), "{command:?}: {told}");
    told
}

#[test]
fn a_wrong_value_stops_every_program_with_its_name_its_value_and_what_is_allowed() {
    let folder = tempfile::tempdir().unwrap();
    for (name, arguments) in programs() {
        let start = || {
            let mut command = program(name);
            command.args(arguments).current_dir(folder.path()).env_clear();
            command
        };
        let told = refused(start().env("ATLAS_LEASE_SECONDS", "1"));
        let value = "ATLAS_LEASE_SECONDS is \"1\": it must be seconds from 3 to 3600\n";
        assert!(told.ends_with(value), "{name}: {told}");
        let told = refused(start().env("ATLAS_SLOT", "2"));
        assert!(
            told.ends_with("ATLAS_SLOT is not a setting: did you mean ATLAS_SLOTS?\n"),
            "{told}"
        );

        let file = folder.path().join("own.toml");
        std::fs::write(&file, "[extracting_facts]\nslots = 500\n").unwrap();
        let place = format!("extracting_facts.slots in {} is \"500\"", file.display());
        let told = refused(start().args(["--config".as_ref(), file.as_os_str()]));
        assert!(told.contains(&place), "{name}: {told}");
        let told = refused(start().env("ATLAS_CONFIG", &file));
        assert!(told.contains(&place), "{name}: {told}");
        let told = refused(start().env("ATLAS_CONFIG", folder.path().join("none.toml")));
        assert!(told.contains("none.toml cannot be read"), "{name}: {told}");
    }
}

#[test]
fn the_file_in_the_folder_of_the_start_is_read() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("atlas-sync.toml"), "keep_day = 1\n").unwrap();
    for (name, arguments) in programs() {
        let mut command = program(name);
        let told = refused(command.args(arguments).current_dir(folder.path()).env_clear());
        let slip = "keep_day in atlas-sync.toml is not a setting: did you mean keep_days?\n";
        assert!(told.ends_with(slip), "{name}: {told}");
    }
}
