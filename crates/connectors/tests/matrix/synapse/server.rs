//! A Synapse of a test's own, from the copy that scripts/services has made.

use std::{
    collections::BTreeMap,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};

use connectors::{Account, contract::Mirror, matrix};
use domain::Platform;
use serde_json::{Value, json};
use tokio::sync::OnceCell;

use crate::platform::{self, Row};

/// How long a start may take on a busy machine.
const STARTED: Duration = Duration::from_secs(90);

/// Runs until its input ends, as it does when the test's process does; then nothing is left.
const RUN: &str = r#""$0" -m synapse.app.homeserver -c homeserver.yaml -c listener.yaml >out.log 2>&1 &
read -r _; kill $!; wait; rm -rf "$PWD""#;

fn made() -> PathBuf {
    let named = std::env::var("ATLAS_TEST_SYNAPSE");
    named.expect("ATLAS_TEST_SYNAPSE names an installed Synapse: run scripts/test").into()
}

/// A running server.
pub(crate) struct Server {
    pub(crate) url: String,
    /// What was said there, by whom, with which tokens.
    pub(crate) seed: Value,
    process: Child,
}

pub(crate) fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    listener.local_addr().expect("an address").port()
}

/// The one that all tests talk to which let it run.
pub(crate) async fn shared() -> &'static Server {
    static SHARED: OnceCell<Server> = OnceCell::const_new();
    SHARED.get_or_init(|| Server::start("late", free_port())).await
}

impl Server {
    /// Starts with what was said by then.
    pub(crate) async fn start(half: &str, port: u16) -> Self {
        let folder = std::env::temp_dir().join(format!("atlas-synapse-{port}-{half}"));
        std::fs::create_dir(&folder).expect("a folder");
        for entry in std::fs::read_dir(made().join(half)).expect("a filled Synapse") {
            let entry = entry.expect("a file");
            if entry.file_type().expect("a kind").is_file() {
                std::fs::copy(entry.path(), folder.join(entry.file_name())).expect("a copy");
            }
        }
        let listener = json!({"listeners": [{"port": port, "bind_addresses": ["127.0.0.1"],
            "type": "http", "resources": [{"names": ["client"]}]}]});
        std::fs::write(folder.join("listener.yaml"), listener.to_string()).expect("a port");
        let seed = std::fs::read(folder.join("seed.json")).expect("what was said");
        let mut command = Command::new("sh");
        command.args(["-c", RUN]).arg(made().join("venv/bin/python"));
        let process = command.current_dir(&folder).stdin(Stdio::piped()).spawn().expect("a server");
        let url = format!("http://127.0.0.1:{port}");
        let server = Self { url, seed: serde_json::from_slice(&seed).expect("JSON"), process };
        server.until_ready().await;
        server
    }

    async fn until_ready(&self) {
        let (http, begun) = (http(), Instant::now());
        let ready = || async { http.get(format!("{}/health", self.url)).send().await };
        while !ready().await.is_ok_and(|reply| reply.status().is_success()) {
            assert!(begun.elapsed() < STARTED, "Synapse does not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Ends it, and waits until it has.
    pub(crate) fn stop(mut self) {
        drop(self.process.stdin.take());
        self.process.wait().expect("an end");
    }

    pub(crate) fn token(&self, name: &str) -> &str {
        self.seed["tokens"][name].as_str().expect("a token")
    }

    /// The account that we read with.
    pub(crate) fn account(&self) -> Arc<dyn Account> {
        account(&self.url, self.token("helper"))
    }

    pub(crate) fn seeded_room(&self) -> &str {
        self.seed["room"].as_str().expect("a room")
    }

    /// What a reader has to find in the room that was filled.
    pub(crate) fn seeded_rows(&self) -> BTreeMap<String, Row> {
        let rows = self.seed["rows"].as_object().expect("rows").iter();
        rows.map(|(id, row)| (id.clone(), self::row(row))).collect()
    }

    /// Asks as somebody; panics at what is refused.
    pub(crate) async fn call(&self, token: &str, method: &str, path: &str, body: Value) -> Value {
        let method = method.parse().expect("a method");
        let request = http().request(method, format!("{}/_matrix/client/v3/{path}", self.url));
        let request = request.bearer_auth(token).body(body.to_string());
        let reply = request.send().await.expect("an answer");
        let status = reply.status();
        let body = reply.bytes().await.expect("an answer");
        assert!(status.is_success(), "{path}: {}", String::from_utf8_lossy(&body));
        serde_json::from_slice(&body).expect("JSON")
    }
}

fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

pub(crate) fn account(url: &str, token: &str) -> Arc<dyn Account> {
    matrix::open(platform::access(url, json!({"token": token}))).expect("an account")
}

pub(crate) fn mirror(room: &str) -> Mirror {
    Mirror::new(platform::channel(Platform::Matrix, room))
}

fn row(row: &Value) -> Row {
    let text = |name: &str| row[name].as_str().map(str::to_owned);
    Row {
        text: text("text").expect("a text"),
        reply_to: text("reply_to"),
        edited_at_ms: row["edited_at_ms"].as_i64(),
        reactions: usize::try_from(row["reactions"].as_u64().expect("a number")).expect("a number"),
        author: text("author").expect("an author"),
    }
}
