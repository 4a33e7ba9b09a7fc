//! Every role in one process, or those that the configuration names.

use std::{net::SocketAddr, path::PathBuf, sync::Arc};

use connections::{Accounts, LiveChannels, MasterKeys};
use connectors::{Connector, http::Client};
use extract_worker::ExtractStage;
use extraction::{Extractor, rules::Rules};
use fetch_worker::FetchStage;
use gateway::{Gateway, Limits, Parts};
use graph_worker::GraphStage;
use imports::{ImportReader, ImportedChannel};
use scheduler::Scheduler;
use serde::{Deserialize, Serialize};
use service::{Config, Process, Role, StartError, keys};
use tracing::info;
use wiki_worker::WikiStage;
use worker::Ports;

/// A service that runs in this process.
pub struct Server {
    /// Where the API answers, when this process has it.
    pub address: SocketAddr,
    /// Where health and metrics answer.
    pub health_address: SocketAddr,
    /// The adapters it works with.
    pub ports: Ports,
    process: Process,
    notice: Option<PathBuf>,
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
    /// Starts every role of the configuration; when that fails, the database is free again.
    pub async fn start(config: &Config, doubles: Doubles) -> Result<Self, StartError> {
        let mut process = Process::start(config).await?;
        match Self::serve(&mut process, config, doubles).await {
            Ok((address, health_address, notice)) => {
                info!(%address, %health_address, "serving");
                let ports = process.ports().clone();
                Ok(Self { address, health_address, ports, process, notice })
            }
            Err(error) => {
                process.stop().await;
                Err(error)
            }
        }
    }

    async fn serve(
        process: &mut Process,
        config: &Config,
        doubles: Doubles,
    ) -> Result<(SocketAddr, SocketAddr, Option<PathBuf>), StartError> {
        if let Some(queue) = doubles.queue {
            process.replace_queue(queue);
        }
        let notice = process.owns_database().then(|| Notice::place(config));
        if let Some(notice) = &notice {
            // Of a process that was killed; whoever looks must not be sent to its address.
            let _ = std::fs::remove_file(notice);
        }
        let connector = doubles
            .connector
            .unwrap_or_else(|| Arc::new(ImportedChannel::new(process.ports().store.clone())));
        let accounts = accounts(process)?;
        // The listeners first: an address that is taken stops the start before any work has begun.
        let health_address = process.serve_health().await?;
        let mut address = config.listen;
        if config.has(Role::Gateway) {
            address = process.serve_api(api(process, connector.clone(), accounts.clone())).await?;
        }
        start_roles(process, connector, &accounts, doubles.extractor)?;
        if let Some(notice) = &notice {
            let text = serde_json::to_string(&Notice { address, pid: std::process::id() });
            keys::write_private(notice, &text.unwrap_or_default())?;
        }
        Ok((address, health_address, notice))
    }

    /// Waits until a role ends by itself, which none does while all is well; names it.
    pub async fn failed(&mut self) -> &'static str {
        self.process.failed().await
    }

    /// Stops every role: what runs is finished or given back.
    pub async fn stop(self) {
        // The notice first: nobody is to be sent here any more.
        if let Some(notice) = &self.notice {
            let _ = std::fs::remove_file(notice);
        }
        self.process.stop().await;
    }
}

/// Accounts at platforms, opened by the keys of the configuration.
fn accounts(process: &Process) -> Result<Arc<Accounts>, StartError> {
    let (config, ports) = (process.config().clone(), process.ports());
    let client = Client::new(config.outbound.hosts.clone(), config.outbound.proxy.as_ref());
    let client = client.map_err(StartError::role)?;
    let keys = MasterKeys::new(move || config.master_key());
    Ok(Arc::new(Accounts::new(ports.store.clone(), ports.progress.clone(), client, keys)))
}

fn api(process: &Process, connector: Arc<dyn Connector>, accounts: Arc<Accounts>) -> axum::Router {
    let Ports { store, queue, progress } = process.ports().clone();
    let limits = Limits { upload_bytes: process.config().max_upload_bytes, ..Limits::default() };
    let shutdown = process.shutdown();
    let parts = Parts { store, queue, progress, connector, accounts, limits, shutdown };
    gateway::router(Gateway::new(parts))
}

fn start_roles(
    process: &mut Process,
    connector: Arc<dyn Connector>,
    accounts: &Arc<Accounts>,
    extractor: Option<Arc<dyn Extractor>>,
) -> Result<(), StartError> {
    let Ports { store, queue, progress } = process.ports().clone();
    for role in process.config().roles.clone() {
        match role {
            Role::Gateway => {}
            Role::Scheduler => {
                let settings = scheduler::Settings {
                    quiet: process.config().sweep_after,
                    keep: process.config().keep,
                    ..scheduler::Settings::default()
                };
                let scheduler =
                    Scheduler::new(store.clone(), queue.clone(), progress.clone(), settings);
                process.spawn("scheduler", scheduler.run(process.shutdown()));
            }
            Role::FetchWorker => {
                let reader = ImportReader::new(store.clone()).run(process.shutdown());
                process.spawn("import reader", reader);
                let live = Arc::new(LiveChannels::new(accounts.clone()));
                let stage = FetchStage::new(store.clone(), connector.clone(), live);
                process.stage(Arc::new(stage))?;
            }
            Role::ExtractWorker => {
                let extractor: Arc<dyn Extractor> = match &extractor {
                    Some(extractor) => extractor.clone(),
                    None => Arc::new(Rules::bundled().map_err(StartError::role)?),
                };
                process.stage(Arc::new(ExtractStage::new(store.clone(), extractor)))?;
            }
            Role::GraphWorker => process.stage(Arc::new(GraphStage::new(store.clone())))?,
            Role::WikiWorker => process.stage(Arc::new(WikiStage::new(store.clone())))?,
        }
    }
    Ok(())
}
