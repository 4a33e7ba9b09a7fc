//! A PostgreSQL server: any number of writers.

mod answer;
mod error;
mod open;

use sqlx::{PgPool, Transaction, pool::PoolConnection};

pub(crate) use self::{answer::answered, error::classify};

/// A database on a PostgreSQL server.
#[derive(Debug)]
pub(crate) struct Postgres {
    pool: PgPool,
}

impl Postgres {
    pub(crate) async fn read(&self) -> sqlx::Result<PoolConnection<sqlx::Postgres>> {
        self.pool.acquire().await
    }

    pub(crate) async fn snapshot(&self) -> sqlx::Result<Transaction<'static, sqlx::Postgres>> {
        answered(self.pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")).await
    }

    /// Every statement sees what was committed before it: what others must not change meanwhile is locked.
    pub(crate) async fn begin(
        &self,
        durable: bool,
    ) -> sqlx::Result<Transaction<'static, sqlx::Postgres>> {
        match durable {
            true => answered(self.pool.begin()).await,
            false => {
                answered(self.pool.begin_with("BEGIN; SET LOCAL synchronous_commit = off")).await
            }
        }
    }

    pub(crate) async fn close(&self) {
        self.pool.close().await;
    }
}
