//! The service as operators run it: one process a role, on PostgreSQL, RabbitMQ and Redis.

mod member;
mod servers;

use std::{
    fs::OpenOptions,
    path::{Path, PathBuf},
    process::Stdio,
    time::{Duration, Instant},
};

use domain::{JobId, Stage};
use serde_json::Value;
use store::contract::Schema;
use tempfile::TempDir;

use self::servers::{delete_queues, free_port, through_proxy};
pub use self::{member::Member, servers::given};
use crate::{
    Api, Proxy, Scraped,
    programs::{PROGRAMS, command, command_line},
};

/// The key that every gateway takes.
const KEY: &str = "a-key-that-only-tests-have";

/// How long a claim lives, in seconds.
const LEASE: &str = "3";

/// Of what a fleet is made, beside one process of each role.
#[derive(Debug, Default, Clone)]
pub struct Crew {
    /// Programs to start once more.
    pub more: Vec<&'static str>,
    /// Programs whose role is to work with the doubles that the variables name.
    pub doubled: Vec<&'static str>,
    /// Variables of all of them.
    pub variables: Vec<(&'static str, String)>,
}

impl Crew {
    /// One process of each role, and these.
    #[must_use]
    pub fn with(more: &[&'static str]) -> Self {
        Self { more: more.to_vec(), ..Self::default() }
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
    crew: Crew,
    variables: Vec<(&'static str, String)>,
    folder: TempDir,
}

impl Fleet {
    /// One process of each role, and the given ones beside them.
    pub async fn start(more: &[&'static str]) -> Self {
        Self::start_with(Crew::with(more)).await
    }

    /// The processes of a crew.
    pub async fn start_with(crew: Crew) -> Self {
        let schema = Schema::create().await;
        let (database, database_url) = through_proxy(schema.url()).await;
        let (queue, queue_url) = through_proxy(&given("ATLAS_TEST_QUEUE_URL")).await;
        let (progress, progress_url) = through_proxy(&given("ATLAS_TEST_PROGRESS_URL")).await;
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let prefix = format!("atlas-test-{}", JobId::random());
        let mut variables = settings(folder.path(), port, &prefix);
        variables.extend([
            ("DATABASE_URL", database_url),
            ("QUEUE_URL", queue_url),
            ("PROGRESS_URL", progress_url),
        ]);
        variables.extend(crew.variables.iter().cloned());
        let api = Api::new(format!("http://127.0.0.1:{port}"), KEY.to_owned());
        let members = Vec::new();
        let mut fleet = Self {
            members,
            api,
            database,
            queue,
            progress,
            schema,
            prefix,
            crew,
            variables,
            folder,
        };
        fleet.start_all().await;
        fleet
    }

    /// Starts the whole crew.
    pub async fn start_all(&mut self) {
        for program in PROGRAMS.into_iter().chain(self.crew.more.clone()) {
            self.add(program);
        }
        self.until_answers().await;
    }

    /// Asks every process to end, and waits until it has.
    pub fn end_all(&mut self) {
        for member in self.members.drain(..) {
            let program = member.program;
            assert!(member.end(), "{program} ends in order");
        }
    }

    /// Starts one more process.
    pub fn add(&mut self, program: &'static str) {
        self.add_with(program, &[]);
    }

    /// Starts one more process with variables of its own.
    pub fn add_with(&mut self, program: &'static str, own: &[(&str, &str)]) {
        let health = format!("127.0.0.1:{}", free_port());
        let log = self.folder.path().join(format!("{program}.log"));
        let log = OpenOptions::new().create(true).append(true).open(log).unwrap();
        let child = command(program, self.crew.doubled.contains(&program))
            .envs(self.variables.iter().map(|(name, value)| (*name, value.as_str())))
            .env("ATLAS_HEALTH_LISTEN", &health)
            .envs(own.iter().copied())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        self.members.push(Member { program, health, child });
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

    /// Waits until the newest process of a program is ready.
    pub async fn until_ready(&self, program: &str) {
        let member = self.members.iter().rfind(|member| member.program == program).unwrap();
        let ready = format!("http://{}/health/ready", member.health);
        let client = reqwest::Client::new();
        let begun = Instant::now();
        while !client.get(&ready).send().await.is_ok_and(|reply| reply.status().is_success()) {
            assert!(begun.elapsed() < Duration::from_secs(60), "{}", self.logs());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    /// Another way to the broker, for one process.
    pub async fn own_way_to_queue(&self) -> (Proxy, String) {
        through_proxy(&given("ATLAS_TEST_QUEUE_URL")).await
    }

    /// Another client of the gateway.
    #[must_use]
    pub fn client(&self) -> Api {
        Api::new(self.api.base().to_owned(), KEY.to_owned())
    }

    /// Runs a command that works on the database as the processes do; answers with whether it has done it.
    #[must_use]
    pub fn administer(&self, arguments: &[&str]) -> bool {
        let variables = self.variables.iter().map(|(name, value)| (*name, value.as_str()));
        let told = command_line().args(arguments).envs(variables).output().unwrap();
        told.status.success()
    }

    /// Gives all processes these master keys, the first to seal with.
    pub fn give_master_keys(&self, keys: &str) {
        std::fs::write(master_key(self.folder.path()), keys).unwrap();
    }

    /// Starts again whatever has ended, as what runs the processes does; answers with what that was.
    pub fn revive(&mut self) -> Vec<&'static str> {
        let ended = self.members.extract_if(.., |member| !member.runs());
        let ended: Vec<_> = ended.map(|member| member.program).collect();
        for program in &ended {
            self.add(program);
        }
        ended
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

    /// What the processes of a program measure, all of them together.
    pub async fn measured(&self, program: &str) -> Scraped {
        let of_program = self.members.iter().filter(|member| member.program == program);
        Scraped::from(of_program.map(|member| member.health.as_str())).await
    }

    /// What all processes measure.
    pub async fn all_measured(&self) -> Scraped {
        Scraped::from(self.members.iter().map(|member| member.health.as_str())).await
    }

    /// Takes a stage's queue off the broker.
    pub async fn delete_queue(&self, stage: Stage) {
        let queue = format!("{}.{}", self.prefix, stage.as_str());
        servers::delete(&given("ATLAS_TEST_QUEUE_URL"), &[queue]).await.unwrap();
    }

    /// What the processes have logged, where they log JSON.
    #[must_use]
    pub fn log_lines(&self) -> Vec<Value> {
        let files = std::fs::read_dir(self.folder.path()).unwrap();
        let logs = files
            .map(|entry| entry.unwrap().path())
            .filter(|path| path.extension().is_some_and(|extension| extension == "log"));
        let texts: Vec<_> = logs.map(|path| std::fs::read_to_string(path).unwrap()).collect();
        // The last line may be half written.
        let lines = texts.iter().flat_map(|text| text.lines());
        lines.filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// The last that the processes have logged.
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
        delete_queues(given("ATLAS_TEST_QUEUE_URL"), self.prefix.clone());
    }
}

/// What every process of a fleet is told, beside where its servers are.
fn settings(folder: &Path, port: u16, prefix: &str) -> Vec<(&'static str, String)> {
    let key = folder.join("key");
    std::fs::write(&key, KEY).unwrap();
    std::fs::write(master_key(folder), "a".repeat(64)).unwrap();
    vec![
        ("ATLAS_PREFIX", prefix.to_owned()),
        ("ATLAS_API_KEY_FILE", key.display().to_string()),
        ("ATLAS_DATA_FOLDER", folder.display().to_string()),
        ("ATLAS_MASTER_KEY_FILE", master_key(folder).display().to_string()),
        ("ATLAS_ALLOWED_HOSTS", "127.0.0.1".to_owned()),
        ("ATLAS_LISTEN", format!("127.0.0.1:{port}")),
        ("ATLAS_LEASE_SECONDS", LEASE.to_owned()),
        ("ATLAS_GRACE_SECONDS", "5".to_owned()),
        ("ATLAS_LOG", "info".to_owned()),
    ]
}

fn master_key(folder: &Path) -> PathBuf {
    folder.join("master-key")
}
