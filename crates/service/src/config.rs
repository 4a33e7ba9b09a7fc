//! Configuration: from the environment, a file and defaults, checked as a whole before anything starts.

mod error;
mod file;
mod setting;
mod stage;
mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use domain::{Stage, backoff::Budget};
use tracing_subscriber::EnvFilter;

pub use self::{
    error::ConfigError,
    setting::{SETTINGS, STAGE_SETTINGS, Setting, Shown, stage_variable},
    stage::StageConfig,
    values::{Effective, Source, USUAL_FILE, Values},
};
use crate::{Address, Role};

/// What a process is told from outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// `DATABASE_URL`: where the truth is kept.
    pub database_url: Address,
    /// `QUEUE_URL`: the wake-up call.
    pub queue_url: Address,
    /// `PROGRESS_URL`: the live view.
    pub progress_url: Address,
    /// `ATLAS_PREFIX`: what names of queues and keys begin with, so that installations can share servers.
    pub prefix: String,
    /// `ATLAS_ROLES`: what this process does.
    pub roles: BTreeSet<Role>,
    /// `ATLAS_DATA_FOLDER`: where a first key is left when the database is not a file.
    pub data_folder: PathBuf,
    /// `ATLAS_LISTEN`: address of the API.
    pub listen: SocketAddr,
    /// `ATLAS_HEALTH_LISTEN`: address of health and metrics.
    pub health_listen: SocketAddr,
    /// `ATLAS_API_KEY_FILE`: a file with a first API key.
    pub api_key_file: Option<PathBuf>,
    /// `ATLAS_LOG`: what is logged, as `tracing` filters are written.
    pub log: String,
    /// `ATLAS_LOG_FORMAT`: how it is logged.
    pub log_format: LogFormat,
    /// How each stage works, in the order of [`Stage::ALL`].
    stages: [StageConfig; 4],
    /// `ATLAS_WINDOW`: so many tasks of a job and stage are released at a time.
    pub window: u32,
    /// `ATLAS_LEASE_SECONDS`: how long a claim lives without a heartbeat.
    pub lease: Duration,
    /// `ATLAS_GRACE_SECONDS`: how long running work may go on after a shutdown has begun.
    pub grace: Duration,
    /// `ATLAS_ATTEMPTS`, `ATLAS_BACKOFF_BASE_MILLISECONDS` and `ATLAS_BACKOFF_CAP_SECONDS`: how often and
    /// after which waits a task is tried again.
    pub retries: Budget,
    /// `ATLAS_STANDSTILL_HOURS`: a job without any progress for this long fails.
    pub standstill: Duration,
    /// `ATLAS_SWEEP_AFTER_SECONDS`: how long a released task may lie before it is called for again.
    pub sweep_after: Duration,
    /// `ATLAS_KEEP_DAYS`: how long an ended job is kept.
    pub keep: Duration,
    /// `ATLAS_MAX_UPLOAD_BYTES`: largest upload.
    pub max_upload_bytes: u64,
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
        Self::from_values(&Values::from_variables(variables.clone()))
    }

    /// The configuration that these values make.
    pub fn from_values(values: &Values) -> Result<Self, ConfigError> {
        let seconds = |setting, range| values.in_range(None, setting, range).map(Duration::from_secs);
        let address = |setting| Address::new(values.text(setting).to_owned());
        let [fetching, extracting, building, generating] =
            Stage::ALL.map(|stage| StageConfig::read(values, stage));
        let config = Self {
            database_url: address(&setting::DATABASE_URL),
            queue_url: address(&setting::QUEUE_URL),
            progress_url: address(&setting::PROGRESS_URL),
            prefix: values.read(None, &setting::PREFIX, prefix)?,
            roles: values.read(None, &setting::ROLES, roles)?,
            data_folder: values.parsed(&setting::DATA_FOLDER)?,
            listen: values.parsed(&setting::LISTEN)?,
            health_listen: values.parsed(&setting::HEALTH_LISTEN)?,
            api_key_file: Some(values.text(&setting::API_KEY_FILE))
                .filter(|path| !path.is_empty())
                .map(PathBuf::from),
            log: values.parsed::<EnvFilter>(&setting::LOG)?.to_string(),
            log_format: values.parsed(&setting::LOG_FORMAT)?,
            stages: [fetching?, extracting?, building?, generating?],
            window: values.in_range(None, &setting::WINDOW, 1..=10_000)?,
            lease: seconds(&setting::LEASE_SECONDS, 3..=3_600)?,
            grace: seconds(&setting::GRACE_SECONDS, 0..=600)?,
            retries: retries(values)?,
            standstill: seconds_of(values, &setting::STANDSTILL_HOURS, 1..=8_760, 60 * 60)?,
            sweep_after: seconds(&setting::SWEEP_AFTER_SECONDS, 1..=3_600)?,
            keep: seconds_of(values, &setting::KEEP_DAYS, 1..=36_500, 24 * 60 * 60)?,
            max_upload_bytes: values.in_range(None, &setting::MAX_UPLOAD_BYTES, 1..=u64::MAX)?,
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
        let database: (&[&str], _) =
            (&["sqlite:", "postgres://", "postgresql://"], setting::DATABASES);
        let queue: (&[&str], _) = (&["memory:", "amqp://", "amqps://"], setting::QUEUES);
        let progress: (&[&str], _) = (&["memory:", "redis://", "rediss://"], setting::VIEWS);
        for (name, url, (schemes, expected)) in [
            ("DATABASE_URL", &self.database_url, database),
            ("QUEUE_URL", &self.queue_url, queue),
            ("PROGRESS_URL", &self.progress_url, progress),
        ] {
            let Some(n) = schemes.iter().position(|scheme| url.starts_with(scheme)) else {
                return Err(ConfigError::Scheme { name, expected });
            };
            if n == 0 && !whole {
                return Err(ConfigError::Alone { name, embedded: schemes[0], expected });
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

fn roles(names: &str) -> Option<BTreeSet<Role>> {
    if names == "all" {
        return Some(Role::ALL.into());
    }
    names.split(',').map(|name| name.trim().parse().ok()).collect()
}

/// It becomes part of the names of queues, keys and channels on servers that others may use as well.
fn prefix(text: &str) -> Option<String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    ((1..=40).contains(&text.len()) && text.chars().all(plain)).then(|| text.to_owned())
}

fn retries(values: &Values) -> Result<Budget, ConfigError> {
    let base = values.in_range(None, &setting::BACKOFF_BASE_MILLISECONDS, 1..=3_600_000)?;
    let cap = values.in_range(None, &setting::BACKOFF_CAP_SECONDS, 1..=86_400)?;
    Ok(Budget {
        attempts: values.in_range(None, &setting::ATTEMPTS, 1..=100)?,
        base: Duration::from_millis(base),
        cap: Duration::from_secs(cap),
    })
}

/// A setting in a larger unit than seconds.
fn seconds_of(
    values: &Values,
    setting: &Setting,
    range: std::ops::RangeInclusive<u64>,
    unit: u64,
) -> Result<Duration, ConfigError> {
    Ok(Duration::from_secs(values.in_range(None, setting, range)? * unit))
}

#[cfg(test)]
mod tests;
