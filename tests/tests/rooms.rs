//! The map of the rooms in `crates/README.md`, held against what Cargo says.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

const PORTS: [&str; 5] = ["store", "queue", "progress", "connectors", "extraction"];
const STAGES: [&str; 4] = ["fetch-worker", "extract-worker", "graph-worker", "wiki-worker"];

/// Crates of this project and which of them each knows, tests aside.
fn rooms() -> BTreeMap<String, BTreeSet<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(".."))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let name = |package: &Value| package["name"].as_str().unwrap().to_owned();
    let ours: BTreeSet<String> = packages.iter().map(name).collect();
    packages
        .iter()
        .map(|package| {
            let known = package["dependencies"].as_array().unwrap().iter();
            let known = known.filter(|dependency| dependency["kind"].is_null()).map(name);
            (name(package), known.filter(|known| ours.contains(known)).collect())
        })
        .collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[test]
fn arrows_only_point_down() {
    let rooms = rooms();
    assert!(rooms["domain"].is_empty());
    for port in PORTS {
        assert_eq!(rooms[port], set(&["domain"]), "{port}");
    }
    assert_eq!(rooms["trace-context"], set(&["domain"]));
    let below_worker = set(&["domain", "store", "queue", "progress", "trace-context"]);
    assert!(rooms["worker"].is_subset(&below_worker), "{:?}", rooms["worker"]);
    let above_ports = set(&["domain", "store", "connectors"]);
    assert!(rooms["imports"].is_subset(&above_ports), "{:?}", rooms["imports"]);
    let above_ports = set(&["domain", "store", "connectors", "progress"]);
    assert!(rooms["connections"].is_subset(&above_ports), "{:?}", rooms["connections"]);
    let ports = set(&["domain", "store", "queue", "progress", "connectors", "extraction"]);
    // Beside its library a role has a program, which is handed to `service` and may name what it needs.
    let program = set(&["service", "worker", "imports", "connections"]);
    for stage in STAGES {
        let allowed = set(&["worker", "domain", "store", "connectors", "extraction"]);
        let allowed = &allowed | &program;
        assert!(rooms[stage].is_subset(&allowed), "{stage} knows {:?}", rooms[stage]);
    }
    for role in ["gateway", "scheduler"] {
        let allowed = &(&ports | &program) | &set(&["trace-context"]);
        assert!(rooms[role].is_subset(&allowed), "{role} knows {:?}", rooms[role]);
    }
    let mut below_service = ports;
    below_service.insert("worker".to_owned());
    assert!(rooms["service"].is_subset(&below_service), "{:?}", rooms["service"]);
    for (room, known) in &rooms {
        assert!(!known.contains("atlas-sync") || room == "system-tests", "{room} knows atlas-sync");
    }
}

#[test]
fn only_the_program_of_a_role_reaches_further_than_its_library() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    for role in STAGES.iter().chain(&["gateway", "scheduler"]) {
        let mut folders = vec![crates.join(role).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if !path.ends_with("main.rs") {
                    let text = std::fs::read_to_string(&path).unwrap();
                    assert!(!text.contains("use service::"), "{path:?}");
                    assert!(!text.contains("use imports::"), "{path:?}");
                    // The gateway shows what platforms offer; a stage is handed a connector.
                    let opens = text.contains("use connections::");
                    assert!(!opens || *role == "gateway", "{path:?}");
                    let lines = text.lines().count();
                    assert!(lines < 500, "{path:?} has {lines} lines");
                } else {
                    let lines = std::fs::read_to_string(&path).unwrap().lines().count();
                    assert!(lines < 40, "{path:?} is more than a few lines");
                }
            }
        }
    }
}

#[test]
fn every_room_is_on_the_map() {
    let map = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates/README.md");
    let map = std::fs::read_to_string(map).unwrap();
    for room in rooms().keys().filter(|room| *room != "system-tests") {
        assert!(map.lines().any(|line| line.split_whitespace().any(|word| word == room)), "{room}");
    }
}

#[test]
fn only_the_store_speaks_sql() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    for room in rooms().keys().filter(|room| *room != "system-tests" && *room != "store") {
        let manifest = std::fs::read_to_string(crates.join(room).join("Cargo.toml")).unwrap();
        assert!(!manifest.contains("sqlx"), "{room}");
    }
}
