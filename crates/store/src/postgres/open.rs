//! Connecting, and bringing the schema up to date.

use std::{str::FromStr, sync::LazyLock, time::Duration};

use sqlx::{
    ConnectOptions as _, Executor as _, PgConnection, Row as _,
    migrate::{MigrateError, Migrator},
    postgres::{PgConnectOptions, PgPoolOptions},
};

use super::{
    Postgres,
    answer::{sign_of_life, sign_of_life_in_doubt},
};
use crate::{Result, StoreError};

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/postgres");
    // A newer program may have added to the schema already.
    migrator.set_ignore_missing(true);
    migrator
});

/// The schema that this program writes. A database may demand a newer program, never an older one.
const SCHEMA: i64 = 1;

/// A connection that was used so lately is not asked whether it still lives.
const SURE_TO_LIVE: Duration = Duration::from_secs(1);

/// Connections of one process.
const CONNECTIONS: u32 = 16;

impl Postgres {
    pub(crate) fn is_meant(url: &str) -> bool {
        url.starts_with("postgres://") || url.starts_with("postgresql://")
    }

    /// Connects to the database of a URL. Of several processes that start at once one brings the schema up
    /// to date, the others wait for it.
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let options = PgConnectOptions::from_str(url).map_err(|_| StoreError::InvalidUrl)?;
        let options = options
            .application_name("atlas-sync")
            // No transaction waits for anything but the database: one that stands still belongs to a process
            // that was stopped or cut off, and must not keep its locks.
            // Statements are small and by index: no compiling, and no fear of looking into one.
            .options([
                ("idle_in_transaction_session_timeout", "10s"),
                ("jit", "off"),
                ("random_page_cost", "1.1"),
            ]);
        let pool = PgPoolOptions::new()
            .max_connections(CONNECTIONS)
            .acquire_timeout(Duration::from_secs(10))
            // Asking a connection whether it lives costs as much as a small statement.
            .test_before_acquire(false)
            .before_acquire(|connection, unused| {
                Box::pin(async move {
                    if unused.idle_for > SURE_TO_LIVE {
                        sign_of_life(connection).await?;
                    }
                    Ok(true)
                })
            })
            // The pool would wait for one that is half open for ever, and be a connection short.
            .after_release(|connection, _| {
                Box::pin(async move { sign_of_life_in_doubt(connection).await.map(|()| true) })
            })
            // The wait for another process that migrates is no slow statement.
            .connect_lazy_with(options.clone().disable_statement_logging());
        let mut connection = pool.acquire().await?;
        check_compatibility(&mut connection).await?;
        migrate(&mut connection).await?;
        connection.close().await?;
        pool.set_connect_options(options);
        Ok(Self { pool })
    }
}

async fn check_compatibility(connection: &mut PgConnection) -> Result<()> {
    let known = "SELECT to_regclass('compatibility') IS NOT NULL AS known";
    if !connection.fetch_one(known).await?.get::<bool, _>("known") {
        return Ok(());
    }
    let row = connection.fetch_one("SELECT oldest_compatible FROM compatibility").await?;
    let oldest_compatible: i64 = row.get("oldest_compatible");
    if oldest_compatible > SCHEMA {
        return Err(StoreError::TooNew { oldest_compatible, own: SCHEMA });
    }
    Ok(())
}

async fn migrate(connection: &mut PgConnection) -> Result<()> {
    MIGRATIONS.run(connection).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => error.into(),
        error => StoreError::Statement(Box::new(error)),
    })
}
