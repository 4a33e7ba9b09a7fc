//! A connection to either database, and what it may hold on to.

use domain::Timestamp;
use sqlx::{PgConnection, Postgres, Sqlite, SqliteConnection, Transaction, pool::PoolConnection};

use super::{
    json,
    query::query,
    row::{Columns as _, Row},
};
use crate::{Result, postgres::answered, sqlite::Write};

/// What a transaction is for: who goes first, and whether its commit waits for the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Lane {
    /// Results of work. On a server they are on the disk once committed; in a file with the next one
    /// that is durable, which a crash of the process cannot undo.
    Work,
    /// Taking a task or giving it back: harmless to lose.
    Claim,
    /// A sign of life, or another small thing that cannot wait; harmless to lose.
    Beat,
    /// What a client was promised: goes first, and is on the disk once committed.
    Durable,
}

/// The time of a server, in microseconds, when it comes to this part of a statement.
macro_rules! clock {
    () => {
        "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"
    };
}

/// A connection, in a transaction or for one statement.
pub(crate) struct Session {
    driver: Driver,
    /// Read once a transaction.
    now: Option<Timestamp>,
}

pub(crate) enum Driver {
    SqliteWriter(Write),
    SqliteReader(PoolConnection<Sqlite>),
    SqliteSnapshot(Transaction<'static, Sqlite>),
    Postgres(Transaction<'static, Postgres>),
    PostgresReader(PoolConnection<Postgres>),
}

/// The connection as its driver knows it.
pub(super) enum Raw<'c> {
    Sqlite(&'c mut SqliteConnection),
    Postgres(&'c mut PgConnection),
}

impl Session {
    pub(super) const fn new(driver: Driver) -> Self {
        Self { driver, now: None }
    }

    pub(super) fn raw(&mut self) -> Raw<'_> {
        match &mut self.driver {
            Driver::SqliteWriter(write) => Raw::Sqlite(write),
            Driver::SqliteReader(reader) => Raw::Sqlite(reader),
            Driver::SqliteSnapshot(snapshot) => Raw::Sqlite(snapshot),
            Driver::Postgres(transaction) => Raw::Postgres(transaction),
            Driver::PostgresReader(reader) => Raw::Postgres(reader),
        }
    }

    /// Whether others may write at the same time.
    pub(super) const fn is_shared(&self) -> bool {
        matches!(self.driver, Driver::Postgres(_) | Driver::PostgresReader(_))
    }

    /// The database's time, the same throughout a transaction. Whatever a time must not come before is to
    /// be locked first.
    pub(super) async fn now(&mut self) -> Result<Timestamp> {
        if let Some(now) = self.now {
            return Ok(now);
        }
        if !self.is_shared() {
            // A file has no server: its clock is this machine's.
            let now = Timestamp::from_micros(chrono::Utc::now().timestamp_micros());
            self.now = Some(now);
            return Ok(now);
        }
        let row = query(concat!("SELECT ", clock!(), " AS now")).fetch_one(self).await?;
        self.tell_time(&row)
    }

    /// A column by which a statement that is made anyway tells the time, for [`Session::tell_time`].
    pub(super) const fn clock(&self) -> &'static str {
        match self.is_shared() {
            true => concat!(clock!(), " AS now"),
            false => "NULL AS now",
        }
    }

    /// The time, which a row tells unless it is known.
    pub(super) async fn now_by(&mut self, row: &Row) -> Result<Timestamp> {
        match self.is_shared() {
            true => self.tell_time(row),
            false => self.now().await,
        }
    }

    fn tell_time(&mut self, row: &Row) -> Result<Timestamp> {
        let now = match self.now {
            Some(now) => now,
            None => row.time("now")?,
        };
        self.now = Some(now);
        Ok(now)
    }

    /// Waits until nobody else holds a name, and holds it to the end of the transaction. The only writer
    /// of a file holds every name.
    pub(super) async fn lock(&mut self, what: &str, which: &str) -> Result<()> {
        let statement =
            concat!("SELECT pg_advisory_xact_lock(hashtextextended($1, 0)), ", clock!(), " AS now");
        self.hold(statement, what, which).await
    }

    /// Likewise, together with others who share it.
    pub(super) async fn lock_shared(&mut self, what: &str, which: &str) -> Result<()> {
        let statement = concat!(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended($1, 0)), ",
            clock!(),
            " AS now"
        );
        self.hold(statement, what, which).await
    }

    /// Likewise several, one after the other.
    pub(super) async fn lock_each<'n>(
        &mut self,
        what: &str,
        which: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let statement = concat!(
            "SELECT pg_advisory_xact_lock(hashtextextended(atom, 0)), ",
            clock!(),
            " AS now FROM json_each($1)"
        );
        self.hold_each(statement, what, which).await
    }

    /// Likewise several, together with others who share them.
    pub(super) async fn share_each<'n>(
        &mut self,
        what: &str,
        which: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        let statement = concat!(
            "SELECT pg_advisory_xact_lock_shared(hashtextextended(atom, 0)), ",
            clock!(),
            " AS now FROM json_each($1)"
        );
        self.hold_each(statement, what, which).await
    }

    async fn hold_each<'n>(
        &mut self,
        statement: &'static str,
        what: &str,
        which: impl Iterator<Item = &'n str>,
    ) -> Result<()> {
        if !self.is_shared() {
            return Ok(());
        }
        let names: Vec<_> = which.map(|which| format!("{what}:{which}")).collect();
        if !names.is_empty() {
            let held = query(statement).bind(json::encode(&names)?).fetch_all(self).await?;
            // Told after the last of them was there.
            held.last().map(|row| self.tell_time(row)).transpose()?;
        }
        Ok(())
    }

    async fn hold(&mut self, statement: &'static str, what: &str, which: &str) -> Result<()> {
        if self.is_shared() {
            let held = query(statement).bind(format!("{what}:{which}")).fetch_one(self).await?;
            self.tell_time(&held)?;
        }
        Ok(())
    }

    /// What a `SELECT` ends with whose rows must not change before the transaction ends.
    pub(super) const fn for_update(&self) -> &'static str {
        if self.is_shared() { " FOR UPDATE" } else { "" }
    }

    /// Likewise, but leaves out what somebody else is changing.
    pub(super) const fn for_update_if_free(&self) -> &'static str {
        if self.is_shared() { " FOR UPDATE SKIP LOCKED" } else { "" }
    }

    /// Ends a transaction that leaves nothing. Dropping does the same a little later; until then others
    /// wait for its locks.
    pub(super) async fn roll_back(self) -> Result<()> {
        match self.driver {
            Driver::SqliteWriter(_) | Driver::SqliteReader(_) | Driver::PostgresReader(_) => {}
            Driver::SqliteSnapshot(snapshot) => snapshot.rollback().await?,
            Driver::Postgres(transaction) => answered(transaction.rollback()).await?,
        }
        Ok(())
    }

    pub(super) async fn commit(self) -> Result<()> {
        match self.driver {
            Driver::SqliteWriter(write) => write.commit().await?,
            Driver::SqliteSnapshot(snapshot) => snapshot.rollback().await?,
            Driver::Postgres(transaction) => answered(transaction.commit()).await?,
            Driver::SqliteReader(_) | Driver::PostgresReader(_) => {}
        }
        Ok(())
    }
}
