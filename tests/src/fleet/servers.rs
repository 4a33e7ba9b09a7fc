//! The servers that a fleet works on, and what it has of its own there.

use std::sync::atomic::{AtomicU32, Ordering};

use domain::Stage;

use crate::Proxy;

/// What a variable says that names a server.
#[must_use]
pub fn given(variable: &str) -> String {
    let given = std::env::var(variable);
    assert!(given.is_ok(), "{variable} must be set: run scripts/test, which sets it");
    given.unwrap_or_default()
}

/// A proxy to the server of a URL, and the URL that leads through it.
pub(super) async fn through_proxy(url: &str) -> (Proxy, String) {
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

/// A port that nobody listens on. Below those that systems give to connections, any of which might take
/// it before a process that is to listen has started.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    loop {
        let n = std::process::id().wrapping_mul(251) + NEXT.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(10_000 + n % 10_000).unwrap();
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
}

/// Takes the queues of a prefix off the broker. Waits on a thread of its own: it is called where nothing
/// can be awaited.
pub(super) fn delete_queues(url: String, prefix: String) {
    let deleted = std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let names = Stage::ALL.map(Stage::as_str);
        let queues: Vec<_> =
            names.iter().chain(&["dead"]).map(|name| format!("{prefix}.{name}")).collect();
        // Where the broker is gone, its queues are not worth a second failure.
        let _ = runtime.block_on(delete(&url, &queues));
    });
    let _ = deleted.join();
}

pub(super) async fn delete(url: &str, queues: &[String]) -> lapin::Result<()> {
    let link = lapin::Connection::connect(url, lapin::ConnectionProperties::default()).await?;
    let broker = link.create_channel().await?;
    for queue in queues {
        broker.queue_delete(queue.as_str().into(), Default::default()).await?;
    }
    link.close(200, "done".into()).await
}
