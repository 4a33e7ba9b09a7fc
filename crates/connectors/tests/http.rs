//! The way out, against servers that listen.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::IntoResponse,
    routing::get,
};
use connectors::{
    ConnectorError,
    http::{Client, Dialect, Forbidden, Hosts, Http, Reply, Unlimited},
};
use domain::{Classify as _, ErrorCode, Platform, Retry};
use url::Url;

struct Plain;

impl Dialect for Plain {
    fn platform(&self) -> Platform {
        Platform::Files
    }

    fn classify(&self, reply: &Reply) -> Result<(), ConnectorError> {
        match reply.status.is_success() {
            true => Ok(()),
            false => Err(ConnectorError::Platform(format!("it answered {}", reply.status))),
        }
    }
}

/// How often a server was called, and whether it was shown a credential.
#[derive(Default)]
struct Seen {
    calls: AtomicUsize,
    credentials: AtomicUsize,
}

async fn server(router: impl FnOnce(u16) -> Router<Arc<Seen>>) -> (u16, Arc<Seen>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let seen = Arc::new(Seen::default());
    let router = router(port).with_state(seen.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    (port, seen)
}

async fn note(State(seen): State<Arc<Seen>>, headers: HeaderMap) -> &'static str {
    seen.calls.fetch_add(1, Ordering::SeqCst);
    if headers.contains_key(header::AUTHORIZATION) {
        seen.credentials.fetch_add(1, Ordering::SeqCst);
    }
    "{}"
}

fn client(list: &str) -> Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    Client::new(list.parse::<Hosts>().unwrap(), None).unwrap()
}

fn http(client: Client, base: &str) -> Result<Http, ConnectorError> {
    let base = Url::parse(base).unwrap();
    Http::new(client, base, Some("Bearer secret"), Arc::new(Unlimited), Arc::new(Plain))
}

#[tokio::test]
async fn a_name_that_stands_for_an_address_inside_is_refused_by_the_resolver() {
    let (port, seen) = server(|_| Router::new().route("/", get(note))).await;
    // By its form the address is as good as any.
    let http = http(client(""), &format!("https://localhost:{port}")).unwrap();
    let error = http.get("/").send().await.unwrap_err();
    assert_eq!(error, ConnectorError::Address(Forbidden::Private));
    assert_eq!((error.sync_error().code, error.retry()), (ErrorCode::AuthError, Retry::Never));
    assert_eq!(seen.calls.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_listed_host_is_called_and_shown_the_credential() {
    let (port, seen) = server(|_| Router::new().route("/", get(note))).await;
    for host in ["localhost", "127.0.0.1"] {
        let http = http(client(host), &format!("http://{host}:{port}")).unwrap();
        http.get("/").send().await.unwrap();
    }
    assert_eq!(seen.credentials.load(Ordering::SeqCst), 2);
    let refused = http(client("127.0.0.1:1"), &format!("http://127.0.0.1:{port}"));
    assert_eq!(refused.err(), Some(ConnectorError::Address(Forbidden::Unencrypted)));
}

#[tokio::test]
async fn no_redirect_is_followed_and_no_link_to_another_server() {
    let (elsewhere, stranger) = server(|_| Router::new().route("/", get(note))).await;
    let away = format!("http://127.0.0.1:{elsewhere}/");
    let target = away.clone();
    let (port, _) =
        server(|_| Router::new().route("/", get(move || async { redirect(target) }))).await;
    let http = http(client("127.0.0.1"), &format!("http://127.0.0.1:{port}")).unwrap();
    assert!(matches!(http.get("/").send().await, Err(ConnectorError::Platform(_))));
    assert!(matches!(http.get_url(&away).send().await, Err(ConnectorError::Platform(_))));
    assert_eq!(stranger.calls.load(Ordering::SeqCst), 0);
}

fn redirect(to: String) -> impl IntoResponse {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)])
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let endless = || async {
        let piece = axum::body::Bytes::from(vec![b'x'; 1 << 20]);
        let pieces =
            futures_util::stream::repeat_with(move || Ok::<_, std::io::Error>(piece.clone()));
        axum::body::Body::from_stream(pieces)
    };
    let (port, _) = server(|_| Router::new().route("/", get(endless))).await;
    let http = http(client("127.0.0.1"), &format!("http://127.0.0.1:{port}")).unwrap();
    let cut = tokio::time::timeout(Duration::from_secs(60), http.get("/").send()).await.unwrap();
    assert!(cut.unwrap_err().to_string().contains("32 MiB"));
}

#[tokio::test]
async fn no_error_repeats_an_address_or_what_it_carries() {
    let http = http(client("127.0.0.1"), "http://127.0.0.1:1").unwrap();
    let error = http.get("/secret-path").query(&[("token", "secret")]).send().await.unwrap_err();
    let told = format!("{error} {error:?}");
    assert!(!told.contains("secret") && !told.contains("127.0.0.1"), "{told}");
}
