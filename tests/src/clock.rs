//! A clock that is wrong, for a process that is started with it.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

/// The variables that put a process's wall clock off by so many seconds.
///
/// The clock is taken from the process by a library of a few lines that is loaded before the system's.
pub fn wrong_clock(folder: &Path, seconds: i64) -> [(&'static str, String); 2] {
    let library: PathBuf = folder.join("skew.so");
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/clock/skew.c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let compiled = Command::new(compiler)
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .arg(&library)
        .args([source, "-ldl"])
        .status()
        .unwrap();
    assert!(compiled.success(), "a C compiler is needed");
    let variables = [
        ("LD_PRELOAD", library.display().to_string()),
        ("ATLAS_TEST_SKEW_SECONDS", seconds.to_string()),
    ];
    assert!((told_time(&variables) - told_time(&[]) - seconds).abs() < 60, "the clock is right");
    variables
}

/// The time that a process with these variables has.
fn told_time(variables: &[(&'static str, String)]) -> i64 {
    let variables = variables.iter().map(|(name, value)| (name, value));
    let told = Command::new("date").arg("+%s").envs(variables).output().unwrap();
    String::from_utf8(told.stdout).unwrap().trim().parse().unwrap()
}
