//! Configuration: from the environment, a file and defaults, checked as a whole before anything starts.

mod document;
mod error;
mod file;
mod names;
mod setting;
mod stage;
mod table;
mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use domain::Stage;
use store::Limits;
use tracing_subscriber::EnvFilter;
use url::Url;

pub use self::{
    document::documented_file,
    error::ConfigError,
    names::variables,
    setting::{Allowed, Group, Setting, Shown},
    stage::StageConfig,
    table::TABLE,
    values::{Effective, Source, USUAL_FILE, Values},
};
use crate::{Address, MasterKey, Outbound, Role};

/// What a process is told from outside; each by the setting of its name.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where the truth is kept.
    pub database_url: Address,
    /// The wake-up call.
    pub queue_url: Address,
    /// The live view.
    pub progress_url: Address,
    /// What names of queues and keys begin with, so that installations can share servers.
    pub prefix: String,
    /// What this process does.
    pub roles: BTreeSet<Role>,
    /// Where a first key is left when the database is not a file.
    pub data_folder: PathBuf,
    /// Address of the API.
    pub listen: SocketAddr,
    /// Address of health and metrics.
    pub health_listen: SocketAddr,
    /// A file with a first API key.
    pub api_key_file: Option<PathBuf>,
    /// What is logged, as `tracing` filters are written.
    pub log: String,
    /// How it is logged.
    pub log_format: LogFormat,
    /// The collector that traces are sent to; none are made without.
    pub traces_to: Option<Address>,
    /// How each stage works, in the order of [`Stage::ALL`].
    pub stages: [StageConfig; 4],
    /// Bounds of every job.
    pub limits: Limits,
    /// How long a claim lives without a heartbeat.
    pub lease: Duration,
    /// How long running work may go on after a shutdown has begun.
    pub grace: Duration,
    /// How long a released task may lie before it is called for again.
    pub sweep_after: Duration,
    /// How long an ended job is kept.
    pub keep: Duration,
    /// Largest upload.
    pub max_upload_bytes: u64,
    /// How platforms are called.
    pub outbound: Outbound,
}

/// How the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// A JSON object a line.
    Json,
}

impl FromStr for LogFormat {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        match name {
            "text" => Ok(Self::Text),
            "json" => Ok(Self::Json),
            _ => Err(()),
        }
    }
}

impl Config {
    /// The configuration of this process: of its environment, and of the file that is named, else of
    /// [`USUAL_FILE`] where that exists.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::from_values(&Values::load(file)?)
    }

    /// The configuration that these variables make, without a file.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        Self::from_values(&Values::from_variables(variables.clone())?)
    }

    /// The configuration that these values make.
    pub fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let seconds = |setting| values.number(None, setting).map(Duration::from_secs);
        let [fetching, extracting, building, generating] =
            Stage::ALL.map(|stage| StageConfig::read(values, stage));
        let config = Self {
            database_url: server(values, &table::DATABASE_URL, &DATABASES)?,
            queue_url: server(values, &table::QUEUE_URL, &QUEUES)?,
            progress_url: server(values, &table::PROGRESS_URL, &VIEWS)?,
            prefix: values.read(None, &table::PREFIX, prefix)?,
            roles: values.read(None, &table::ROLES, roles)?,
            data_folder: values.parsed(&table::DATA_FOLDER)?,
            listen: values.parsed(&table::LISTEN)?,
            health_listen: values.parsed(&table::HEALTH_LISTEN)?,
            api_key_file: values.text(&table::API_KEY_FILE).map(PathBuf::from),
            log: values.parsed::<EnvFilter>(&table::LOG)?.to_string(),
            log_format: values.parsed(&table::LOG_FORMAT)?,
            traces_to: values.read(None, &table::TRACES_TO, collector)?,
            stages: [fetching?, extracting?, building?, generating?],
            limits: limits(values)?,
            lease: seconds(&table::LEASE_SECONDS)?,
            grace: seconds(&table::GRACE_SECONDS)?,
            sweep_after: seconds(&table::SWEEP_AFTER_SECONDS)?,
            keep: seconds(&table::KEEP_DAYS)? * (24 * 60 * 60),
            max_upload_bytes: values.number(None, &table::MAX_UPLOAD_BYTES)?,
            outbound: outbound(values)?,
        };
        config.check_schemes()?;
        Ok(config)
    }

    /// How a stage works.
    #[must_use]
    pub const fn stage(&self, stage: Stage) -> &StageConfig {
        &self.stages[stage.index()]
    }

    /// The configuration of a process that does only this.
    pub fn with_roles(self, roles: impl IntoIterator<Item = Role>) -> Result<Self, ConfigError> {
        let config = Self { roles: roles.into_iter().collect(), ..self };
        config.check_schemes()?;
        Ok(config)
    }

    /// Whether this process has a role.
    #[must_use]
    pub fn has(&self, role: Role) -> bool {
        self.roles.contains(&role)
    }

    /// What only lives in one process is of no use to the others.
    fn check_schemes(&self) -> Result<(), ConfigError> {
        let whole = self.roles.len() == Role::ALL.len();
        for (setting, url, schemes) in [
            (table::DATABASE_URL, &self.database_url, DATABASES),
            (table::QUEUE_URL, &self.queue_url, QUEUES),
            (table::PROGRESS_URL, &self.progress_url, VIEWS),
        ] {
            let embedded = schemes[0];
            if !whole && url.starts_with(embedded) {
                let (variable, allowed) = (setting.variable, setting.allowed.to_string());
                return Err(ConfigError::Alone { variable, embedded, allowed });
            }
        }
        Ok(())
    }

    /// Whether only this machine can reach the API.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        match self.listen.ip() {
            IpAddr::V4(ip) => ip.is_loopback(),
            IpAddr::V6(ip) => ip.is_loopback(),
        }
    }

    /// The folder beside the data, for the first key and for what the command line finds a server by.
    #[must_use]
    pub fn data_folder(&self) -> PathBuf {
        let Some(path) = self.database_url.strip_prefix("sqlite:") else {
            return self.data_folder.clone();
        };
        let path = path.trim_start_matches("//");
        let folder =
            std::path::Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or_else(|| PathBuf::from("."), PathBuf::from)
    }
}

/// The schemes of each adapter, the embedded one first.
const DATABASES: [&str; 3] = ["sqlite:", "postgres://", "postgresql://"];
const QUEUES: [&str; 3] = ["memory:", "amqp://", "amqps://"];
const VIEWS: [&str; 3] = ["memory:", "redis://", "rediss://"];

fn server(values: &Values, setting: &Setting, schemes: &[&str]) -> Result<Address, ConfigError> {
    values.read(None, setting, |url| {
        let known = schemes.iter().any(|scheme| url.starts_with(scheme));
        known.then(|| Address::new(url.to_owned()))
    })
}

fn roles(names: &str) -> Option<BTreeSet<Role>> {
    if names == "all" {
        return Some(Role::ALL.into());
    }
    names.split(',').map(|name| name.trim().parse().ok()).collect()
}

fn collector(url: &str) -> Option<Option<Address>> {
    if url.is_empty() {
        return Some(None);
    }
    let known = ["http://", "https://"].iter().any(|scheme| url.starts_with(scheme));
    known.then(|| Some(Address::new(url.to_owned())))
}

/// It becomes part of the names of queues, keys and channels on servers that others may use as well.
fn prefix(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    ((1..=80).contains(&text.len()) && text.chars().all(plain)).then(|| text.to_owned())
}

fn limits(values: &Values) -> Result<Limits, ConfigError> {
    let hours: u64 = values.number(None, &table::STANDSTILL_HOURS)?;
    Ok(Limits {
        window: values.number(None, &table::WINDOW)?,
        standstill: Duration::from_secs(hours * 60 * 60),
    })
}

fn outbound(values: &Values) -> Result<Outbound, ConfigError> {
    let proxy = |text: &str| match text {
        "" => Some(None),
        url => Url::parse(url).ok().filter(|url| url.has_host()).map(Some),
    };
    let keys = |text: &str| {
        let is_key = |key: &str| key.len() == 64 && key.bytes().all(|b| b.is_ascii_hexdigit());
        text.split_whitespace().all(is_key).then(|| text.to_owned())
    };
    let file = values.text(&table::MASTER_KEY_FILE).map(|path| MasterKey::File(path.into()));
    let text = Some(values.read(None, &table::MASTER_KEY, keys)?).filter(|keys| !keys.is_empty());
    let text = text.map(|keys| MasterKey::Text(keys.into()));
    Ok(Outbound {
        hosts: values.parsed(&table::ALLOWED_HOSTS)?,
        proxy: values.read(None, &table::HTTP_PROXY, proxy)?,
        master_key: file.or(text).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests;
