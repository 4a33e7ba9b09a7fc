//! A statement with its arguments, before it is known which driver will run it.

use std::borrow::Cow;

use sqlx::{
    AssertSqlSafe,
    postgres::{PgArguments, PgQueryResult},
    sqlite::{SqliteArguments, SqliteQueryResult},
};

use super::{
    row::Row,
    session::{Raw, Session},
};
use crate::{Result, postgres::answered};

/// What a statement takes; none of a kind where there is none.
pub(super) enum Argument {
    Text(Option<String>),
    Number(Option<i64>),
    Flag(bool),
    Bytes(Vec<u8>),
}

/// A statement and its arguments.
pub(super) struct Query {
    text: Cow<'static, str>,
    arguments: Vec<Argument>,
}

/// A statement that is known when the program is built.
pub(super) fn query(text: &'static str) -> Query {
    Query { text: Cow::Borrowed(text), arguments: Vec::new() }
}

/// Runs a query on whichever driver there is.
macro_rules! run {
    ($query:expr, $connection:expr, $method:ident) => {
        match $connection.raw() {
            Raw::Sqlite(raw) => $query.sqlite().$method(raw).await?.into(),
            Raw::Postgres(raw) => answered($query.postgres().$method(raw)).await?.into(),
        }
    };
}

/// A query as a driver takes it; each has types of its own.
macro_rules! bound {
    ($query:expr) => {{
        let query = match $query.text {
            Cow::Borrowed(text) => sqlx::query(text),
            Cow::Owned(text) => sqlx::query(AssertSqlSafe(text)),
        };
        $query.arguments.into_iter().fold(query, |query, argument| match argument {
            Argument::Text(text) => query.bind(text),
            Argument::Number(number) => query.bind(number),
            Argument::Flag(flag) => query.bind(flag),
            Argument::Bytes(bytes) => query.bind(bytes),
        })
    }};
}

impl Query {
    /// A statement put together from parts that are known when the program is built.
    pub(super) fn built(text: String) -> Self {
        Self { text: Cow::Owned(text), arguments: Vec::new() }
    }

    pub(super) fn bind(mut self, argument: impl Into<Argument>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    pub(super) async fn fetch_all(self, connection: &mut Session) -> Result<Vec<Row>> {
        Ok(match connection.raw() {
            Raw::Sqlite(raw) => {
                let rows = self.sqlite().fetch_all(raw).await?;
                rows.into_iter().map(Row::Sqlite).collect()
            }
            Raw::Postgres(raw) => {
                let rows = answered(self.postgres().fetch_all(raw)).await?;
                rows.into_iter().map(Row::Postgres).collect()
            }
        })
    }

    pub(super) async fn fetch_optional(self, connection: &mut Session) -> Result<Option<Row>> {
        Ok(match connection.raw() {
            Raw::Sqlite(raw) => self.sqlite().fetch_optional(raw).await?.map(Row::Sqlite),
            Raw::Postgres(raw) => {
                answered(self.postgres().fetch_optional(raw)).await?.map(Row::Postgres)
            }
        })
    }

    pub(super) async fn fetch_one(self, connection: &mut Session) -> Result<Row> {
        Ok(run!(self, connection, fetch_one))
    }

    pub(super) async fn execute(self, connection: &mut Session) -> Result<Outcome> {
        Ok(run!(self, connection, execute))
    }

    fn sqlite(self) -> sqlx::query::Query<'static, sqlx::Sqlite, SqliteArguments> {
        bound!(self)
    }

    fn postgres(self) -> sqlx::query::Query<'static, sqlx::Postgres, PgArguments> {
        bound!(self)
    }
}

/// How much a statement has changed.
pub(super) struct Outcome {
    rows_affected: u64,
}

impl Outcome {
    pub(super) const fn rows_affected(&self) -> u64 {
        self.rows_affected
    }
}

impl From<SqliteQueryResult> for Outcome {
    fn from(result: SqliteQueryResult) -> Self {
        Self { rows_affected: result.rows_affected() }
    }
}

impl From<PgQueryResult> for Outcome {
    fn from(result: PgQueryResult) -> Self {
        Self { rows_affected: result.rows_affected() }
    }
}

/// A statement that grows with what is asked for.
pub(super) struct Statement {
    text: String,
    arguments: Vec<Argument>,
}

impl Statement {
    pub(super) fn new(text: &str) -> Self {
        Self { text: text.to_owned(), arguments: Vec::new() }
    }

    pub(super) fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    pub(super) fn push_bind(&mut self, argument: impl Into<Argument>) -> &mut Self {
        self.arguments.push(argument.into());
        self.text.push_str(&format!("${}", self.arguments.len()));
        self
    }

    pub(super) fn build(&mut self) -> Query {
        Query {
            text: Cow::Owned(std::mem::take(&mut self.text)),
            arguments: std::mem::take(&mut self.arguments),
        }
    }
}

/// PostgreSQL's text has no NUL: either database gets what stands for what cannot be shown.
fn storable(text: String) -> String {
    if text.contains('\0') { text.replace('\0', "\u{fffd}") } else { text }
}

impl From<String> for Argument {
    fn from(text: String) -> Self {
        Self::Text(Some(storable(text)))
    }
}

impl From<&String> for Argument {
    fn from(text: &String) -> Self {
        text.clone().into()
    }
}

impl From<&str> for Argument {
    fn from(text: &str) -> Self {
        text.to_owned().into()
    }
}

impl From<Option<&str>> for Argument {
    fn from(text: Option<&str>) -> Self {
        Self::Text(text.map(|text| storable(text.to_owned())))
    }
}

impl From<Option<String>> for Argument {
    fn from(text: Option<String>) -> Self {
        Self::Text(text.map(storable))
    }
}

impl From<i64> for Argument {
    fn from(number: i64) -> Self {
        Self::Number(Some(number))
    }
}

impl From<Option<i64>> for Argument {
    fn from(number: Option<i64>) -> Self {
        Self::Number(number)
    }
}

impl From<u32> for Argument {
    fn from(number: u32) -> Self {
        Self::Number(Some(number.into()))
    }
}

impl From<Option<u32>> for Argument {
    fn from(number: Option<u32>) -> Self {
        Self::Number(number.map(i64::from))
    }
}

impl From<bool> for Argument {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<&[u8]> for Argument {
    fn from(bytes: &[u8]) -> Self {
        Self::Bytes(bytes.to_vec())
    }
}
