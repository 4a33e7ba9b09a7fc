//! The programs that tests start.

use std::{path::PathBuf, process::Command, sync::OnceLock};

/// The programs of the roles.
pub const PROGRAMS: [&str; 6] = [
    "atlas-gateway",
    "atlas-scheduler",
    "atlas-fetch-worker",
    "atlas-extract-worker",
    "atlas-graph-worker",
    "atlas-wiki-worker",
];

/// The command line.
const COMMAND: &str = "atlas-sync";

/// The program of the tests that has any role, with doubles in place of some of what it works with.
const DOUBLED: &str = "atlas-role-with-doubles";

/// A program, as an operator has it.
#[must_use]
pub fn program(name: &str) -> Command {
    build();
    Command::new(programs().join(name))
}

/// The command line.
#[must_use]
pub fn command_line() -> Command {
    program(COMMAND)
}

/// How a program is started; with doubles it is another one that has the same role.
pub(crate) fn command(name: &'static str, doubled: bool) -> Command {
    if !doubled {
        return program(name);
    }
    let mut command = program(DOUBLED);
    command.arg(name.trim_start_matches("atlas-"));
    command
}

/// Where Cargo puts programs: two folders above a test's own.
fn programs() -> PathBuf {
    let test = std::env::current_exe().unwrap();
    test.ancestors().nth(2).unwrap().to_owned()
}

/// Tests of other packages are not what makes Cargo build a program.
fn build() {
    static BUILT: OnceLock<()> = OnceLock::new();
    BUILT.get_or_init(|| {
        let bins =
            PROGRAMS.iter().chain(&[DOUBLED, COMMAND]).flat_map(|program| ["--bin", program]);
        let mut cargo = Command::new(env!("CARGO"));
        cargo
            .args(["build", "--quiet", "--workspace", "--locked"])
            .args(bins)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
        // What Cargo tells a test of its package, the build scripts of dependencies take for a change, and
        // half of them would be built anew, in every run.
        for (name, _) in std::env::vars_os() {
            let told = name.to_string_lossy();
            if told.starts_with("CARGO_PKG_") || told.starts_with("CARGO_MANIFEST_") {
                cargo.env_remove(name);
            }
        }
        let status = cargo.status().unwrap();
        assert!(status.success(), "the programs cannot be built");
    });
}
