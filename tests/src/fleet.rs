//! The service as operators run it: one process a role, on PostgreSQL, RabbitMQ and Redis.

use std::{
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use domain::JobId;
use store::contract::Schema;
use tempfile::TempDir;

use crate::{Api, Proxy};

/// The key that every gateway takes.
const KEY: &str = "a-key-that-only-tests-have";

/// How long a claim lives, in seconds.
const LEASE: &str = "3";

/// The programs of the roles.
const PROGRAMS: [&str; 6] = [
    "atlas-gateway",
    "atlas-scheduler",
    "atlas-fetch-worker",
    "atlas-extract-worker",
    "atlas-graph-worker",
    "atlas-wiki-worker",
];

/// A running process of the service.
pub struct Member {
    /// Its program.
    pub program: &'static str,
    child: Child,
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

/// Every process of an installation with servers of its own names; ends with this.
pub struct Fleet {
    /// The processes.
    pub members: Vec<Member>,
    /// A client of the gateway.
    pub api: Api,
    /// The way to the database.
    pub database: Proxy,
    /// The way to the broker.
    pub queue: Proxy,
    /// The way to the live view.
    pub progress: Proxy,
    schema: Schema,
    prefix: String,
    variables: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Fleet {
    /// One process of each role, and the given ones beside them.
    pub async fn start(more: &[&'static str]) -> Self {
        build();
        let schema = Schema::create().await;
        let (database, database_url) = through_proxy(schema.url()).await;
        let (queue, queue_url) = through_proxy(&given("ATLAS_TEST_QUEUE_URL")).await;
        let (progress, progress_url) = through_proxy(&given("ATLAS_TEST_PROGRESS_URL")).await;
        let folder = tempfile::tempdir().unwrap();
        let key = folder.path().join("key");
        std::fs::write(&key, KEY).unwrap();
        let master_key = folder.path().join("master-key");
        std::fs::write(&master_key, "a".repeat(64)).unwrap();
        let port = free_port();
        let prefix = format!("atlas-test-{}", JobId::random());
        let variables = vec![
            ("DATABASE_URL", database_url),
            ("QUEUE_URL", queue_url),
            ("PROGRESS_URL", progress_url),
            ("ATLAS_PREFIX", prefix.clone()),
            ("ATLAS_API_KEY_FILE", key.display().to_string()),
            ("ATLAS_MASTER_KEY_FILE", master_key.display().to_string()),
            ("ATLAS_ALLOWED_HOSTS", "127.0.0.1".to_owned()),
            ("ATLAS_LISTEN", format!("127.0.0.1:{port}")),
            ("ATLAS_HEALTH_LISTEN", "127.0.0.1:0".to_owned()),
            ("ATLAS_LEASE_SECONDS", LEASE.to_owned()),
            ("ATLAS_GRACE_SECONDS", "5".to_owned()),
            ("ATLAS_LOG", "info".to_owned()),
        ];
        let api = Api::new(format!("http://127.0.0.1:{port}"), KEY.to_owned());
        let members = Vec::new();
        let mut fleet =
            Self { members, api, database, queue, progress, schema, prefix, variables, folder };
        for program in PROGRAMS.into_iter().chain(more.iter().copied()) {
            fleet.add(program);
        }
        fleet.until_answers().await;
        fleet
    }

    /// Starts one more process.
    pub fn add(&mut self, program: &'static str) {
        let n = self.members.len();
        let log = self.folder.path().join(format!("{program}-{n}.log"));
        let log = std::fs::OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = Command::new(programs().join(program))
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())))
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.members.push(Member { program, child });
    }

    /// Runs a command of the service to its end; answers with whether it has done it.
    #[must_use]
    pub fn command(&self, arguments: &[&str]) -> bool {
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let output = Command::new(programs().join("atlas-sync"))
            .args(arguments)
            .envs(variables)
            .output()
            .unwrap();
        output.status.success()
    }

    /// Gives all processes these master keys, the first to seal with.
    pub fn give_master_keys(&self, keys: &str) {
        std::fs::write(self.folder.path().join("master-key"), keys).unwrap();
    }

    /// Takes a process out of the fleet, by its program.
    pub fn take(&mut self, program: &str) -> Member {
        let n = self.members.iter().position(|member| member.program == program).unwrap();
        self.members.remove(n)
    }

    /// Waits until the gateway answers.
    pub async fn until_answers(&self) {
        let client = reqwest::Client::new();
        let begun = Instant::now();
        while client.get(self.api.base()).send().await.is_err() {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.logs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Where the database is, without the proxy.
    #[must_use]
    pub fn database_url(&self) -> &str {
        self.schema.url()
    }

    /// What names of queues and keys begin with.
    #[must_use]
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// What the processes have logged.
    #[must_use]
    pub fn logs(&self) -> String {
        let mut logs = String::new();
        for entry in std::fs::read_dir(self.folder.path()).unwrap() {
            let path = entry.unwrap().path();
            if path.extension().is_some_and(|extension| extension == "log") {
                let text = std::fs::read_to_string(&path).unwrap();
                let last = text.lines().rev().take(20).collect::<Vec<_>>();
                let last: Vec<_> = last.into_iter().rev().collect();
                logs.push_str(&format!("-- {}\n{}\n", path.display(), last.join("\n")));
            }
        }
        logs
    }
}

impl Drop for Fleet {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("{}", self.logs());
        }
        for member in self.members.drain(..) {
            // A stopped process has to go as well.
            member.kill();
        }
    }
}

fn given(variable: &str) -> String {
    let given = std::env::var(variable);
    assert!(given.is_ok(), "{variable} must be set: run scripts/test, which sets it");
    given.unwrap_or_default()
}

/// A proxy to the server of a URL, and the URL that leads through it.
async fn through_proxy(url: &str) -> (Proxy, String) {
    let (scheme, rest) = url.split_once("://").unwrap();
    let end = rest.find(['/', '?']).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let (user, host) = match authority.rsplit_once('@') {
        Some((user, host)) => (format!("{user}@"), host),
        None => (String::new(), authority),
    };
    let proxy = Proxy::to(host.to_owned()).await;
    let through = format!("{scheme}://{user}127.0.0.1:{}{path}", proxy.port);
    (proxy, through)
}

fn free_port() -> u16 {
    std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
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
        let programs = PROGRAMS.iter().chain(&["atlas-sync"]);
        let bins = programs.flat_map(|program| ["--bin", program]);
        let status = Command::new(env!("CARGO"))
            .args(["build", "--quiet", "--workspace", "--locked"])
            .args(bins)
            .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
            .status()
            .unwrap();
        assert!(status.success(), "the programs cannot be built");
    });
}
