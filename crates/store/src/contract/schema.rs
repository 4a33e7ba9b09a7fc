//! A database of its own for each test, on a server that is given.

use sqlx::{AssertSqlSafe, Connection as _, PgConnection};

/// Names the server.
const VARIABLE: &str = "ATLAS_TEST_DATABASE_URL";

/// A PostgreSQL schema that vanishes with this.
pub struct Schema {
    server: String,
    name: String,
    url: String,
}

impl Schema {
    /// A new, empty one.
    pub async fn create() -> Self {
        let server = std::env::var(VARIABLE).unwrap_or_else(|_| {
            panic!("{VARIABLE} must name a PostgreSQL server: run scripts/test, which starts one")
        });
        let name =
            format!("atlas_test_{}", domain::ClaimToken::random().as_str().replace('-', "_"));
        let between = if server.contains('?') { '&' } else { '?' };
        let url = format!("{server}{between}options[search_path]={name}");
        run(&server, format!("CREATE SCHEMA {name}")).await;
        Self { server, name, url }
    }

    /// Where it is.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }
}

async fn run(server: &str, statement: String) {
    let mut connection = PgConnection::connect(server).await.unwrap();
    sqlx::query(AssertSqlSafe(statement)).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
}

impl Drop for Schema {
    fn drop(&mut self) {
        let (server, name) = (self.server.clone(), self.name.clone());
        // A runtime of its own: this one cannot wait inside the test's.
        let dropped = std::thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                // The test's connections end with its runtime, which waits for this.
                let hold = format!(
                    "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE pid <> pg_backend_pid()
                         AND relation IN (SELECT oid FROM pg_class
                             WHERE relnamespace = '{name}'::regnamespace)"
                );
                run(&server, hold).await;
                run(&server, format!("DROP SCHEMA {name} CASCADE")).await;
            });
        });
        dropped.join().unwrap();
    }
}
