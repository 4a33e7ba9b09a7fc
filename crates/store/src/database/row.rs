//! Reading the columns of a row as our types.

use std::str::FromStr;

use domain::Timestamp;
use serde::de::DeserializeOwned;
use sqlx::{Decode, Postgres, Row as _, Sqlite, Type, postgres::PgRow, sqlite::SqliteRow};

use super::json;
use crate::{Result, StoreError};

/// A row of either database.
pub(super) enum Row {
    Sqlite(SqliteRow),
    Postgres(PgRow),
}

impl From<SqliteRow> for Row {
    fn from(row: SqliteRow) -> Self {
        Self::Sqlite(row)
    }
}

impl From<PgRow> for Row {
    fn from(row: PgRow) -> Self {
        Self::Postgres(row)
    }
}

/// What both databases know.
pub(super) trait Known<'r>:
    Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

impl<'r, T> Known<'r> for T where
    T: Decode<'r, Sqlite> + Type<Sqlite> + Decode<'r, Postgres> + Type<Postgres>
{
}

/// Columns by name. A column that does not hold what it should is [`StoreError::Unreadable`].
pub(super) trait Columns {
    /// A column that the database knows as `T`.
    fn column<'r, T: Known<'r>>(&'r self, name: &'static str) -> Result<T>;

    /// A foreign id or another plain text.
    fn id<T: From<String>>(&self, name: &'static str) -> Result<T> {
        Ok(self.column::<String>(name)?.into())
    }

    /// Likewise, where there may be none.
    fn optional_id<T: From<String>>(&self, name: &'static str) -> Result<Option<T>> {
        Ok(self.column::<Option<String>>(name)?.map(Into::into))
    }

    /// One of our own ids, or a name on a closed list.
    fn parsed<T: FromStr>(&self, name: &'static str) -> Result<T> {
        let text: &str = self.column(name)?;
        text.parse().map_err(|_| StoreError::Unreadable { what: name })
    }

    /// Likewise, where there may be none.
    fn optional_parsed<T: FromStr>(&self, name: &'static str) -> Result<Option<T>> {
        let text: Option<&str> = self.column(name)?;
        text.map(|text| text.parse().map_err(|_| StoreError::Unreadable { what: name })).transpose()
    }

    /// A point in time.
    fn time(&self, name: &'static str) -> Result<Timestamp> {
        self.column(name).map(Timestamp::from_micros)
    }

    /// Likewise, where there may be none.
    fn optional_time(&self, name: &'static str) -> Result<Option<Timestamp>> {
        Ok(self.column::<Option<i64>>(name)?.map(Timestamp::from_micros))
    }

    /// A number that is never negative.
    fn number<T: TryFrom<i64>>(&self, name: &'static str) -> Result<T> {
        let number: i64 = self.column(name)?;
        T::try_from(number).map_err(|_| StoreError::Unreadable { what: name })
    }

    /// A JSON column.
    fn json<T: DeserializeOwned>(&self, name: &'static str) -> Result<T> {
        json::decode(self.column(name)?, name)
    }
}

impl Columns for Row {
    fn column<'r, T: Known<'r>>(&'r self, name: &'static str) -> Result<T> {
        let value = match self {
            Self::Sqlite(row) => row.try_get(name),
            Self::Postgres(row) => row.try_get(name),
        };
        value.map_err(|_| StoreError::Unreadable { what: name })
    }
}
