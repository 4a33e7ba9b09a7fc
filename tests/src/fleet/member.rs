//! One process of a fleet.

use std::{
    path::PathBuf,
    process::{Child, Command},
    sync::OnceLock,
};

/// The programs of the roles.
pub(super) const PROGRAMS: [&str; 6] = [
    "atlas-gateway",
    "atlas-scheduler",
    "atlas-fetch-worker",
    "atlas-extract-worker",
    "atlas-graph-worker",
    "atlas-wiki-worker",
];

/// The program of the tests that has any role, with doubles in place of some of what it works with.
const DOUBLED: &str = "atlas-role-with-doubles";

/// A running process of the service.
pub struct Member {
    /// Its program.
    pub program: &'static str,
    /// Where health and metrics answer.
    pub health: String,
    pub(super) child: Child,
}

impl Member {
    /// Sends it a signal, such as `KILL`.
    pub fn signal(&self, name: &str) {
        let id = self.child.id().to_string();
        Command::new("kill").args([&format!("-{name}"), &id]).status().unwrap();
    }

    /// Asks it to end; answers with whether it did so in order.
    pub fn end(mut self) -> bool {
        self.signal("TERM");
        self.child.wait().unwrap().success()
    }

    /// Ends it without asking.
    pub fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Whether it still runs.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }
}

/// How a program is started; with doubles it is another one that has the same role.
pub(super) fn command(program: &'static str, doubled: bool) -> Command {
    build();
    if !doubled {
        return Command::new(programs().join(program));
    }
    let mut command = Command::new(programs().join(DOUBLED));
    command.arg(program.trim_start_matches("atlas-"));
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
        let bins = PROGRAMS.iter().chain(&[DOUBLED]).flat_map(|program| ["--bin", program]);
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--locked"])
            .args(bins)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .unwrap();
        assert!(status.success(), "the programs cannot be built");
    });
}
