//! Configuration: from the environment, checked as a whole before anything starts.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use tracing_subscriber::EnvFilter;

use crate::{Address, Outbound, Role};

/// What a process is told from outside.
#[derive(Debug, Clone)]
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
    /// `OTEL_EXPORTER_OTLP_ENDPOINT`: the collector that traces are sent to; none are made without.
    pub traces_to: Option<Address>,
    /// `ATLAS_SLOTS`: tasks of a stage in work at the same time.
    pub slots: usize,
    /// `ATLAS_LEASE_SECONDS`: how long a claim lives without a heartbeat.
    pub lease: Duration,
    /// `ATLAS_GRACE_SECONDS`: how long running work may go on after a shutdown has begun.
    pub grace: Duration,
    /// `ATLAS_MAX_UPLOAD_BYTES`: largest upload.
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

/// A configuration that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A variable holds what it must not.
    #[error("{name} is {value:?}: it must be {expected}")]
    Variable {
        /// Its name.
        name: &'static str,
        /// What it holds.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// An adapter that this program does not have.
    #[error("{name} has an unknown scheme: it must be {expected}")]
    Scheme {
        /// The variable's name.
        name: &'static str,
        /// The schemes that are known.
        expected: &'static str,
    },
    /// One role of a whole whose parts could not reach each other.
    #[error(
        "{name} is {embedded}, which only one process can use, but this one does not have every role: \
         name a server ({expected}), or start it with all roles"
    )]
    Alone {
        /// The variable's name.
        name: &'static str,
        /// The embedded scheme.
        embedded: &'static str,
        /// The schemes that are known.
        expected: &'static str,
    },
    /// Open to others without anybody having chosen a key.
    #[error(
        "ATLAS_LISTEN is {0}, which others can reach, and there is no API key yet: make one with \
         `atlas-sync keys create`, or name a file with one in ATLAS_API_KEY_FILE"
    )]
    OpenWithoutKey(SocketAddr),
}

impl Config {
    /// The configuration of this process's environment.
    pub fn from_env() -> Result<Self, ConfigError> {
        // What is no text is none of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Self::from_variables(&std::env::vars_os().filter_map(text).collect())
    }

    /// The configuration that these variables make.
    pub fn from_variables(variables: &BTreeMap<String, String>) -> Result<Self, ConfigError> {
        let text = |name: &str, default: &str| {
            variables
                .get(name)
                .filter(|value| !value.is_empty())
                .map_or(default, String::as_str)
                .to_owned()
        };
        let config = Self {
            database_url: Address::new(text("DATABASE_URL", "sqlite:data/atlas-sync.db")),
            queue_url: Address::new(text("QUEUE_URL", "memory:")),
            progress_url: Address::new(text("PROGRESS_URL", "memory:")),
            prefix: text("ATLAS_PREFIX", "atlas"),
            roles: roles(&text("ATLAS_ROLES", "all"))?,
            data_folder: PathBuf::from(text("ATLAS_DATA_FOLDER", "data")),
            listen: parsed(
                variables,
                "ATLAS_LISTEN",
                "127.0.0.1:8480",
                "an address and port such as 127.0.0.1:8480",
            )?,
            health_listen: parsed(
                variables,
                "ATLAS_HEALTH_LISTEN",
                "127.0.0.1:8481",
                "an address and port such as 127.0.0.1:8481",
            )?,
            api_key_file: variables
                .get("ATLAS_API_KEY_FILE")
                .filter(|v| !v.is_empty())
                .map(PathBuf::from),
            log: log_filter(variables)?,
            log_format: parsed(variables, "ATLAS_LOG_FORMAT", "text", "text or json")?,
            traces_to: collector(variables)?,
            slots: in_range(variables, "ATLAS_SLOTS", 2, 1..=256, "a number from 1 to 256")?,
            lease: Duration::from_secs(in_range(
                variables,
                "ATLAS_LEASE_SECONDS",
                10,
                3..=3_600,
                "seconds from 3 to 3600",
            )?),
            grace: Duration::from_secs(in_range(
                variables,
                "ATLAS_GRACE_SECONDS",
                20,
                0..=600,
                "seconds from 0 to 600",
            )?),
            max_upload_bytes: in_range(
                variables,
                "ATLAS_MAX_UPLOAD_BYTES",
                2 << 30,
                1..=u64::MAX,
                "a number of bytes",
            )?,
            outbound: Outbound::from_variables(variables)?,
        };
        config.check_schemes()?;
        Ok(config)
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
            (&["sqlite:", "postgres://", "postgresql://"], "sqlite:PATH or postgres://…");
        let queue: (&[&str], _) = (&["memory:", "amqp://", "amqps://"], "memory: or amqp://…");
        let progress: (&[&str], _) =
            (&["memory:", "redis://", "rediss://"], "memory: or redis://…");
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

fn roles(names: &str) -> Result<BTreeSet<Role>, ConfigError> {
    let refused = || ConfigError::Variable {
        name: "ATLAS_ROLES",
        value: names.to_owned(),
        expected: "all, or a list of gateway, scheduler, fetch-worker, extract-worker, graph-worker, \
                   wiki-worker",
    };
    if names == "all" {
        return Ok(Role::ALL.into());
    }
    names.split(',').map(|name| name.trim().parse().map_err(|()| refused())).collect()
}

fn collector(variables: &BTreeMap<String, String>) -> Result<Option<Address>, ConfigError> {
    let name = "OTEL_EXPORTER_OTLP_ENDPOINT";
    let url = variables.get(name).filter(|url| !url.is_empty());
    match url {
        Some(url) if !["http://", "https://"].iter().any(|scheme| url.starts_with(scheme)) => {
            Err(ConfigError::Scheme { name, expected: "http:// or https://" })
        }
        url => Ok(url.map(|url| Address::new(url.clone()))),
    }
}

fn log_filter(variables: &BTreeMap<String, String>) -> Result<String, ConfigError> {
    let default = "info,sqlx=warn";
    let expected = "a filter such as info or info,sqlx=warn";
    let filter: EnvFilter = parsed(variables, "ATLAS_LOG", default, expected)?;
    Ok(filter.to_string())
}

fn parsed<T: FromStr>(
    variables: &BTreeMap<String, String>,
    name: &'static str,
    default: &'static str,
    expected: &'static str,
) -> Result<T, ConfigError> {
    let value =
        variables.get(name).filter(|value| !value.is_empty()).map_or(default, String::as_str);
    value.parse().map_err(|_| ConfigError::Variable { name, value: value.to_owned(), expected })
}

fn in_range<T: FromStr + PartialOrd + Copy>(
    variables: &BTreeMap<String, String>,
    name: &'static str,
    default: T,
    range: std::ops::RangeInclusive<T>,
    expected: &'static str,
) -> Result<T, ConfigError> {
    let Some(value) = variables.get(name).filter(|value| !value.is_empty()) else {
        return Ok(default);
    };
    let number = value.parse().ok().filter(|number| range.contains(number));
    number.ok_or_else(|| ConfigError::Variable { name, value: value.clone(), expected })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::from_variables(&variables)
    }

    #[test]
    fn the_defaults_are_the_embedded_service_on_loopback() {
        let config = read(&[]).unwrap();
        assert!(config.is_loopback());
        assert_eq!(&*config.database_url, "sqlite:data/atlas-sync.db");
        assert_eq!(config.data_folder(), PathBuf::from("data"));
    }

    #[test]
    fn a_refusal_names_the_variable_and_what_it_must_be() {
        let error = read(&[("ATLAS_SLOTS", "many")]).unwrap_err();
        assert_eq!(error.to_string(), "ATLAS_SLOTS is \"many\": it must be a number from 1 to 256");
        assert!(matches!(read(&[("ATLAS_LISTEN", "here")]), Err(ConfigError::Variable { .. })));
        assert!(matches!(read(&[("ATLAS_LEASE_SECONDS", "0")]), Err(ConfigError::Variable { .. })));
        let error = read(&[("QUEUE_URL", "kafka://user:secret@x")]).unwrap_err();
        assert!(!error.to_string().contains("secret"));
    }

    #[test]
    fn what_lives_in_one_process_is_refused_to_a_part_of_the_whole() {
        let error = read(&[("ATLAS_ROLES", "gateway, scheduler")]).unwrap_err();
        assert!(error.to_string().starts_with("DATABASE_URL is sqlite:"), "{error}");
        let servers = [("DATABASE_URL", "postgres://db/atlas"), ("PROGRESS_URL", "redis://redis")];
        let roles = [("ATLAS_ROLES", "graph-worker")];
        let error = read(&[&servers[..], &roles[..]].concat()).unwrap_err();
        assert!(error.to_string().starts_with("QUEUE_URL is memory:"), "{error}");
        let queue = [("QUEUE_URL", "amqp://rabbit")];
        let config = read(&[&servers[..], &roles[..], &queue[..]].concat()).unwrap();
        assert!(config.has(Role::GraphWorker) && !config.has(Role::Gateway));
        assert!(read(&[("ATLAS_ROLES", "gateway,cook")]).is_err());
    }

    #[test]
    fn a_password_in_an_address_is_never_told() {
        let config = read(&[("DATABASE_URL", "postgres://atlas:hunter2@db/atlas")]).unwrap();
        assert!(!format!("{config:?} {}", config.database_url).contains("hunter2"));
        assert!(config.database_url.contains("hunter2"), "but is there to connect with");
    }

    #[test]
    fn an_empty_variable_is_as_good_as_none() {
        assert!(read(&[("ATLAS_LISTEN", ""), ("ATLAS_API_KEY_FILE", "")]).is_ok());
    }
}
