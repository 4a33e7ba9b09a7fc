//! A way to a service that can be cut, slow, or deaf in one direction.

use std::{sync::Arc, time::Duration};

use tokio::{
    io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// What becomes of what is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Way {
    /// It arrives.
    Open,
    /// It arrives after a while, each piece by itself.
    Slow(Duration),
    /// What the client sends is swallowed; it is not told.
    Mute,
    /// What the server sends is swallowed; it is not told.
    Deaf,
    /// Connections end, and none is taken.
    Cut,
}

/// Passes connections on to a service.
///
/// A connection of which something was swallowed stays as it is until one of its ends lets go of it:
/// nobody can make good what was lost.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    way: Arc<watch::Sender<Way>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A way to `host:port`.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let way = Arc::new(watch::Sender::new(Way::Open));
        let task = tokio::spawn(pass_all(listener, target, way.clone()));
        Self { port, way, task }
    }

    /// Changes what becomes of what is sent, on connections that there are and on new ones.
    pub fn set(&self, way: Way) {
        self.way.send_replace(way);
    }

    /// Ends every connection and takes no more.
    pub fn cut(&self) {
        self.set(Way::Cut);
    }

    /// Passes everything on again.
    pub fn mend(&self) {
        self.set(Way::Open);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_all(listener: TcpListener, target: String, way: Arc<watch::Sender<Way>>) {
    loop {
        let Ok((client, _)) = listener.accept().await else { return };
        let (target, mut cut, way) = (target.clone(), way.subscribe(), way.subscribe());
        tokio::spawn(async move {
            tokio::select! {
                biased;
                _ = cut.wait_for(|way| *way == Way::Cut) => {}
                () = pass(client, target, way) => {}
            }
        });
    }
}

async fn pass(client: TcpStream, target: String, way: watch::Receiver<Way>) {
    let Ok(server) = TcpStream::connect(target).await else { return };
    // Small messages must not wait for each other's acknowledgement.
    let _ = (client.set_nodelay(true), server.set_nodelay(true));
    let ((client_reads, client_writes), (server_reads, server_writes)) =
        (client.into_split(), server.into_split());
    tokio::select! {
        () = pump(client_reads, server_writes, way.clone(), Way::Mute) => {}
        () = pump(server_reads, client_writes, way, Way::Deaf) => {}
    }
}

/// Passes one direction on until one of its ends is gone.
async fn pump(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    way: watch::Receiver<Way>,
    swallows: Way,
) {
    let mut piece = vec![0; 16 * 1024];
    let mut swallowed = false;
    while let Ok(length @ 1..) = from.read(&mut piece).await {
        let now = *way.borrow();
        if let Way::Slow(by) = now {
            tokio::time::sleep(by).await;
        }
        swallowed |= now == swallows;
        if !swallowed && to.write_all(&piece[..length]).await.is_err() {
            return;
        }
    }
}
