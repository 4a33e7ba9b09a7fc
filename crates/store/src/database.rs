//! The adapter: the port in SQL, for a SQLite file or a PostgreSQL server.
//!
//! A statement is written once. It keeps to what both dialects understand, helped by two functions that
//! the PostgreSQL schema defines under the names SQLite has for them (`json_each`, `json_group_array`).
//! Where the two differ in kind it is in who may write at the same time. SQLite has one writer, so a
//! transaction sees a still database. PostgreSQL has many: what must not change under a transaction is
//! locked by it ([`Session::lock`]), in the order results (units, entities; by key), job, tasks, and
//! a transaction that met another one is made again.

mod access;
mod channels;
mod connections;
mod dead_letters;
mod error;
mod events;
mod failures;
mod gathering;
mod gatherings;
mod imports;
mod jobs;
mod json;
mod knowledge;
mod messages;
mod query;
mod row;
mod schedules;
mod session;
mod tasks;
mod walks;
mod wiki;

use std::{fmt, sync::Arc};

use self::{
    gatherings::Gatherings,
    session::{Driver, Lane, Session},
};
use crate::{Limits, Result, postgres::Postgres, sqlite::Sqlite};

/// A store in a database. Cheap to clone.
#[derive(Clone)]
pub struct Database {
    shared: Arc<Shared>,
}

struct Shared {
    engine: Engine,
    limits: Limits,
    gatherings: Gatherings,
}

impl fmt::Debug for Database {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Database").field(&self.shared.engine).finish()
    }
}

#[derive(Debug)]
enum Engine {
    Sqlite(Sqlite),
    Postgres(Postgres),
}

/// Makes a transaction again that met another one; a few times, since each time one of them got through.
macro_rules! retried {
    ($transaction:expr) => {{
        let mut left = $crate::database::AGAIN;
        loop {
            match $transaction.await {
                Err($crate::StoreError::Conflict(_)) if left > 0 => left -= 1,
                outcome => break outcome,
            }
        }
    }};
}
use retried;

/// Transactions of one kind that a process makes on a server at the same time; the more there are, the
/// fewer requests share one.
const AT_ONCE: usize = 1;

/// How often a transaction is made again.
const AGAIN: u32 = 10;

impl Database {
    /// Opens the database of a `sqlite:path` or `postgres://…` URL and brings its schema up to date. A
    /// SQLite file is made when it does not exist, and owned: a second owner is refused with
    /// [`StoreError::InUse`].
    pub async fn open(url: &str) -> Result<Self> {
        Self::open_with(url, Limits::default()).await
    }

    /// Likewise, with other bounds of jobs than usual.
    pub async fn open_with(url: &str, limits: Limits) -> Result<Self> {
        let engine = match Postgres::is_meant(url) {
            true => Engine::Postgres(Postgres::open(url).await?),
            false => Engine::Sqlite(Sqlite::open(url).await?),
        };
        Ok(Self::new(engine, limits))
    }

    /// Opens a database that another process may own, for single statements that need no owner: keys,
    /// backups. A file is never made when it does not exist.
    pub async fn open_beside(url: &str) -> Result<Self> {
        let engine = match Postgres::is_meant(url) {
            true => Engine::Postgres(Postgres::open(url).await?),
            false => Engine::Sqlite(Sqlite::open_beside(url).await?),
        };
        Ok(Self::new(engine, Limits::default()))
    }

    fn new(engine: Engine, limits: Limits) -> Self {
        let reading = match &engine {
            // What is asked of a file costs little by itself.
            Engine::Sqlite(sqlite) => sqlite.readers(),
            Engine::Postgres(_) => AT_ONCE,
        };
        let gatherings = Gatherings::new(AT_ONCE, reading);
        Self { shared: Arc::new(Shared { engine, limits, gatherings }) }
    }

    /// Whether a process owns the file of a URL at the moment; nobody owns a server.
    #[must_use]
    pub fn is_owned(url: &str) -> bool {
        !Postgres::is_meant(url) && Sqlite::is_owned(url)
    }

    /// Whether this process is the only one to use the database.
    #[must_use]
    pub fn is_own(&self) -> bool {
        matches!(self.shared.engine, Engine::Sqlite(_))
    }

    #[cfg(test)]
    pub(crate) fn sqlite(&self) -> &Sqlite {
        match &self.shared.engine {
            Engine::Sqlite(sqlite) => sqlite,
            Engine::Postgres(_) => panic!("not a file"),
        }
    }

    /// Waits for what is running to end.
    pub async fn close(&self) {
        match &self.shared.engine {
            Engine::Sqlite(sqlite) => sqlite.close().await,
            Engine::Postgres(postgres) => postgres.close().await,
        }
    }

    /// For one statement that only reads.
    async fn read(&self) -> Result<Session> {
        Ok(match &self.shared.engine {
            Engine::Sqlite(sqlite) => Session::new(Driver::SqliteReader(sqlite.read().await?)),
            Engine::Postgres(postgres) => {
                Session::new(Driver::PostgresReader(postgres.read().await?))
            }
        })
    }

    /// For several statements that read the same state.
    async fn snapshot(&self) -> Result<Session> {
        Ok(match &self.shared.engine {
            Engine::Sqlite(sqlite) => {
                Session::new(Driver::SqliteSnapshot(sqlite.snapshot().await?))
            }
            Engine::Postgres(postgres) => {
                Session::new(Driver::Postgres(postgres.snapshot().await?))
            }
        })
    }

    /// Begins a transaction; dropped without [`Session::commit`] nothing of it remains.
    async fn begin(&self, lane: Lane) -> Result<Session> {
        Ok(match &self.shared.engine {
            Engine::Sqlite(sqlite) => {
                let write = match lane {
                    Lane::Work | Lane::Claim => sqlite.writer().begin().await?,
                    Lane::Beat => sqlite.writer().begin_urgent().await?,
                    Lane::Durable => sqlite.writer().begin_durable().await?,
                };
                Session::new(Driver::SqliteWriter(write))
            }
            Engine::Postgres(postgres) => {
                let durable = matches!(lane, Lane::Work | Lane::Durable);
                Session::new(Driver::Postgres(postgres.begin(durable).await?))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Database;

    mod in_sqlite {
        use super::*;

        async fn fresh() -> (Database, tempfile::TempDir) {
            let folder = tempfile::tempdir().unwrap();
            let url = format!("sqlite:{}", folder.path().join("test.db").display());
            (Database::open(&url).await.unwrap(), folder)
        }

        crate::contract!(fresh().await);
    }

    mod in_postgres {
        use super::*;

        async fn fresh() -> (Database, crate::contract::Schema) {
            let schema = crate::contract::Schema::create().await;
            (Database::open(schema.url()).await.unwrap(), schema)
        }

        crate::contract!(fresh().await);
    }
}
