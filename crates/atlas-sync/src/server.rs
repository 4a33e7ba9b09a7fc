//! Every role in one process.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use connectors::Connector;
use extract_worker::ExtractStage;
use extraction::{Extractor, rules::Rules};
use fetch_worker::{
    FetchStage,
    imports::{ImportReader, ImportedChannel},
};
use gateway::{Gateway, Limits, Parts};
use graph_worker::GraphStage;
use scheduler::Scheduler;
use serde::{Deserialize, Serialize};
use service::{Adapters, Config, health, keys, telemetry};
use store::StoreError;
use tokio::{net::TcpListener, sync::RwLock, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::info;
use wiki_worker::WikiStage;
use worker::{Claims, Ports, Runner, Settings, Stage};

/// A service that runs in this process.
pub struct Server {
    /// Where the API answers.
    pub address: SocketAddr,
    /// Where health and metrics answer.
    pub health_address: SocketAddr,
    /// The adapters it works with.
    pub ports: Ports,
    database: Arc<store::Database>,
    shutdown: CancellationToken,
    /// Ends the heartbeats, after the last claim has been given up.
    last: CancellationToken,
    roles: JoinSet<&'static str>,
    notice: PathBuf,
}

/// What a service uses in place of what it ships with; for tests.
#[derive(Default, Clone)]
pub struct Doubles {
    /// In place of imported exports.
    pub connector: Option<Arc<dyn Connector>>,
    /// In place of the rules.
    pub extractor: Option<Arc<dyn Extractor>>,
    /// In place of the queue.
    pub queue: Option<Arc<dyn queue::Queue>>,
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// There is no key, or none can be made.
    #[error(transparent)]
    Key(#[from] keys::KeyError),
    /// The address is taken, or not this machine's.
    #[error("{address} cannot be listened on ({cause}): choose another with {variable}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// The variable that names it.
        variable: &'static str,
        /// Why.
        cause: std::io::Error,
    },
    /// The built-in extractor is broken; a defect of the program.
    #[error(transparent)]
    Extractor(#[from] extraction::rules::GazetteerError),
    /// The system gives no thread or no file.
    #[error("the system refuses what the service needs: {0}")]
    System(#[from] std::io::Error),
}

/// Tells other processes where the server of a data folder answers.
#[derive(Debug, Serialize, Deserialize)]
pub struct Notice {
    /// Where the API answers.
    pub address: SocketAddr,
    /// The process.
    pub pid: u32,
}

impl Notice {
    /// Where the notice of a configuration's data folder lies.
    #[must_use]
    pub fn place(config: &Config) -> PathBuf {
        config.data_folder().join("server.json")
    }
}

impl Server {
    /// Starts every role.
    pub async fn start(config: &Config, doubles: Doubles) -> Result<Self, StartError> {
        let metrics = telemetry::start_metrics();
        let Adapters { database, mut ports } = Adapters::open(config).await?;
        if let Some(queue) = doubles.queue {
            ports.queue = queue;
        }
        // Of a process that was killed; whoever looks must not be sent to its address.
        let _ = std::fs::remove_file(Notice::place(config));
        keys::ensure(&*ports.store, config).await?;
        let api = listen(config.listen, "ATLAS_LISTEN").await?;
        let health = listen(config.health_listen, "ATLAS_HEALTH_LISTEN").await?;
        let (address, health_address) = (api.local_addr()?, health.local_addr()?);

        let shutdown = CancellationToken::new();
        let last = CancellationToken::new();
        let mut roles = JoinSet::new();
        if let Some(metrics) = metrics.clone() {
            let tending = telemetry::tend_metrics(metrics, shutdown.clone());
            roles.spawn(async move {
                tending.await;
                "metrics"
            });
        }
        let connector = doubles
            .connector
            .unwrap_or_else(|| Arc::new(ImportedChannel::new(ports.store.clone())));
        let extractor: Arc<dyn Extractor> = match doubles.extractor {
            Some(extractor) => extractor,
            None => Arc::new(Rules::bundled()?),
        };
        let store = ports.store.clone();
        let stages: [Arc<dyn Stage>; 4] = [
            Arc::new(FetchStage::new(store.clone(), connector.clone())),
            Arc::new(ExtractStage::new(store.clone(), extractor)),
            Arc::new(GraphStage::new(store.clone())),
            Arc::new(WikiStage::new(store.clone())),
        ];
        start_stages(config, &ports, stages, &shutdown, &last, &mut roles)?;
        start_scheduler(&ports, &shutdown, &mut roles);
        let reader = ImportReader::new(store).run(shutdown.clone());
        roles.spawn(async move {
            reader.await;
            "import reader"
        });

        let gateway = Gateway::new(Parts {
            store: ports.store.clone(),
            queue: ports.queue.clone(),
            progress: ports.progress.clone(),
            connector,
            limits: Limits { upload_bytes: config.max_upload_bytes, ..Limits::default() },
            shutdown: shutdown.clone(),
        });
        serve("gateway", api, gateway::router(gateway), &shutdown, &mut roles);
        serve("health", health, health::router(ports.clone(), metrics), &shutdown, &mut roles);

        let notice = Notice::place(config);
        let text = serde_json::to_string(&Notice { address, pid: std::process::id() });
        keys::write_private(&notice, &text.unwrap_or_default())?;
        info!(%address, %health_address, "serving");
        Ok(Self { address, health_address, ports, database, shutdown, last, roles, notice })
    }

    /// Waits until a role ends by itself, which none does while all is well; names it.
    pub async fn failed(&mut self) -> &'static str {
        match self.roles.join_next().await {
            Some(Ok(role)) => role,
            _ => "a role",
        }
    }

    /// Stops every role: what runs is finished or given back.
    pub async fn stop(mut self) {
        self.shutdown.cancel();
        // The notice first: nobody is to be sent here any more.
        let _ = std::fs::remove_file(&self.notice);
        while self.roles.join_next().await.is_some() {}
        self.last.cancel();
        self.database.close().await;
    }
}

async fn listen(address: SocketAddr, variable: &'static str) -> Result<TcpListener, StartError> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|cause| StartError::Listen { address, variable, cause })
}

fn serve(
    role: &'static str,
    listener: TcpListener,
    router: axum::Router,
    shutdown: &CancellationToken,
    roles: &mut JoinSet<&'static str>,
) {
    let ended = shutdown.clone();
    let graceful = axum::serve(listener, router).with_graceful_shutdown({
        let shutdown = shutdown.clone();
        async move { shutdown.cancelled().await }
    });
    roles.spawn(async move {
        // A client that keeps its connection open does not keep the process.
        tokio::select! {
            _ = graceful => {}
            () = async {
                ended.cancelled().await;
                tokio::time::sleep(std::time::Duration::from_secs(2)).await;
            } => {}
        }
        role
    });
}

fn start_scheduler(ports: &Ports, shutdown: &CancellationToken, roles: &mut JoinSet<&'static str>) {
    let Ports { store, queue, progress } = ports.clone();
    let scheduler = Scheduler::new(store, queue, progress, scheduler::Settings::default());
    let run = scheduler.run(shutdown.clone());
    roles.spawn(async move {
        run.await;
        "scheduler"
    });
}

fn start_stages(
    config: &Config,
    ports: &Ports,
    stages: [Arc<dyn Stage>; 4],
    shutdown: &CancellationToken,
    last: &CancellationToken,
    roles: &mut JoinSet<&'static str>,
) -> Result<(), StartError> {
    let claims = Claims::start(ports, config.lease, last.clone())?;
    let alone = Arc::new(RwLock::new(()));
    for stage in stages {
        let name = stage.stage().as_str();
        let settings = Settings { slots: config.slots, grace: config.grace, ..Settings::default() };
        let runner = Runner::new(stage, ports.clone(), claims.clone(), alone.clone(), settings);
        let run = runner.run(shutdown.clone());
        roles.spawn(async move {
            run.await;
            name
        });
    }
    Ok(())
}
