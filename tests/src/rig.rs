//! A running service and a client of it.

use std::{path::Path, sync::Arc};

use atlas_sync::server::{Doubles, Server};
use domain::ChannelId;
use service::{Config, keys};
use store::{Database, Store};
use tempfile::TempDir;

use crate::{
    Api, Crew, Fleet, Place, channel,
    doubles::{ASK_EXTRACTOR, ASK_PLATFORM, Asked},
    dump, dump_server,
};

/// A service with data of its own that vanishes with it: in this process, or in processes of its own.
pub struct Rig(Kind);

enum Kind {
    Embedded(Box<Embedded>),
    Separate { fleet: Box<Fleet>, _asked: Option<Asked> },
}

/// Every role in this process.
struct Embedded {
    folder: TempDir,
    config: Config,
    doubles: Doubles,
    server: Option<Server>,
    api: Api,
}

impl std::ops::Deref for Rig {
    type Target = Api;

    fn deref(&self) -> &Api {
        match &self.0 {
            Kind::Embedded(service) => &service.api,
            Kind::Separate { fleet, .. } => &fleet.api,
        }
    }
}

impl Rig {
    /// A service in this process with what it ships with.
    pub async fn start() -> Self {
        Self::start_with(Doubles::default()).await
    }

    /// A service in this process with doubles in place of some of it.
    pub async fn start_with(doubles: Doubles) -> Self {
        Self::start_configured(doubles, &[]).await
    }

    /// A service with so many tasks of a stage in work at the same time.
    pub async fn start_with_slots(slots: usize) -> Self {
        let slots = slots.to_string();
        Self::start_configured(Doubles::default(), &[("ATLAS_SLOTS", &slots)]).await
    }

    async fn start_configured(doubles: Doubles, own: &[(&str, &str)]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let config = Self::config_with(folder.path(), own);
        let api = Api::new(String::new(), String::new());
        let mut rig = Embedded { folder, config, doubles, server: None, api };
        rig.resume().await;
        Self(Kind::Embedded(Box::new(rig)))
    }

    /// A service in a place with what it ships with.
    pub async fn at(place: Place) -> Self {
        Self::at_with(place, Doubles::default()).await
    }

    /// A service in a place, with a double of the platform or of the extractor.
    pub async fn at_with(place: Place, doubles: Doubles) -> Self {
        if place == Place::Embedded {
            return Self::start_with(doubles).await;
        }
        let Doubles { connector, extractor, queue } = doubles;
        assert!(queue.is_none(), "processes have the broker between them");
        let mut crew = Crew::default();
        let mut asked = None;
        if connector.is_some() || extractor.is_some() {
            crew.doubled = vec!["atlas-gateway", "atlas-fetch-worker", "atlas-extract-worker"];
            let (platform, model) = (connector.is_some(), extractor.is_some());
            let doubles = Asked::start(connector, extractor).await;
            crew.variables.extend(platform.then(|| (ASK_PLATFORM, doubles.address.clone())));
            crew.variables.extend(model.then(|| (ASK_EXTRACTOR, doubles.address.clone())));
            asked = Some(doubles);
        }
        let fleet = Box::new(Fleet::start_with(crew).await);
        Self(Kind::Separate { fleet, _asked: asked })
    }

    /// The configuration of a service on a folder: loopback, any free port, a short lease.
    #[must_use]
    pub fn config_in(folder: &Path) -> Config {
        Self::config_with(folder, &[])
    }

    fn config_with(folder: &Path, own: &[(&str, &str)]) -> Config {
        let variables = [
            ("DATABASE_URL", format!("sqlite:{}", folder.join("atlas-sync.db").display())),
            ("ATLAS_LISTEN", "127.0.0.1:0".to_owned()),
            ("ATLAS_HEALTH_LISTEN", "127.0.0.1:0".to_owned()),
            ("ATLAS_LEASE_SECONDS", "3".to_owned()),
            ("ATLAS_GRACE_SECONDS", "5".to_owned()),
            ("ATLAS_ALLOWED_HOSTS", "127.0.0.1".to_owned()),
        ];
        let own = own.iter().map(|(name, value)| (*name, (*value).to_owned()));
        let variables = variables.into_iter().chain(own);
        let variables = variables.map(|(name, value)| (name.to_owned(), value));
        Config::from_variables(&variables.collect()).unwrap()
    }

    /// Starts it again on the same data.
    pub async fn resume(&mut self) {
        match &mut self.0 {
            Kind::Embedded(service) => service.resume().await,
            Kind::Separate { fleet, .. } => fleet.start_all().await,
        }
    }

    /// Stops it, its data left behind.
    pub async fn stop(&mut self) {
        match &mut self.0 {
            Kind::Embedded(service) => {
                if let Some(server) = service.server.take() {
                    server.stop().await;
                }
            }
            Kind::Separate { fleet, .. } => fleet.end_all(),
        }
    }

    /// Registers the channel `C1` for the platform's double.
    pub async fn channel(&self) -> ChannelId {
        match &self.0 {
            Kind::Embedded(service) => channel(&service.server().ports.store).await,
            Kind::Separate { fleet, .. } => {
                let database = Database::open(fleet.database_url()).await.unwrap();
                let store: Arc<dyn Store> = Arc::new(database);
                channel(&store).await
            }
        }
    }

    /// Everything that syncs have made, as [`dump`] tells it.
    pub async fn dump(&self, whole: bool) -> String {
        match &self.0 {
            Kind::Embedded(_) => dump(&self.database(), whole).await,
            Kind::Separate { fleet, .. } => dump_server(fleet.database_url(), whole).await,
        }
    }

    /// Where health and metrics answer, that of the gateway where there are many processes.
    #[must_use]
    pub fn health_address(&self) -> String {
        match &self.0 {
            Kind::Embedded(service) => service.server().health_address.to_string(),
            Kind::Separate { fleet, .. } => fleet.members[0].health.clone(),
        }
    }

    /// The service in this process.
    #[must_use]
    pub fn server(&self) -> &Server {
        self.embedded().server()
    }

    /// The configuration of the service in this process.
    #[must_use]
    pub fn config(&self) -> &Config {
        &self.embedded().config
    }

    /// The database file of the service in this process.
    #[must_use]
    pub fn database(&self) -> std::path::PathBuf {
        self.embedded().folder.path().join("atlas-sync.db")
    }

    fn embedded(&self) -> &Embedded {
        match &self.0 {
            Kind::Embedded(service) => service,
            Kind::Separate { .. } => unreachable!("it runs in other processes"),
        }
    }
}

impl Embedded {
    async fn resume(&mut self) {
        let server = Server::start(&self.config, self.doubles.clone()).await.unwrap();
        let key = keys::read(&keys::file(&self.config)).unwrap().unwrap();
        self.api = Api::new(format!("http://{}", server.address), key);
        self.server = Some(server);
    }

    fn server(&self) -> &Server {
        self.server.as_ref().unwrap()
    }
}
