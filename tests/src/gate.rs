//! nginx in front of a server, as a limit on calls that we did not write.

use std::{
    fmt::Write as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::given;

/// Longest wait for its start.
const SOON: Duration = Duration::from_secs(10);

/// What may pass.
#[derive(Debug, Clone, Copy)]
pub struct Limit<'l> {
    /// Calls to this path are counted, by their `Authorization`; all others pass.
    pub path: &'l str,
    /// Calls in a minute.
    pub per_minute: u32,
    /// So many more may come at once.
    pub burst: u32,
    /// What a refusal says, in seconds.
    pub retry_after: u32,
    /// The body of a refusal, in JSON.
    pub body: &'l str,
}

/// A call that came.
#[derive(Debug, Clone, PartialEq)]
pub struct Call {
    /// When it came, in seconds.
    pub came_at: f64,
    /// When it was answered.
    pub answered_at: f64,
    /// With what status.
    pub status: u16,
    /// Its path.
    pub path: String,
}

/// A running nginx.
pub struct Gate {
    /// Where it listens: `http://127.0.0.1:PORT`.
    pub url: String,
    folder: TempDir,
    nginx: Child,
}

impl Gate {
    /// Lets calls through to a server (`http://host:port`), as the limit allows.
    pub async fn before(server: &str, limit: Limit<'_>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        std::fs::write(folder.path().join("nginx.conf"), configuration(server, port, limit))
            .unwrap();
        let nginx = Command::new(given("ATLAS_TEST_NGINX"))
            .arg("-p")
            .arg(folder.path())
            .args(["-e", "error.log", "-c", "nginx.conf"])
            .stdin(Stdio::null())
            .spawn()
            .unwrap();
        let gate = Self { url: format!("http://127.0.0.1:{port}"), folder, nginx };
        let begun = Instant::now();
        while tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_err() {
            let refused = gate.file("error.log");
            assert!(begun.elapsed() < SOON, "nginx does not answer: {refused}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        gate
    }

    /// Calls that were counted, in the order of their answers.
    #[must_use]
    pub fn calls(&self, path: &str) -> Vec<Call> {
        let log = self.file("access.log");
        let calls = log.lines().map(|line| {
            let mut words = line.split(' ');
            let mut word = || words.next().unwrap();
            let answered_at: f64 = word().parse().unwrap();
            let took: f64 = word().parse().unwrap();
            Call {
                came_at: answered_at - took,
                answered_at,
                status: word().parse().unwrap(),
                path: word().to_owned(),
            }
        });
        calls.filter(|call| call.path == path).collect()
    }

    fn file(&self, name: &str) -> String {
        std::fs::read_to_string(self.folder.path().join(name)).unwrap_or_default()
    }
}

impl Drop for Gate {
    fn drop(&mut self) {
        let _ = self.nginx.kill();
        let _ = self.nginx.wait();
    }
}

/// One process in the foreground, with nothing outside its folder. Calls without a key are not counted.
fn configuration(server: &str, port: u16, limit: Limit<'_>) -> String {
    let Limit { path, per_minute, burst, retry_after, body } = limit;
    let mut temporary = String::new();
    for kind in ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"] {
        writeln!(temporary, "  {kind}_temp_path {kind};").unwrap();
    }
    format!(
        r#"daemon off;
master_process off;
pid nginx.pid;
events {{ worker_connections 256; }}
http {{
{temporary}
  log_format calls '$msec $request_time $status $uri';
  map_hash_bucket_size 512;
  map $uri $counted {{ default ""; "{path}" $http_authorization; }}
  limit_req_zone $counted zone=calls:1m rate={per_minute}r/m;
  limit_req zone=calls burst={burst} nodelay;
  limit_req_status 429;
  server {{
    listen 127.0.0.1:{port};
    access_log access.log calls;
    error_page 429 @refused;
    location / {{ proxy_pass {server}; }}
    location @refused {{
      internal;
      default_type application/json;
      add_header Retry-After {retry_after} always;
      return 429 '{body}';
    }}
  }}
}}
"#
    )
}
