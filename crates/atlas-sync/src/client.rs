//! A client of the HTTP API.

use std::{path::Path, time::Duration};

use backon::{ExponentialBuilder, Retryable as _};
use futures_util::StreamExt as _;
use reqwest::{Method, RequestBuilder, Response, multipart};
use serde_json::Value;

use crate::commands::CliError;

/// Talks to one server.
#[derive(Clone)]
pub struct Client {
    http: reqwest::Client,
    base: String,
    key: String,
}

impl Client {
    /// A client of the server at this address (`http://host:port`).
    pub fn new(base: &str, key: &str) -> Result<Self, CliError> {
        // The first to come chooses; any choice is the same.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let mut builder = reqwest::Client::builder().connect_timeout(Duration::from_secs(5));
        // A proxy has no business between two programs of one machine, nor with the key.
        if ["http://127.", "http://localhost", "http://[::1]"]
            .iter()
            .any(|own| base.starts_with(own))
        {
            builder = builder.no_proxy();
        }
        let http = builder.build();
        let http = http.map_err(|error| CliError::failed(format!("no HTTP client: {error}")))?;
        Ok(Self { http, base: base.trim_end_matches('/').to_owned(), key: key.to_owned() })
    }

    /// Where the server answers.
    #[must_use]
    pub fn base(&self) -> &str {
        &self.base
    }

    /// The key it shows.
    #[must_use]
    pub(crate) fn key(&self) -> &str {
        &self.key
    }

    fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(&self.key)
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, CliError> {
        let response = request.send().await.map_err(|_| {
            CliError::unreachable(format!(
                "no server answers at {}: start one with `atlas-sync serve`, or check --server",
                self.base
            ))
        })?;
        if response.status().is_success() {
            return Ok(response);
        }
        let status = response.status().as_u16();
        let body: Value = response.json().await.unwrap_or_default();
        Err(CliError::refused(status, &body))
    }

    async fn json(&self, request: RequestBuilder) -> Result<Value, CliError> {
        let response = self.send(request).await?;
        if response.status().as_u16() == 204 {
            return Ok(Value::Null);
        }
        response
            .json()
            .await
            .map_err(|_| CliError::failed("the server's reply cannot be understood"))
    }

    /// Gets an object; asks again for a while when the server cannot answer at the moment.
    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value, CliError> {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(Duration::from_millis(100))
            .with_max_times(5)
            .with_jitter();
        let ask = || async { self.json(self.request(Method::GET, path).query(query)).await };
        ask.retry(pauses).when(CliError::may_pass).await
    }

    /// Sends an object.
    pub async fn send_json(
        &self,
        method: Method,
        path: &str,
        body: &Value,
    ) -> Result<Value, CliError> {
        self.json(self.request(method, path).json(body)).await
    }

    /// Removes something.
    pub async fn delete(&self, path: &str, query: &[(&str, &str)]) -> Result<(), CliError> {
        self.json(self.request(Method::DELETE, path).query(query)).await.map(drop)
    }

    /// Gets a page as Markdown.
    pub async fn markdown(&self, slug: &str, channel: &str) -> Result<String, CliError> {
        let request = self
            .request(Method::GET, &format!("/api/wiki/pages/{slug}"))
            .query(&[("channel_id", channel)])
            .header("accept", "text/markdown");
        let text = self.send(request).await?.text().await;
        text.map_err(|_| CliError::failed("the server's reply broke off"))
    }

    /// Uploads a file, with what is said of it.
    pub async fn upload(
        &self,
        path: &Path,
        beside: &[(&'static str, String)],
    ) -> Result<Value, CliError> {
        let file = multipart::Part::file(path).await.map_err(|error| {
            CliError::failed(format!("{} cannot be read: {error}", path.display()))
        })?;
        self.upload_part(file, beside).await
    }

    /// Uploads an export that is in memory.
    pub async fn upload_bytes(&self, bytes: Vec<u8>) -> Result<Value, CliError> {
        self.upload_part(multipart::Part::bytes(bytes).file_name("export.zip"), &[]).await
    }

    async fn upload_part(
        &self,
        file: multipart::Part,
        beside: &[(&'static str, String)],
    ) -> Result<Value, CliError> {
        let mut form = multipart::Form::new();
        for (name, value) in beside {
            form = form.text(*name, value.clone());
        }
        self.json(self.request(Method::POST, "/api/imports").multipart(form.part("file", file)))
            .await
    }

    /// Waits until an upload has been read.
    pub async fn wait_for_import(&self, id: &str) -> Result<Value, CliError> {
        loop {
            let import = self.get(&format!("/api/imports/{id}"), &[]).await?;
            match import["status"].as_str() {
                Some("completed") => return Ok(import),
                Some("failed") => {
                    let why =
                        import["error"]["message"].as_str().unwrap_or("the file cannot be read");
                    return Err(CliError::failed(why));
                }
                _ => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }

    /// Calls `told` with the status of a job at each change, until it is over; answers with the last.
    pub async fn follow(
        &self,
        channel: &str,
        job: &str,
        mut told: impl FnMut(&Value),
    ) -> Result<Value, CliError> {
        let query = [("channel_id", channel), ("job_id", job)];
        loop {
            let request = self.request(Method::GET, "/api/sync/events").query(&query);
            let mut stream = self.send(request).await?.bytes_stream();
            let mut text = String::new();
            // A stream that breaks off is opened again: the job goes on without it.
            while let Some(Ok(bytes)) = stream.next().await {
                text.push_str(&String::from_utf8_lossy(&bytes));
                while let Some(end) = text.find("\n\n") {
                    let event: String = text.drain(..end + 2).collect();
                    let data = event.lines().find_map(|line| line.strip_prefix("data: "));
                    let Some(Ok(status)) = data.map(serde_json::from_str::<Value>) else {
                        continue;
                    };
                    told(&status);
                    if is_over(&status) {
                        return Ok(status);
                    }
                }
            }
            let status = self.get("/api/sync/status", &query).await?;
            if is_over(&status) {
                told(&status);
                return Ok(status);
            }
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// All entries of a list that has pages.
    pub async fn all(
        &self,
        path: &str,
        query: &[(&str, &str)],
        name: &str,
    ) -> Result<Vec<Value>, CliError> {
        let mut entries = Vec::new();
        let mut cursor: Option<String> = None;
        loop {
            let mut query = query.to_vec();
            query.push(("limit", "200"));
            if let Some(cursor) = &cursor {
                query.push(("cursor", cursor));
            }
            let page = self.get(path, &query).await?;
            entries.extend(page[name].as_array().cloned().unwrap_or_default());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(entries),
            }
        }
    }
}

fn is_over(status: &Value) -> bool {
    matches!(status["status"].as_str(), Some("completed" | "failed" | "cancelled"))
}
