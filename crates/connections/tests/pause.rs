//! One pause for all workers, against a server that counts.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what tests share is no test itself")]

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use connections::SharedLimiter;
use connectors::{
    ConnectorError,
    http::{Bucket, Client, Dialect, Hosts, Http, Reply},
};
use domain::{JobId, Platform};
use progress::{Progress, memory::MemoryProgress, redis::RedisProgress};

const WORKERS: usize = 32;

/// Calls of each worker.
const CALLS: usize = 3;

/// What the server takes in one of its windows, which is less than workers believe.
const ALLOWED: u32 = 40;
const WINDOW: Duration = Duration::from_secs(2);

/// A slot is held no longer than for the wait that a call may take, and the call.
const HELD: Duration = Duration::from_secs(4);

struct Plain;

impl Dialect for Plain {
    fn platform(&self) -> Platform {
        Platform::Files
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        match (reply.status, reply.retry_after()) {
            (StatusCode::TOO_MANY_REQUESTS, Some(retry_after)) => {
                Err(ConnectorError::RateLimit { retry_after })
            }
            _ => Ok(()),
        }
    }
}

struct Counted {
    /// When the window began, and the calls in it.
    window: Mutex<(Instant, u32)>,
    refused: AtomicU32,
    taken: AtomicU32,
}

async fn count(State(counted): State<Arc<Counted>>) -> Response {
    let mut window = counted.window.lock().unwrap();
    if window.0.elapsed() >= WINDOW {
        *window = (Instant::now(), 0);
    }
    window.1 += 1;
    if window.1 > ALLOWED {
        counted.refused.fetch_add(1, Ordering::SeqCst);
        let left = WINDOW.saturating_sub(window.0.elapsed()).as_secs_f64();
        return (StatusCode::TOO_MANY_REQUESTS, [(header::RETRY_AFTER, format!("{left:.3}"))])
            .into_response();
    }
    counted.taken.fetch_add(1, Ordering::SeqCst);
    "{}".into_response()
}

async fn server() -> (String, Arc<Counted>) {
    let window = Mutex::new((Instant::now(), 0));
    let counted =
        Arc::new(Counted { window, refused: AtomicU32::new(0), taken: AtomicU32::new(0) });
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().route("/", get(count)).with_state(counted.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (address, counted)
}

/// A worker with a limiter of its own, as in a process of its own; given back work waits outside.
async fn work(http: Http) {
    let bucket = || Bucket::new("chat:conn", 50, Duration::from_secs(1), 4);
    for _ in 0..CALLS {
        loop {
            let begun = Instant::now();
            let outcome = http.get("/").bucket(bucket()).send().await;
            assert!(begun.elapsed() < HELD, "a slot was held for {:?}", begun.elapsed());
            match outcome {
                Ok(_) => break,
                Err(ConnectorError::RateLimit { retry_after }) => {
                    assert!(retry_after <= WINDOW, "added up: {retry_after:?}");
                    tokio::time::sleep(retry_after).await;
                }
                Err(error) => panic!("{error}"),
            }
        }
    }
}

async fn share_one_pause(view: impl Fn() -> Arc<dyn Progress>) {
    let _ = rustls::crypto::ring::default_provider().install_default();
    let (address, counted) = server().await;
    let client = Client::new("127.0.0.1".parse::<Hosts>().unwrap(), None).unwrap();
    let workers = (0..WORKERS).map(|_| {
        let limiter = Arc::new(SharedLimiter::new(view()));
        let base = address.parse().unwrap();
        let http = Http::new(client.clone(), base, None, limiter, Arc::new(Plain)).unwrap();
        tokio::spawn(work(http))
    });
    for worker in workers.collect::<Vec<_>>() {
        worker.await.unwrap();
    }
    let (taken, refused) = (&counted.taken, &counted.refused);
    assert_eq!(taken.load(Ordering::SeqCst) as usize, WORKERS * CALLS);
    let refused = refused.load(Ordering::SeqCst);
    assert!((1..10).contains(&refused), "{refused} calls were refused");
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_workers_of_a_process_share_one_pause() {
    let view = Arc::new(MemoryProgress::default());
    share_one_pause(|| view.clone()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn thirty_two_processes_share_one_pause_by_redis() {
    let url = std::env::var("ATLAS_TEST_PROGRESS_URL").unwrap_or_else(|_| {
        panic!("ATLAS_TEST_PROGRESS_URL must name a Redis: run scripts/test, which starts one")
    });
    let prefix = format!("atlas-test-{}", JobId::random());
    share_one_pause(|| Arc::new(RedisProgress::new(&url, &prefix).unwrap())).await;
}
