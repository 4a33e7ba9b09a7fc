//! Everything that a sync makes, as text to compare. The one place outside the store that reads its
//! tables: what is compared must not pass through the code under test.

use std::{collections::BTreeSet, path::Path};

use sqlx::{
    Column as _, Connection as _, Row as _, SqliteConnection, TypeInfo as _, ValueRef as _,
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
        let rows = sqlx::query(sqlx::AssertSqlSafe(sql)).fetch_all(&mut connection).await.unwrap();
        let mut lines: Vec<String> =
            rows.iter().map(|row| line(row, if whole { &[] } else { left_out })).collect();
        lines.sort();
        text.push_str(&format!("== {table} ({})\n", lines.len()));
        for line in lines {
            text.push_str(&line);
            text.push('\n');
        }
    }
    connection.close().await.unwrap();
    text
}

fn line(row: &sqlx::sqlite::SqliteRow, left_out: &[&str]) -> String {
    let mut cells = Vec::new();
    for column in row.columns() {
        if left_out.contains(&column.name()) {
            continue;
        }
        let value = row.try_get_raw(column.ordinal()).unwrap();
        let cell = match (value.is_null(), value.type_info().name()) {
            (true, _) => "NULL".to_owned(),
            (_, "INTEGER") => row.get::<i64, _>(column.ordinal()).to_string(),
            (_, "REAL") => format!("{:?}", row.get::<f64, _>(column.ordinal())),
            _ => format!("{:?}", row.get::<String, _>(column.ordinal())),
        };
        cells.push(format!("{}={cell}", column.name()));
    }
    cells.join(" ")
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
