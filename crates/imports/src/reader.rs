//! Reading uploads, one after the other.

use std::{fs::File, ops::ControlFlow, sync::Arc, time::Duration};

use connectors::{
    ImportError,
    import::{self, ExportedChannel, ImportOptions, Report},
    slack::Limits,
};
use domain::{
    ChannelId, Classify as _, Connection, ErrorCode, Message, Platform, SyncError,
    import::{ImportFormat, ImportStatus},
};
use store::{ClaimedImport, ImportEnd, NewChannel, Store, StoreError};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use super::spool::{SpoolError, spool};

/// How often to look for an upload.
const LOOK: Duration = Duration::from_millis(250);

/// How long a reader may be silent.
const LEASE: Duration = Duration::from_secs(60);

/// Batches that may wait between the parser and the database.
const AHEAD: usize = 2;

/// Reads uploads. Any number of them may run; each upload has one.
pub struct ImportReader {
    store: Arc<dyn Store>,
    limits: Limits,
}

/// Why reading did not come to an end.
#[derive(Debug, thiserror::Error)]
enum ReadError {
    #[error(transparent)]
    File(#[from] ImportError),
    #[error(transparent)]
    Spool(#[from] SpoolError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the upload names a connection that does not exist")]
    NoConnection,
    #[error("the file is from {file}, the connection it names is one to {connection}")]
    OtherPlatform { file: Platform, connection: Platform },
    #[error("what the upload says about its file cannot be read")]
    Options,
    #[error("another reader has taken over, or the import was removed")]
    Lost,
    #[error("the reader broke off")]
    BrokeOff,
}

/// What an export says of itself.
struct Opened {
    platform: Platform,
    workspace: String,
    title: String,
    channels: Vec<ExportedChannel>,
}

/// What a file is to be read as.
struct Declared {
    format: ImportFormat,
    options: ImportOptions,
    limits: Limits,
}

/// What a parser hands over.
enum Parsed {
    Opened(Opened),
    Messages { channel: usize, messages: Vec<Message> },
    Done(Report),
    Failed(ImportError),
}

impl ImportReader {
    /// A reader for uploads in this store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store, limits: Limits::default() }
    }

    /// Reads what comes until `shutdown`. A reading that is cut off by it starts again elsewhere.
    pub async fn run(self, shutdown: CancellationToken) {
        loop {
            let pause = match self.store.claim_import(LEASE).await {
                Ok(Some(claimed)) => {
                    tokio::select! {
                        () = self.read_alive(&claimed) => {}
                        () = shutdown.cancelled() => return,
                    }
                    Duration::ZERO
                }
                Ok(None) => LOOK,
                Err(error) => {
                    warn!(%error, "uploads cannot be looked for");
                    LOOK * 4
                }
            };
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = shutdown.cancelled() => return,
            }
        }
    }

    /// Reads while telling that it lives.
    async fn read_alive(&self, claimed: &ClaimedImport) {
        tokio::select! {
            () = self.read_and_finish(claimed) => {}
            () = self.keep_alive(claimed) => warn!(import = %claimed.import.id, "the import is lost"),
        }
    }

    async fn keep_alive(&self, claimed: &ClaimedImport) {
        loop {
            tokio::time::sleep(LEASE / 3).await;
            let renewed = self.store.renew_import(&claimed.import.id, &claimed.token, LEASE).await;
            if matches!(renewed, Ok(false)) {
                return;
            }
        }
    }

    async fn read_and_finish(&self, claimed: &ClaimedImport) {
        let id = &claimed.import.id;
        let end = match self.read(claimed).await {
            Ok(end) => end,
            Err(ReadError::Lost) => return,
            Err(error) => {
                warn!(import = %id, %error, "the import failed");
                ImportEnd::Failed(told(&error))
            }
        };
        match self.store.finish_import(id, &claimed.token, end).await {
            Ok(true) => info!(import = %id, "the import has been read"),
            Ok(false) => {}
            Err(error) => warn!(import = %id, %error, "the end of the import could not be stored"),
        }
    }

    async fn read(&self, claimed: &ClaimedImport) -> Result<ImportEnd, ReadError> {
        if let Some(same) = self.store.same_import(claimed).await?
            && let (ImportStatus::Completed, Some(connection)) = (same.status, same.connection_id)
        {
            return Ok(ImportEnd::Completed {
                connection,
                channels: same.channels,
                rows: same.rows,
                row_errors: same.row_errors,
            });
        }
        let file = spool(&*self.store, &claimed.import.id).await?;
        let declared = Declared {
            format: claimed.import.format,
            options: serde_json::from_str(&claimed.options).map_err(|_| ReadError::Options)?,
            limits: self.limits,
        };
        let (sender, parsed) = mpsc::channel(AHEAD);
        let parser = tokio::task::spawn_blocking(move || parse(file, declared, &sender));
        let end = self.store_parsed(claimed, parsed).await;
        parser.await.map_err(|_| ReadError::BrokeOff)?;
        end
    }

    async fn store_parsed(
        &self,
        claimed: &ClaimedImport,
        mut parsed: mpsc::Receiver<Parsed>,
    ) -> Result<ImportEnd, ReadError> {
        let mut target: Option<(Connection, Vec<ChannelId>)> = None;
        while let Some(step) = parsed.recv().await {
            match (step, &target) {
                (Parsed::Opened(opened), _) => {
                    target = Some(self.register(claimed, &opened).await?);
                }
                (Parsed::Messages { channel, messages }, Some((_, channels))) => {
                    let Some(channel) = channels.get(channel) else { continue };
                    let (id, token) = (&claimed.import.id, &claimed.token);
                    if !self.store.add_imported(id, token, channel, &messages).await? {
                        return Err(ReadError::Lost);
                    }
                }
                (Parsed::Done(report), Some((connection, channels))) => {
                    return Ok(ImportEnd::Completed {
                        connection: connection.id.clone(),
                        channels: channels.clone(),
                        rows: report.rows,
                        row_errors: report.errors,
                    });
                }
                (Parsed::Failed(error), _) => return Err(error.into()),
                (_, None) => return Err(ReadError::BrokeOff),
            }
        }
        Err(ReadError::BrokeOff)
    }

    /// The connection and the channels, in the order of the export's.
    async fn register(
        &self,
        claimed: &ClaimedImport,
        opened: &Opened,
    ) -> Result<(Connection, Vec<ChannelId>), ReadError> {
        let wanted = claimed.wanted_connection.as_ref();
        let Opened { platform, workspace, title, channels } = opened;
        let connection = self.store.ensure_connection(wanted, *platform, workspace, title).await?;
        let connection = connection.ok_or(ReadError::NoConnection)?;
        if connection.platform != *platform {
            return Err(ReadError::OtherPlatform {
                file: *platform,
                connection: connection.platform,
            });
        }
        let new: Vec<_> = channels
            .iter()
            .map(|channel| NewChannel {
                external_id: channel.external_id.clone(),
                name: channel.name.clone(),
                topic: channel.topic.clone(),
            })
            .collect();
        let registered = self.store.register_channels(&connection.id, &new).await?;
        Ok((connection, registered.into_iter().map(|channel| channel.id).collect()))
    }
}

/// Parses off the async threads; ends early when nobody listens any more.
fn parse(file: File, declared: Declared, sender: &mpsc::Sender<Parsed>) {
    let last = match parse_all(file, declared, sender) {
        Ok(report) => Parsed::Done(report),
        Err(error) => Parsed::Failed(error),
    };
    let _ = sender.blocking_send(last);
}

fn parse_all(
    file: File,
    declared: Declared,
    sender: &mpsc::Sender<Parsed>,
) -> Result<Report, ImportError> {
    let Declared { format, options, limits } = declared;
    let mut export = import::open(Box::new(file), format, options, limits)?;
    let opened = Opened {
        platform: export.platform(),
        workspace: export.workspace(),
        title: export.title(),
        channels: export.channels().to_vec(),
    };
    let mut report = Report::default();
    if sender.blocking_send(Parsed::Opened(opened)).is_err() {
        return Ok(report);
    }
    export.read_all(&mut report, &mut |channel, messages| match sender
        .blocking_send(Parsed::Messages { channel, messages })
    {
        Ok(()) => ControlFlow::Continue(()),
        Err(_) => ControlFlow::Break(()),
    })?;
    Ok(report)
}

fn told(error: &ReadError) -> SyncError {
    match error {
        ReadError::File(error) => error.sync_error(),
        ReadError::Store(error) => error.sync_error(),
        ReadError::NoConnection => SyncError::new(
            ErrorCode::PlatformError,
            format!("{error}: leave connection_id out to make one"),
        ),
        ReadError::OtherPlatform { .. } => SyncError::new(
            ErrorCode::PlatformError,
            format!("{error}: leave connection_id out, or name one of that platform"),
        ),
        ReadError::Options | ReadError::Spool(_) | ReadError::Lost | ReadError::BrokeOff => {
            SyncError::new(ErrorCode::InternalError, error.to_string())
        }
    }
}
