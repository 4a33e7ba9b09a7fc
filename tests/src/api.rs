//! A client of a running service.

use std::time::{Duration, Instant};

use reqwest::{Method, StatusCode};
use serde_json::{Value, json};

use crate::command_line;

/// Longest wait for what must come.
const SOON: Duration = Duration::from_secs(180);

/// What the API replied.
#[derive(Debug)]
pub struct Reply {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: reqwest::header::HeaderMap,
    /// The body; null when it is no JSON.
    pub body: Value,
    /// The body as text.
    pub text: String,
}

impl Reply {
    /// The error code of a refusal.
    #[must_use]
    pub fn code(&self) -> &str {
        self.body["error"]["code"].as_str().unwrap_or_default()
    }
}

/// A client with a key.
pub struct Api {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Api {
    /// A client of the service at an address.
    #[must_use]
    pub fn new(base: String, key: String) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        Self { http: reqwest::Client::new(), base, key }
    }

    /// Where the API answers.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// A request with the key.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key)
    }

    /// Sends a request.
    pub async fn send(&self, request: reqwest::RequestBuilder) -> Reply {
        Self::read(request.send().await.unwrap()).await
    }

    /// Sends a request to a service that may not answer at the moment.
    pub async fn try_send(&self, request: reqwest::RequestBuilder) -> Option<Reply> {
        let response = request.timeout(Duration::from_secs(5)).send().await.ok()?;
        Some(Self::read(response).await)
    }

    async fn read(response: reqwest::Response) -> Reply {
        let (status, headers) = (response.status(), response.headers().clone());
        let text = response.text().await.unwrap();
        let body = serde_json::from_str(&text).unwrap_or_default();
        Reply { status, headers, body, text }
    }

    /// Gets.
    pub async fn get(&self, path: &str) -> Reply {
        self.send(self.request(Method::GET, path)).await
    }

    /// Posts an object.
    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::POST, path).json(body)).await
    }

    /// Puts an object.
    pub async fn put(&self, path: &str, body: &Value) -> Reply {
        self.send(self.request(Method::PUT, path).json(body)).await
    }

    /// Deletes.
    pub async fn delete(&self, path: &str) -> Reply {
        self.send(self.request(Method::DELETE, path)).await
    }

    /// Uploads an export and waits until it has been read; answers with its first channel.
    pub async fn import(&self, archive: Vec<u8>) -> String {
        let import = self.upload(archive).await;
        assert_eq!(import["status"], "completed", "{import}");
        import["channels"][0].as_str().unwrap().to_owned()
    }

    /// Uploads an export and waits until it has been read, or refused.
    pub async fn upload(&self, archive: Vec<u8>) -> Value {
        let file = reqwest::multipart::Part::bytes(archive).file_name("export.zip");
        let form = reqwest::multipart::Form::new().part("file", file);
        let reply = self.send(self.request(Method::POST, "/api/imports").multipart(form)).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
        let path = format!("/api/imports/{}", reply.body["id"].as_str().unwrap());
        self.until(async || {
            let import = self.get(&path).await.body;
            matches!(import["status"].as_str(), Some("completed" | "failed")).then_some(import)
        })
        .await
    }

    /// Triggers a sync; answers with its job.
    pub async fn trigger(&self, channel: &str, force: bool) -> String {
        let reply = self.post("/api/sync", &json!({"channel_id": channel, "force": force})).await;
        assert_eq!(reply.status, StatusCode::ACCEPTED, "{}", reply.text);
        reply.body["job_id"].as_str().unwrap().to_owned()
    }

    /// The status of a job.
    pub async fn status(&self, channel: &str, job: &str) -> Value {
        self.get(&format!("/api/sync/status?channel_id={channel}&job_id={job}")).await.body
    }

    /// Waits for a job's end; answers with its last status.
    pub async fn finished(&self, channel: &str, job: &str) -> Value {
        self.until(async || {
            let status = self.status(channel, job).await;
            status["completed_at"].is_string().then_some(status)
        })
        .await
    }

    /// Synchronises a channel; answers with the last status, which must be `completed`.
    pub async fn sync(&self, channel: &str) -> Value {
        let job = self.trigger(channel, false).await;
        let status = self.finished(channel, &job).await;
        assert_eq!(status["status"], "completed", "{status}");
        status
    }

    /// What a command tells an operator who asks this service; its exit code and complaint where it fails.
    pub fn command(&self, arguments: &[&str]) -> Result<String, (i32, String)> {
        let told = command_line()
            .args(arguments)
            .env("ATLAS_SERVER", &self.base)
            .env("ATLAS_API_KEY", &self.key)
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        match told.status.success() {
            true => Ok(text(told.stdout)),
            false => Err((told.status.code().unwrap(), text(told.stderr))),
        }
    }

    /// Waits until something is there.
    pub async fn until<T>(&self, look: impl AsyncFn() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = look().await {
                return found;
            }
            assert!(begun.elapsed() < SOON, "it did not come");
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    }
}
