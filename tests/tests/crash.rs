//! Killing the process: at any moment, in any stage, without losing or doubling anything.
//!
//! The service runs in a child process, which is this very test program told to be one.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use atlas_sync::server::{Doubles, Notice, Server};
use serde_json::{Value, json};
use service::keys;
use system_tests::{Rig, dump, sample_archive};

const CHILD: &str = "ATLAS_TEST_CHILD_DATA";

const STAGES: [&str; 4] =
    ["fetching_messages", "extracting_facts", "building_graph", "generating_wiki"];

/// Kills in a run of this test.
const SEEDS: u64 = 20;

/// Not a test of its own: what the child processes run.
#[test]
fn child_serves() {
    let Some(folder) = std::env::var_os(CHILD) else { return };
    let config = Rig::config_in(Path::new(&folder));
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let _server = Server::start(&config, Doubles::default()).await.unwrap();
        std::future::pending::<()>().await;
    });
}

/// A service in a process of its own.
struct Process {
    child: Child,
    base: String,
    key: String,
    http: reqwest::Client,
}

impl Process {
    async fn start(folder: &Path) -> Self {
        let config = Rig::config_in(folder);
        let _ = std::fs::remove_file(Notice::place(&config));
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child_serves", "--nocapture"])
            .env(CHILD, folder)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let notice: Notice = loop {
            let text = std::fs::read_to_string(Notice::place(&config)).unwrap_or_default();
            match serde_json::from_str(&text) {
                Ok(notice) => break notice,
                Err(_) => {
                    assert!(begun.elapsed() < Duration::from_secs(30), "the child does not start");
                }
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        let key = keys::read(&keys::file(&config)).unwrap().unwrap();
        Self {
            child,
            base: format!("http://{}", notice.address),
            key,
            http: reqwest::Client::new(),
        }
    }

    async fn get(&self, path: &str) -> Value {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(&self.key);
        let text = request.send().await.unwrap().text().await.unwrap();
        serde_json::from_str(&text).unwrap()
    }

    async fn trigger(&self, channel: &str) -> String {
        let request = self.http.post(format!("{}/api/sync", self.base)).bearer_auth(&self.key);
        let text = request
            .json(&json!({"channel_id": channel}))
            .send()
            .await
            .unwrap()
            .text()
            .await
            .unwrap();
        let reply: Value = serde_json::from_str(&text).unwrap();
        reply["job_id"].as_str().unwrap().to_owned()
    }

    async fn status(&self, channel: &str, job: &str) -> Value {
        self.get(&format!("/api/sync/status?channel_id={channel}&job_id={job}")).await
    }

    /// SIGKILL: nothing is finished, nothing is said.
    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// A small, seeded sequence: the same kills in every run.
fn random(seed: u64) -> u64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x51_7c_c1_b7;
    x ^= x >> 30;
    x = x.wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x ^ (x >> 27)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_killed_service_ends_with_the_rows_of_a_calm_one() {
    let mut calm = Rig::start().await;
    let channel = calm.import(sample_archive(|_| true)).await;
    calm.stop().await;
    let imported = std::fs::read(calm.database()).unwrap();
    calm.resume().await;
    calm.sync(&channel).await;
    let expected = dump(&calm.database(), false).await;

    let mut killed_in = std::collections::BTreeMap::new();
    for (seed, stage) in (0..SEEDS).zip(STAGES.iter().cycle().copied()) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("atlas-sync.db");
        std::fs::write(&database, &imported).unwrap();
        let first = Process::start(folder.path()).await;
        let job = first.trigger(&channel).await;
        let stage_reached = loop {
            let status = first.status(&channel, &job).await;
            if status["current_stage"] == stage || status["completed_at"].is_string() {
                break status["current_stage"].clone();
            }
        };
        tokio::time::sleep(Duration::from_micros(random(seed) % 20_000)).await;
        first.kill();
        *killed_in.entry(stage_reached.to_string()).or_insert(0) += 1;

        let second = Process::start(folder.path()).await;
        let begun = Instant::now();
        let ended = loop {
            let status = second.status(&channel, &job).await;
            if status["completed_at"].is_string() {
                break status;
            }
            assert!(begun.elapsed() < Duration::from_secs(60), "seed {seed}: {status}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        };
        second.kill();
        assert_eq!(ended["status"], "completed", "seed {seed}: {ended}");
        let rows = dump(&database, false).await;
        assert!(
            rows == expected,
            "seed {seed}, killed in {stage_reached}: other rows than in a calm run"
        );
    }
    eprintln!("killed in: {killed_in:?}");
}
