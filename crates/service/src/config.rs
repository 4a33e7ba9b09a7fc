//! Configuration: from the environment, checked as a whole before anything starts.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::PathBuf,
    str::FromStr,
    time::Duration,
};

use tracing_subscriber::EnvFilter;

/// What a process is told from outside.
#[derive(Debug, Clone)]
pub struct Config {
    /// `DATABASE_URL`: where the truth is kept.
    pub database_url: String,
    /// `QUEUE_URL`: the wake-up call.
    pub queue_url: String,
    /// `PROGRESS_URL`: the live view.
    pub progress_url: String,
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
    /// `ATLAS_SLOTS`: tasks of a stage in work at the same time.
    pub slots: usize,
    /// `ATLAS_LEASE_SECONDS`: how long a claim lives without a heartbeat.
    pub lease: Duration,
    /// `ATLAS_GRACE_SECONDS`: how long running work may go on after a shutdown has begun.
    pub grace: Duration,
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
            database_url: text("DATABASE_URL", "sqlite:data/atlas-sync.db"),
            queue_url: text("QUEUE_URL", "memory:"),
            progress_url: text("PROGRESS_URL", "memory:"),
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
            slots: in_range(variables, "ATLAS_SLOTS", 2, 1..=256, "a number from 1 to 256")?,
            lease: Duration::from_secs(in_range(
                variables,
                "ATLAS_LEASE_SECONDS",
                30,
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
        };
        config.check_schemes()?;
        Ok(config)
    }

    fn check_schemes(&self) -> Result<(), ConfigError> {
        for (name, url, prefix, expected) in [
            ("DATABASE_URL", &self.database_url, "sqlite:", "sqlite:PATH"),
            ("QUEUE_URL", &self.queue_url, "memory:", "memory:"),
            ("PROGRESS_URL", &self.progress_url, "memory:", "memory:"),
        ] {
            if !url.starts_with(prefix) {
                return Err(ConfigError::Scheme { name, expected });
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
        let path = self.database_url.trim_start_matches("sqlite:").trim_start_matches("//");
        let folder =
            std::path::Path::new(path).parent().filter(|folder| !folder.as_os_str().is_empty());
        folder.map_or_else(|| PathBuf::from("."), PathBuf::from)
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
        assert_eq!(config.database_url, "sqlite:data/atlas-sync.db");
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
    fn an_empty_variable_is_as_good_as_none() {
        assert!(read(&[("ATLAS_LISTEN", ""), ("ATLAS_API_KEY_FILE", "")]).is_ok());
    }
}
