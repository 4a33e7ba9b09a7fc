//! A way to a service that can be cut.

use std::sync::Arc;

use tokio::{
    net::{TcpListener, TcpStream},
    sync::watch,
    task::JoinHandle,
};

/// Passes connections on to a service until it is cut.
pub struct Proxy {
    /// Where it listens.
    pub port: u16,
    open: Arc<watch::Sender<bool>>,
    task: JoinHandle<()>,
}

impl Proxy {
    /// A way to `host:port`.
    pub async fn to(target: String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let open = Arc::new(watch::Sender::new(true));
        let task = tokio::spawn(pass_all(listener, target, open.clone()));
        Self { port, open, task }
    }

    /// Ends every connection and takes no more.
    pub fn cut(&self) {
        self.open.send_replace(false);
    }

    /// Takes connections again.
    pub fn mend(&self) {
        self.open.send_replace(true);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn pass_all(listener: TcpListener, target: String, open: Arc<watch::Sender<bool>>) {
    loop {
        let Ok((mut client, _)) = listener.accept().await else { return };
        let (target, mut open) = (target.clone(), open.subscribe());
        tokio::spawn(async move {
            if !*open.borrow() {
                return;
            }
            let Ok(mut server) = TcpStream::connect(target).await else { return };
            // Small messages must not wait for each other's acknowledgement.
            let _ = (client.set_nodelay(true), server.set_nodelay(true));
            tokio::select! {
                _ = tokio::io::copy_bidirectional(&mut client, &mut server) => {}
                _ = open.wait_for(|open| !open) => {}
            }
        });
    }
}
