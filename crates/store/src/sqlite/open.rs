//! Opening a database file: its folder, its lock, its schema.

use std::{
    fs::{File, OpenOptions, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::LazyLock,
    time::Duration,
};

use sqlx::{
    Connection as _, Executor as _, Row as _, SqliteConnection,
    migrate::{MigrateError, Migrator},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use super::{Sqlite, checkpoint::Checkpoints, error::classify, writer::Writer};
use crate::{Result, StoreError};

static MIGRATIONS: LazyLock<Migrator> = LazyLock::new(|| {
    let mut migrator = sqlx::migrate!("../../migrations/sqlite");
    // A newer program may have added to the schema already.
    migrator.set_ignore_missing(true);
    migrator
});

/// The schema that this program writes. A database may demand a newer program, never an older one.
const SCHEMA: i64 = 1;

pub(super) const READERS: u32 = 4;

impl Sqlite {
    /// Opens the file of a `sqlite:path` URL, made when it does not exist, and owns it: a second owner
    /// is refused with [`StoreError::InUse`].
    pub(crate) async fn open(url: &str) -> Result<Self> {
        let path = path_of(url)?;
        prepare_folder(&path)?;
        let lock = take_lock(&path)?;
        make_private(&path)?;
        Self::connect(path, Some(lock)).await
    }

    /// Opens a file that another process may own, for single statements that need no owner: keys,
    /// backups. Never made when it does not exist.
    pub(crate) async fn open_beside(url: &str) -> Result<Self> {
        let path = path_of(url)?;
        if !path.exists() {
            return Err(StoreError::Missing { path: path.display().to_string() });
        }
        Self::connect(path, None).await
    }

    /// Whether a process owns the file of a URL at the moment.
    #[must_use]
    pub(crate) fn is_owned(url: &str) -> bool {
        let lock = path_of(url).ok().and_then(|path| File::open(lock_path(&path)).ok());
        lock.is_some_and(|lock| matches!(lock.try_lock(), Err(TryLockError::WouldBlock)))
    }

    async fn connect(path: PathBuf, lock: Option<File>) -> Result<Self> {
        let failed = |error| classify(error, &path);
        let options = SqliteConnectOptions::new()
            .filename(&path)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Normal)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(5))
            .pragma("temp_store", "MEMORY")
            .pragma("cache_size", "-48000")
            .pragma("wal_autocheckpoint", "16000")
            .pragma("journal_size_limit", "67108864");
        let mut connection = SqliteConnection::connect_with(&options).await.map_err(failed)?;
        check_compatibility(&mut connection, &path).await?;
        migrate(&mut connection, &path).await?;
        let writer = Writer::new(connection);
        let checkpoints = lock.as_ref().map(|_| Checkpoints::start(options.clone()));
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS)
            .acquire_timeout(Duration::from_secs(10))
            .connect_lazy_with(options.pragma("query_only", "ON").pragma("cache_size", "-4000"));
        Ok(Self { writer, readers, _checkpoints: checkpoints, _lock: lock })
    }

    /// Waits for readers and writer to end, and leaves a file without a log beside it.
    pub(crate) async fn close(&self) {
        self.readers.close().await;
        self.writer.close().await;
    }
}

fn path_of(url: &str) -> Result<PathBuf> {
    let path = url.strip_prefix("sqlite:").map(|rest| rest.strip_prefix("//").unwrap_or(rest));
    match path {
        Some(path) if !path.is_empty() && !path.starts_with(':') => Ok(PathBuf::from(path)),
        _ => Err(StoreError::InvalidUrl),
    }
}

fn prepare_folder(path: &Path) -> Result<()> {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.map_or(Ok(()), std::fs::create_dir_all).map_err(|error| file_error(error, path))
}

fn lock_path(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

fn take_lock(path: &Path) -> Result<File> {
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(lock_path(path))
        .map_err(|error| file_error(error, path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => {
            Err(StoreError::InUse { path: path.display().to_string() })
        }
        Err(TryLockError::Error(error)) => Err(file_error(error, path)),
    }
}

/// Chat history is nobody else's business.
fn make_private(path: &Path) -> Result<()> {
    let mut options = OpenOptions::new();
    options.create(true).truncate(false).write(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    options.open(path).map(drop).map_err(|error| file_error(error, path))
}

fn file_error(error: io::Error, path: &Path) -> StoreError {
    match error.kind() {
        io::ErrorKind::StorageFull => StoreError::Full(Box::new(error)),
        io::ErrorKind::PermissionDenied
        | io::ErrorKind::ReadOnlyFilesystem
        | io::ErrorKind::AlreadyExists
        | io::ErrorKind::IsADirectory
        | io::ErrorKind::NotADirectory => StoreError::ReadOnly { path: path.display().to_string() },
        _ => StoreError::Unavailable(Box::new(error)),
    }
}

async fn check_compatibility(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    let failed = |error| classify(error, path);
    let known = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'compatibility'";
    if connection.fetch_optional(known).await.map_err(failed)?.is_none() {
        return Ok(());
    }
    let row = connection.fetch_one("SELECT oldest_compatible FROM compatibility");
    let oldest_compatible: i64 = row.await.map_err(failed)?.get(0);
    if oldest_compatible > SCHEMA {
        return Err(StoreError::TooNew { oldest_compatible, own: SCHEMA });
    }
    Ok(())
}

async fn migrate(connection: &mut SqliteConnection, path: &Path) -> Result<()> {
    MIGRATIONS.run(connection).await.map_err(|error| match error {
        MigrateError::Execute(error) | MigrateError::ExecuteMigration(error, _) => {
            classify(error, path)
        }
        error => StoreError::Statement(Box::new(error)),
    })
}
