//! Polling the status while a sync runs, beside a bare handler that returns the same bytes.

use std::{
    net::SocketAddr,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{Router, http::header, routing::get};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
    task::JoinSet,
};

use super::{Bench, median, rounded};
use crate::{commands::CliError, server::Doubles};

/// Connections that poll at the same time.
const CLIENTS: usize = 8;

/// One slice of load on one of the two.
const SLICE: Duration = Duration::from_millis(250);

pub(super) async fn measure(export: &Path) -> Result<Value, CliError> {
    let bench = Bench::start(Doubles::default()).await?;
    let (channel, _) = bench.import(export).await?;
    bench.sync(&channel).await?;
    let path = format!("/api/sync/status?channel_id={channel}");
    let bytes =
        bench.client.get("/api/sync/status", &[("channel_id", &channel)]).await?.to_string();
    let bare = serve_bare(bytes).await?;
    let request = |address: SocketAddr, path: &str| {
        format!(
            "GET {path} HTTP/1.1\r\nHost: {address}\r\nAuthorization: Bearer {}\r\n\r\n",
            bench.client.key()
        )
    };
    let requests =
        [(bare, request(bare, "/")), (bench.server.address, request(bench.server.address, &path))];
    let (mut bare_rates, mut status_rates) = (vec![], vec![]);
    let mut errors = 0;
    let body = json!({"channel_id": channel, "force": true});
    let started = bench.client.send_json(reqwest::Method::POST, "/api/sync", &body).await?;
    let job = started["job_id"].as_str().unwrap_or_default().to_owned();
    loop {
        for (n, (address, request)) in requests.iter().enumerate() {
            let (rate, failed) = load(*address, request).await;
            errors += failed;
            if n == 0 { bare_rates.push(rate) } else { status_rates.push(rate) }
        }
        let query = [("channel_id", channel.as_str()), ("job_id", job.as_str())];
        let status = bench.client.get("/api/sync/status", &query).await?;
        if status["completed_at"].is_string() {
            break;
        }
    }
    bench.stop().await;
    let (bare, status) = (median(bare_rates), median(status_rates));
    Ok(json!({
        "bare_requests_per_second": bare.round(),
        "status_requests_per_second": status.round(),
        "share": rounded(status / bare),
        "errors": errors,
    }))
}

async fn serve_bare(bytes: String) -> Result<SocketAddr, CliError> {
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await?;
    let address = listener.local_addr()?;
    let reply =
        move || std::future::ready(([(header::CONTENT_TYPE, "application/json")], bytes.clone()));
    tokio::spawn(axum::serve(listener, Router::new().route("/", get(reply))).into_future());
    Ok(address)
}

/// Requests a second over a slice, and how many failed.
async fn load(address: SocketAddr, request: &str) -> (f64, u64) {
    let (answered, failed) = (Arc::new(AtomicU64::new(0)), Arc::new(AtomicU64::new(0)));
    let begun = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..CLIENTS {
        let (answered, failed, request) = (answered.clone(), failed.clone(), request.to_owned());
        clients.spawn(async move {
            if poll(address, &request, begun, &answered).await.is_err() {
                failed.fetch_add(1, Ordering::Relaxed);
            }
        });
    }
    clients.join_all().await;
    #[expect(clippy::cast_precision_loss, reason = "a rate")]
    let rate = answered.load(Ordering::Relaxed) as f64 / begun.elapsed().as_secs_f64();
    (rate, failed.load(Ordering::Relaxed))
}

/// A client as cheap as can be, so that the server is what is measured: one connection, one request at a
/// time, the reply read by its length.
async fn poll(
    address: SocketAddr,
    request: &str,
    begun: Instant,
    answered: &AtomicU64,
) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut reply = Vec::with_capacity(8_192);
    while begun.elapsed() < SLICE {
        stream.write_all(request.as_bytes()).await?;
        reply.clear();
        while !is_whole(&reply) {
            if stream.read_buf(&mut reply).await? == 0 {
                return Err(std::io::ErrorKind::UnexpectedEof.into());
            }
        }
        if !reply.starts_with(b"HTTP/1.1 200") {
            return Err(std::io::ErrorKind::InvalidData.into());
        }
        answered.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

fn is_whole(reply: &[u8]) -> bool {
    let Some(end) = reply.windows(4).position(|four| four == b"\r\n\r\n") else { return false };
    let head = String::from_utf8_lossy(&reply[..end]).to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length:"));
    let length: usize = length.and_then(|length| length.trim().parse().ok()).unwrap_or(0);
    reply.len() >= end + 4 + length
}
