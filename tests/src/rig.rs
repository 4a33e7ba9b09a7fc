//! A running service and a client of it.

use std::path::Path;

use atlas_sync::server::{Doubles, Server};
use service::{Config, keys};
use tempfile::TempDir;

use crate::Api;

/// A service in this process, with its data in a folder that vanishes with it.
pub struct Rig {
    folder: TempDir,
    /// The configuration it was started with.
    pub config: Config,
    doubles: Doubles,
    server: Option<Server>,
    api: Api,
}

impl std::ops::Deref for Rig {
    type Target = Api;

    fn deref(&self) -> &Api {
        &self.api
    }
}

impl Rig {
    /// A service with what it ships with.
    pub async fn start() -> Self {
        Self::start_with(Doubles::default()).await
    }

    /// A service with doubles in place of some of it.
    pub async fn start_with(doubles: Doubles) -> Self {
        Self::start_configured(doubles, |_| ()).await
    }

    /// A service with so many tasks of a stage in work at the same time.
    pub async fn start_with_slots(slots: usize) -> Self {
        Self::start_configured(Doubles::default(), |config| config.slots = slots).await
    }

    async fn start_configured(doubles: Doubles, configure: impl FnOnce(&mut Config)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut config = Self::config_in(folder.path());
        configure(&mut config);
        let api = Api::new(String::new(), String::new());
        let mut rig = Self { folder, config, doubles, server: None, api };
        rig.resume().await;
        rig
    }

    /// The configuration of a service on a folder: loopback, any free port, a short lease.
    #[must_use]
    pub fn config_in(folder: &Path) -> Config {
        let variables = [
            ("DATABASE_URL", format!("sqlite:{}", folder.join("atlas-sync.db").display())),
            ("ATLAS_LISTEN", "127.0.0.1:0".to_owned()),
            ("ATLAS_HEALTH_LISTEN", "127.0.0.1:0".to_owned()),
            ("ATLAS_LEASE_SECONDS", "3".to_owned()),
            ("ATLAS_GRACE_SECONDS", "5".to_owned()),
            ("ATLAS_ALLOWED_HOSTS", "127.0.0.1".to_owned()),
        ];
        let variables = variables.into_iter().map(|(name, value)| (name.to_owned(), value));
        Config::from_variables(&variables.collect()).unwrap()
    }

    /// Starts it again on the same data.
    pub async fn resume(&mut self) {
        let server = Server::start(&self.config, self.doubles.clone()).await.unwrap();
        let key = keys::read(&keys::file(&self.config)).unwrap().unwrap();
        self.api = Api::new(format!("http://{}", server.address), key);
        self.server = Some(server);
    }

    /// Stops it, its data left behind.
    pub async fn stop(&mut self) {
        if let Some(server) = self.server.take() {
            server.stop().await;
        }
    }

    /// The service.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }

    /// Its database file.
    #[must_use]
    pub fn database(&self) -> std::path::PathBuf {
        self.folder.path().join("atlas-sync.db")
    }
}
