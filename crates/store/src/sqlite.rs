//! The SQLite adapter: one file, one writer, any number of readers.
//!
//! The writer is a single connection whose transactions begin `IMMEDIATE`, so none fails half-way for
//! want of the lock. A trigger, a cancel or a heartbeat goes first in line (see [`writer`]). Readers
//! see the last committed state and wait for nobody.

mod access;
mod backup;
mod channels;
mod checkpoint;
mod error;
mod imports;
mod jobs;
mod json;
mod knowledge;
mod messages;
mod open;
mod row;
mod schedules;
mod tasks;
mod wiki;
mod writer;

use std::fs::File;

use sqlx::SqlitePool;

/// A store in one SQLite file.
#[derive(Debug)]
pub struct Sqlite {
    writer: writer::Writer,
    readers: SqlitePool,
    /// Only the owner moves the log.
    _checkpoints: Option<checkpoint::Checkpoints>,
    /// Held as long as this process owns the file; none for [`Sqlite::open_beside`].
    _lock: Option<File>,
}

/// The clock that all processes of a database share.
fn now() -> domain::Timestamp {
    // SQLite has no server: its clock is this machine's.
    domain::Timestamp::from_micros(chrono::Utc::now().timestamp_micros())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::StoreError;

    async fn fresh() -> (Sqlite, tempfile::TempDir) {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        (Sqlite::open(&url).await.unwrap(), folder)
    }

    crate::contract!(fresh().await);

    #[tokio::test]
    async fn a_second_owner_is_refused_and_a_guest_is_not() {
        let (store, folder) = fresh().await;
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        assert!(matches!(Sqlite::open(&url).await, Err(StoreError::InUse { .. })));
        crate::Access::ping(&Sqlite::open_beside(&url).await.unwrap()).await.unwrap();
        drop(store);
        Sqlite::open(&url).await.unwrap();
        let nowhere = Sqlite::open_beside("sqlite:nowhere/at-all.db").await;
        assert!(matches!(nowhere, Err(StoreError::Missing { .. })));
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
        let opened = Sqlite::open(&format!("sqlite:{}", path.display())).await;
        assert!(matches!(opened, Err(StoreError::Corrupt { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[tokio::test]
    async fn a_database_of_a_newer_program_is_refused() {
        let (store, folder) = fresh().await;
        let mut write = store.writer.begin().await.unwrap();
        sqlx::query("UPDATE compatibility SET oldest_compatible = 99")
            .execute(&mut *write)
            .await
            .unwrap();
        write.commit().await.unwrap();
        store.close().await;
        drop(store);
        let url = format!("sqlite:{}", folder.path().join("test.db").display());
        let opened = Sqlite::open(&url).await;
        assert!(matches!(opened, Err(StoreError::TooNew { oldest_compatible: 99, .. })));
    }

    #[tokio::test]
    async fn a_dropped_transaction_leaves_nothing_behind() {
        let (store, _folder) = fresh().await;
        {
            let mut write = store.writer.begin().await.unwrap();
            sqlx::query("INSERT INTO connections VALUES ('c', 'n', 'slack', 'T', 1)")
                .execute(&mut *write)
                .await
                .unwrap();
        }
        let mut write = store.writer.begin_urgent().await.unwrap();
        let rows = sqlx::query("SELECT 1 FROM connections").fetch_all(&mut *write).await.unwrap();
        assert!(rows.is_empty());
    }

    #[tokio::test]
    async fn a_full_disk_is_told_and_what_was_stored_stays() {
        let (store, _folder) = fresh().await;
        crate::Access::add_key(&store, &domain::KeyId::random(), "first", "a").await.unwrap();
        // A file that may not grow is what a full disk is to SQLite: the same error, at the same place.
        let mut write = store.writer.begin().await.unwrap();
        sqlx::query("PRAGMA max_page_count = 1").execute(&mut *write).await.unwrap();
        write.commit().await.unwrap();
        let name = "x".repeat(100_000);
        let refused = crate::Access::add_key(&store, &domain::KeyId::random(), &name, "b").await;
        assert!(matches!(refused, Err(StoreError::Full(_))), "{refused:?}");
        assert_eq!(crate::Access::keys(&store).await.unwrap().len(), 1);
        let mut write = store.writer.begin().await.unwrap();
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
            let opened = Sqlite::open(&format!("sqlite:{}", file.join("test.db").display())).await;
            assert!(matches!(opened, Err(StoreError::ReadOnly { .. })), "{opened:?}");
            return;
        }
        let opened = Sqlite::open(&format!("sqlite:{}", closed.join("test.db").display())).await;
        assert!(matches!(opened, Err(StoreError::ReadOnly { .. })), "{opened:?}");
    }
}
