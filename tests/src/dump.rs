//! Everything that a sync makes, as text to compare. The one place outside the store that reads its
//! tables: what is compared must not pass through the code under test.

use std::{collections::BTreeSet, path::Path};

use sqlx::{
    AssertSqlSafe, Column as _, Connection as _, PgConnection, Row, SqliteConnection,
    TypeInfo as _, ValueRef as _,
};

/// Tables, and the columns of each that tell when or by which job a row was written.
#[must_use]
pub fn time_columns() -> &'static [(&'static str, &'static [&'static str])] {
    &[
        ("messages", &[]),
        ("units", &["as_of"]),
        ("facts", &[]),
        ("fact_evidence", &[]),
        ("entities", &[]),
        ("entity_mentions", &[]),
        ("graph_facts", &[]),
        ("fact_entities", &[]),
        ("fact_links", &[]),
        ("relationships", &[]),
        ("relationship_support", &[]),
        ("wiki_pages", &["updated_at"]),
        ("wiki_versions", &["job_id", "created_at"]),
        ("pending_messages", &[]),
    ]
}

/// A dump of a database file: with `whole`, in every column of every table; else without those of
/// [`time_columns`].
pub async fn dump(database: &Path, whole: bool) -> String {
    let url = format!("sqlite:{}?mode=ro", database.display());
    let mut connection = SqliteConnection::connect(&url).await.unwrap();
    let mut text = String::new();
    for (table, left_out) in time_columns() {
        let sql = format!("SELECT * FROM {table}");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let left_out = if whole { &[] } else { *left_out };
        add_table(&mut text, table, rows.iter().map(|row| line(row, left_out, in_sqlite)));
    }
    connection.close().await.unwrap();
    text
}

/// Likewise of a database on a PostgreSQL server: equal to that of a file with the same content.
pub async fn dump_server(url: &str, whole: bool) -> String {
    let mut connection = PgConnection::connect(url).await.unwrap();
    let mut text = String::new();
    for (table, left_out) in time_columns() {
        let sql = format!("SELECT * FROM {table}");
        let rows = sqlx::query(AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let left_out = if whole { &[] } else { *left_out };
        add_table(&mut text, table, rows.iter().map(|row| line(row, left_out, in_postgres)));
    }
    connection.close().await.unwrap();
    text
}

fn add_table(text: &mut String, table: &str, lines: impl Iterator<Item = String>) {
    let mut lines: Vec<String> = lines.collect();
    lines.sort();
    text.push_str(&format!("== {table} ({})\n", lines.len()));
    for line in lines {
        text.push_str(&line);
        text.push('\n');
    }
}

fn line<R: Row>(row: &R, left_out: &[&str], cell: impl Fn(&R, usize) -> String) -> String {
    let columns = row.columns().iter().filter(|column| !left_out.contains(&column.name()));
    let mut cells: Vec<_> = columns
        .map(|column| format!("{}={}", column.name(), cell(row, column.ordinal())))
        .collect();
    cells.sort();
    cells.join(" ")
}

fn in_sqlite(row: &sqlx::sqlite::SqliteRow, n: usize) -> String {
    let value = row.try_get_raw(n).unwrap();
    match (value.is_null(), value.type_info().name()) {
        (true, _) => "NULL".to_owned(),
        (_, "INTEGER") => row.get::<i64, _>(n).to_string(),
        (_, "REAL") => format!("{:?}", row.get::<f64, _>(n)),
        _ => format!("{:?}", row.get::<String, _>(n)),
    }
}

fn in_postgres(row: &sqlx::postgres::PgRow, n: usize) -> String {
    let value = row.try_get_raw(n).unwrap();
    match (value.is_null(), value.type_info().name()) {
        (true, _) => "NULL".to_owned(),
        (_, "INT8") => row.get::<i64, _>(n).to_string(),
        (_, "BOOL") => u8::from(row.get::<bool, _>(n)).to_string(),
        (_, "FLOAT8") => format!("{:?}", row.get::<f64, _>(n)),
        _ => format!("{:?}", row.get::<String, _>(n)),
    }
}

/// The lines in which two dumps differ, a few of each; nothing when they are equal.
#[must_use]
pub fn difference(one: &str, other: &str) -> String {
    let (mine, theirs): (BTreeSet<_>, BTreeSet<_>) =
        (one.lines().collect(), other.lines().collect());
    let only = |a: &BTreeSet<&str>, b: &BTreeSet<&str>, mark: char| -> String {
        a.difference(b).take(5).map(|line| format!("{mark} {line:.300}\n")).collect()
    };
    only(&mine, &theirs, '-') + &only(&theirs, &mine, '+')
}
