//! The SQLite adapter: one file, one writer, any number of readers.
//!
//! The writer is a single connection whose transactions begin `IMMEDIATE`, so none fails half-way for
//! want of the lock. A trigger, a cancel or a heartbeat goes first in line (see [`writer`]). Readers
//! see the last committed state and wait for nobody.

mod backup;
mod checkpoint;
mod error;
mod open;
mod writer;

use std::fs::File;

use sqlx::{SqlitePool, Transaction, pool::PoolConnection};

pub(crate) use self::{error::classify, writer::Write};

/// A SQLite file.
#[derive(Debug)]
pub(crate) struct Sqlite {
    writer: writer::Writer,
    readers: SqlitePool,
    /// Only the owner moves the log.
    _checkpoints: Option<checkpoint::Checkpoints>,
    /// Held as long as this process owns the file; none for [`Sqlite::open_beside`].
    _lock: Option<File>,
}

impl Sqlite {
    pub(crate) const fn writer(&self) -> &writer::Writer {
        &self.writer
    }

    /// How many may read at the same time.
    pub(crate) const fn readers(&self) -> usize {
        open::READERS as usize
    }

    pub(crate) async fn read(&self) -> sqlx::Result<PoolConnection<sqlx::Sqlite>> {
        self.readers.acquire().await
    }

    pub(crate) async fn snapshot(&self) -> sqlx::Result<Transaction<'static, sqlx::Sqlite>> {
        self.readers.begin().await
    }
}

#[cfg(test)]
mod tests {
    use crate::{Database, StoreError};

    async fn fresh() -> (Database, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        (Database::open(&url).await.unwrap(), folder)
    }

    #[tokio::test]
    async fn a_second_owner_is_refused_and_a_guest_is_not() {
        let (store, folder) = fresh().await;
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        assert!(matches!(Database::open(&url).await, Err(StoreError::InUse { .. })));
        crate::Access::ping(&Database::open_beside(&url).await.unwrap()).await.unwrap();
        drop(store);
        Database::open(&url).await.unwrap();
        let nowhere = Database::open_beside("sqlite:nowhere/at-all.db").await;
        assert!(matches!(nowhere, Err(StoreError::Missing { .. })));
    }

    #[tokio::test]
    async fn a_backup_is_a_whole_database_and_never_overwrites() {
        let (store, folder) = fresh().await;
        crate::Access::add_key(&store, &domain::KeyId::random(), "first", "a").await.unwrap();
        let copy = folder.path().join("copy.db");
        crate::Access::backup(&store, &copy).await.unwrap();
        let copied = Database::open(&format!("sqlite:{}", copy.display())).await.unwrap();
        assert_eq!(crate::Access::keys(&copied).await.unwrap().len(), 1);
        assert!(crate::Access::backup(&store, &copy).await.is_err());
        crate::Access::ping(&store).await.unwrap();
    }

    #[tokio::test]
    async fn a_file_that_is_no_database_is_told_as_such_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("test.db");
        std::fs::write(
            &path,
            "this is a letter, not a database, and long enough to tell".repeat(99),
        )
        .unwrap();
        let before = std::fs::read(&path).unwrap();
        let opened = Database::open(&format!("sqlite:{}", path.display())).await;
        assert!(matches!(opened, Err(StoreError::Corrupt { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn a_database_of_a_newer_program_is_refused() {
        let (store, folder) = fresh().await;
        let mut write = store.sqlite().writer.begin().await.unwrap();
        sqlx::query("UPDATE compatibility SET oldest_compatible = 99")
            .execute(&mut *write)
            .await
            .unwrap();
        write.commit().await.unwrap();
        store.close().await;
        drop(store);
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let opened = Database::open(&url).await;
        assert!(matches!(opened, Err(StoreError::TooNew { oldest_compatible: 99, .. })));
    }

    #[tokio::test]
    async fn a_dropped_transaction_leaves_nothing_behind() {
        let (store, _folder) = fresh().await;
        {
            let mut write = store.sqlite().writer.begin().await.unwrap();
            sqlx::query(
                "INSERT INTO connections (connection_id, name, platform, workspace, created_at)
                 VALUES ('c', 'n', 'slack', 'T', 1)",
            )
            .execute(&mut *write)
            .await
            .unwrap();
        }
        let mut write = store.sqlite().writer.begin_urgent().await.unwrap();
        let rows = sqlx::query("SELECT 1 FROM connections").fetch_all(&mut *write).await.unwrap();
        assert!(rows.is_empty());
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_what_was_stored_stays() {
        let (store, _folder) = fresh().await;
        crate::Access::add_key(&store, &domain::KeyId::random(), "first", "a").await.unwrap();
        // A file that may not grow is what a full disk is to SQLite: the same error, at the same place.
        let mut write = store.sqlite().writer.begin().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *write).await.unwrap();
        write.commit().await.unwrap();
        let name = "x".repeat(100_000);
        let refused = crate::Access::add_key(&store, &domain::KeyId::random(), &name, "b").await;
        assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
        assert_eq!(crate::Access::keys(&store).await.unwrap().len(), 1);
        let mut write = store.sqlite().writer.begin().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1000000").execute(&mut *write).await.unwrap();
        write.commit().await.unwrap();
        crate::Access::add_key(&store, &domain::KeyId::random(), &name, "b").await.unwrap();
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_that_may_not_be_written_is_told() {
        use std::os::unix::fs::PermissionsExt as _;

        let folder = tempfile::tempdir().unwrap();
        let closed = folder.path().join("closed");
        std::fs::create_dir(&closed).unwrap();
        std::fs::set_permissions(&closed, std::fs::Permissions::from_mode(0o500)).unwrap();
        // Who may do everything may write there as well.
        if std::fs::write(closed.join("probe"), "").is_ok() {
            let file = folder.path().join("a-file");
            std::fs::write(&file, "").unwrap();
            let opened =
                Database::open(&format!("sqlite:{}", file.join("test.db").display())).await;
            assert!(matches!(opened, Err(StoreError::ReadOnly { .. })), "{opened:?}");
            return;
        }
        let opened = Database::open(&format!("sqlite:{}", closed.join("test.db").display())).await;
        assert!(matches!(opened, Err(StoreError::ReadOnly { .. })), "{opened:?}");
    }
}
