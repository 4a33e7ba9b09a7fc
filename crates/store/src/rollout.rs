//! Programs of two releases beside each other, as during a rollout and after a rollback: the older one works
//! on a schema that the newer one has added to.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection, Row as _};

use crate::{Database, StoreError, contract::Schema};

/// What no migration does: it would take away what a program of the release before needs.
const TAKES_AWAY: [&str; 6] =
    ["DROP ", "RENAME ", "ALTER COLUMN ", "TRUNCATE ", "DELETE FROM ", "ADD CONSTRAINT "];

/// Whether a program that does not know of a statement can go on after it.
fn only_adds(statement: &str) -> bool {
    let text = statement.to_uppercase();
    let demands = text.contains("ADD COLUMN") && text.contains("NOT NULL");
    !TAKES_AWAY.iter().any(|word| text.contains(word)) && (!demands || text.contains("DEFAULT"))
}

/// The statements of a migration, without its comments.
fn statements(migration: &str) -> Vec<String> {
    let lines = migration.lines().map(|line| line.split("--").next().unwrap_or_default());
    let text = lines.collect::<Vec<_>>().join("\n");
    text.split(';').map(|statement| statement.trim().to_owned()).collect()
}

#[test]
fn migrations_only_add() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../migrations");
    let mut seen = 0;
    for dialect in ["postgres", "sqlite"] {
        for file in std::fs::read_dir(folder.join(dialect)).unwrap() {
            let path = file.unwrap().path();
            for statement in statements(&std::fs::read_to_string(&path).unwrap()) {
                assert!(only_adds(&statement), "{}: {statement}", path.display());
                seen += 1;
            }
        }
    }
    assert!(seen > 50);
    for statement in [
        "ALTER TABLE jobs DROP COLUMN force",
        "ALTER TABLE jobs RENAME COLUMN force TO forced",
        "ALTER TABLE jobs ALTER COLUMN force TYPE TEXT",
        "ALTER TABLE jobs ADD COLUMN priority BIGINT NOT NULL",
        "ALTER TABLE jobs ALTER COLUMN channel_id SET NOT NULL",
    ] {
        assert!(!only_adds(statement), "{statement}");
    }
}

/// A database that a newer release has been at: every table has a column more, there is a table more, and
/// a migration that this program does not have is noted.
async fn of_a_newer_release() -> (Database, Schema) {
    let schema = Schema::create().await;
    Database::open(schema.url()).await.unwrap().close().await;
    let mut connection = PgConnection::connect(schema.url()).await.unwrap();
    let tables = sqlx::query(
        "SELECT table_name::text FROM information_schema.tables
         WHERE table_schema = current_schema() AND table_name <> '_sqlx_migrations'",
    )
    .fetch_all(&mut connection)
    .await
    .unwrap();
    assert!(tables.len() > 10);
    let mut newer = vec![
        "CREATE TABLE of_a_newer_release (one BIGINT PRIMARY KEY)".to_owned(),
        "INSERT INTO _sqlx_migrations (version, description, success, checksum, execution_time)
         VALUES (9999, 'of a newer release', TRUE, '\\x00', 1)"
            .to_owned(),
    ];
    newer.extend(tables.iter().map(|row| {
        let table: String = row.get(0);
        format!("ALTER TABLE {table} ADD COLUMN of_a_newer_release BIGINT NOT NULL DEFAULT 0")
    }));
    for statement in newer {
        sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    }
    connection.close().await.unwrap();
    (Database::open(schema.url()).await.unwrap(), schema)
}

crate::contract!(of_a_newer_release().await);

#[tokio::test]
async fn a_server_that_needs_a_newer_program_refuses_this_one_and_says_so() {
    let (store, schema) = of_a_newer_release().await;
    store.close().await;
    let mut connection = PgConnection::connect(schema.url()).await.unwrap();
    let demand = "UPDATE compatibility SET oldest_compatible = 99";
    sqlx::query(demand).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let refused = Database::open(schema.url()).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooNew { oldest_compatible: 99, .. }));
    assert!(refused.to_string().ends_with("upgrade the program"), "{refused}");
}
