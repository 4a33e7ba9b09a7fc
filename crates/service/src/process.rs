//! A process of the service: its ports, its roles, and its end.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use axum::{Router, serve::ListenerExt as _};
use metrics_exporter_prometheus::PrometheusHandle;
use store::StoreError;
use tokio::{net::TcpListener, sync::RwLock, task::JoinSet};
use tokio_util::sync::CancellationToken;
use tracing::debug;
use worker::{Claims, Ports, Runner, Settings, Stage};

use crate::{Adapters, Config, ConfigError, health, keys, telemetry};

/// How long connections of clients may outlive the shutdown.
const GOODBYE: Duration = Duration::from_secs(2);

/// Why a process does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
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
    /// The system gives no thread or no file.
    #[error("the system refuses what the service needs: {0}")]
    System(#[from] std::io::Error),
    /// A role lacks what only it needs.
    #[error(transparent)]
    Role(Box<dyn std::error::Error + Send + Sync>),
}

impl StartError {
    /// What a role of its own could not do without.
    pub fn role(cause: impl std::error::Error + Send + Sync + 'static) -> Self {
        Self::Role(Box::new(cause))
    }
}

/// A running process.
pub struct Process {
    config: Config,
    adapters: Adapters,
    metrics: Option<PrometheusHandle>,
    shutdown: CancellationToken,
    /// Ends the heartbeats, after the last claim has been given up.
    last: CancellationToken,
    /// Those of all stages of this process.
    claims: Option<Claims>,
    alone: Arc<RwLock<()>>,
    hearings: health::Hearings,
    roles: JoinSet<&'static str>,
}

impl Process {
    /// Opens what the configuration names; no role runs yet.
    pub async fn start(config: &Config) -> Result<Self, StartError> {
        // The one provider of all TLS connections; another may have been chosen before.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let metrics = telemetry::start_metrics();
        let adapters = Adapters::open(config).await?;
        if adapters.owns_database() {
            config.ensure_master_key()?;
        }
        let mut process = Self {
            config: config.clone(),
            adapters,
            metrics: metrics.clone(),
            shutdown: CancellationToken::new(),
            last: CancellationToken::new(),
            claims: None,
            alone: Arc::default(),
            hearings: health::Hearings::default(),
            roles: JoinSet::new(),
        };
        if let Some(metrics) = metrics {
            process.spawn("metrics", telemetry::tend_metrics(metrics, process.shutdown()));
        }
        Ok(process)
    }

    /// The configuration it was started with.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What its roles work with.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.adapters.ports
    }

    /// Another queue than the configured one, for roles that are started after this.
    pub fn replace_queue(&mut self, queue: Arc<dyn queue::Queue>) {
        self.adapters.ports.queue = queue;
    }

    /// Whether this process is the only one to use the database.
    #[must_use]
    pub fn owns_database(&self) -> bool {
        self.adapters.owns_database()
    }

    /// Cancelled when the process is to end.
    #[must_use]
    pub fn shutdown(&self) -> CancellationToken {
        self.shutdown.clone()
    }

    /// Runs something that only ends with the process.
    pub fn spawn(&mut self, name: &'static str, role: impl Future<Output = ()> + Send + 'static) {
        self.roles.spawn(async move {
            role.await;
            name
        });
    }

    /// Works on a stage's tasks.
    pub fn stage(&mut self, stage: Arc<dyn Stage>) -> Result<(), StartError> {
        let claims = match &self.claims {
            Some(claims) => claims.clone(),
            None => {
                let lease = self.config.lease;
                let claims = Claims::start(self.ports(), lease, self.last.clone())?;
                self.claims.insert(claims).clone()
            }
        };
        let name = stage.stage().as_str();
        let config = self.config.stage(stage.stage());
        let settings = Settings {
            slots: config.slots,
            prefetch: config.prefetch,
            time_limit: config.time_limit,
            retries: config.retries,
            grace: self.config.grace,
            worker: worker_name(),
            ..Settings::default()
        };
        let runner = Runner::new(stage, self.ports().clone(), claims, self.alone.clone(), settings);
        self.hearings.add(runner.hearing());
        self.spawn(name, runner.run(self.shutdown()));
        Ok(())
    }

    /// Answers the API where the configuration says; makes sure that there is a key for it.
    pub async fn serve_api(&mut self, router: Router) -> Result<SocketAddr, StartError> {
        keys::ensure(&*self.ports().store, &self.config).await?;
        self.serve("gateway", self.config.listen, "ATLAS_LISTEN", router).await
    }

    /// Answers questions for health and metrics where the configuration says.
    pub async fn serve_health(&mut self) -> Result<SocketAddr, StartError> {
        let router =
            health::router(self.ports().clone(), self.hearings.clone(), self.metrics.clone());
        self.serve("health", self.config.health_listen, "ATLAS_HEALTH_LISTEN", router).await
    }

    async fn serve(
        &mut self,
        name: &'static str,
        address: SocketAddr,
        variable: &'static str,
        router: Router,
    ) -> Result<SocketAddr, StartError> {
        let listener = TcpListener::bind(address).await.map_err(|cause| StartError::Listen {
            address,
            variable,
            cause,
        })?;
        let bound = listener.local_addr()?;
        let ending = self.shutdown.clone().cancelled_owned();
        // An event that follows another one is not held back until that has been acknowledged.
        let prompt = listener.tap_io(|stream| {
            if let Err(error) = stream.set_nodelay(true) {
                debug!(%error, "a connection will be slower than it could be");
            }
        });
        let graceful = axum::serve(prompt, router).with_graceful_shutdown(ending);
        let ended = self.shutdown();
        self.spawn(name, async move {
            let late = async {
                ended.cancelled().await;
                tokio::time::sleep(GOODBYE).await;
            };
            // A client that keeps its connection open does not keep the process.
            tokio::select! {
                _ = graceful => {}
                () = late => {}
            }
        });
        Ok(bound)
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
        while self.roles.join_next().await.is_some() {}
        self.last.cancel();
        self.adapters.close().await;
        telemetry::flush_traces().await;
    }
}

/// Names this process in the rows of its tasks.
pub(crate) fn worker_name() -> String {
    let host = std::env::var("HOSTNAME").unwrap_or_else(|_| "localhost".to_owned());
    format!("{host}-{}", std::process::id())
}
