//! The one writer, and who is next.
//!
//! Two lanes lead to the connection. Ordinary transactions pass a gate one by one; an urgent one does
//! not, so it waits for at most the transaction that is running and one that has passed the gate.

use std::{
    ops::{Deref, DerefMut},
    sync::Arc,
};

use sqlx::{Executor as _, SqliteConnection};
use tokio::sync::{Mutex, OwnedMutexGuard, OwnedSemaphorePermit, Semaphore};

#[derive(Debug)]
pub(crate) struct Writer {
    gate: Arc<Semaphore>,
    inner: Arc<Mutex<Inner>>,
}

#[derive(Debug)]
pub(crate) struct Inner {
    connection: SqliteConnection,
    /// Whether a transaction was begun and neither committed nor rolled back: its future was dropped.
    open: bool,
    /// Whether commits wait for the disk.
    durable: bool,
}

/// A transaction on the writer; dropped without [`Write::commit`] nothing of it remains.
pub(crate) struct Write {
    _turn: Option<OwnedSemaphorePermit>,
    inner: OwnedMutexGuard<Inner>,
}

impl Writer {
    /// Takes over a connection whose commits do not wait for the disk.
    pub(super) fn new(connection: SqliteConnection) -> Self {
        let inner = Inner { connection, open: false, durable: false };
        Self { gate: Arc::new(Semaphore::new(1)), inner: Arc::new(Mutex::new(inner)) }
    }

    /// An ordinary transaction: a crash of the machine may undo it, a crash of the process not.
    pub(crate) async fn begin(&self) -> sqlx::Result<Write> {
        // The gate is never closed.
        let turn = self.gate.clone().acquire_owned().await.ok();
        self.start(turn, false).await
    }

    /// A transaction that goes first.
    pub(crate) async fn begin_urgent(&self) -> sqlx::Result<Write> {
        self.start(None, false).await
    }

    /// A transaction that goes first and is on the disk once committed: what a client was promised.
    pub(crate) async fn begin_durable(&self) -> sqlx::Result<Write> {
        self.start(None, true).await
    }

    async fn start(
        &self,
        turn: Option<OwnedSemaphorePermit>,
        durable: bool,
    ) -> sqlx::Result<Write> {
        let mut inner = self.inner.clone().lock_owned().await;
        inner.roll_back().await;
        inner.set_durable(durable).await?;
        // Set first: a future dropped during BEGIN leaves a transaction behind as well.
        inner.open = true;
        inner.connection.execute("BEGIN IMMEDIATE").await?;
        Ok(Write { _turn: turn, inner })
    }

    pub(crate) async fn close(&self) {
        let mut inner = self.inner.lock().await;
        inner.roll_back().await;
        // What cannot be moved into the file now is moved by the next one who opens it.
        let _ = inner.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").await;
    }
}

impl Inner {
    async fn roll_back(&mut self) {
        if self.open {
            // Fails when SQLite has rolled back by itself, as it does on a full disk.
            let _ = self.connection.execute("ROLLBACK").await;
            self.open = false;
        }
    }

    async fn set_durable(&mut self, durable: bool) -> sqlx::Result<()> {
        if self.durable != durable {
            let pragma =
                if durable { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" };
            self.connection.execute(pragma).await?;
            self.durable = durable;
        }
        Ok(())
    }
}

impl Write {
    pub(crate) async fn commit(mut self) -> sqlx::Result<()> {
        self.inner.connection.execute("COMMIT").await?;
        self.inner.open = false;
        Ok(())
    }
}

impl Deref for Write {
    type Target = SqliteConnection;

    fn deref(&self) -> &SqliteConnection {
        &self.inner.connection
    }
}

impl DerefMut for Write {
    fn deref_mut(&mut self) -> &mut SqliteConnection {
        &mut self.inner.connection
    }
}
