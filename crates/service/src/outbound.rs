//! What a process that calls platforms is told from outside.

use std::path::PathBuf;

use connectors::http::Hosts;
use secrecy::SecretString;
use url::Url;

use crate::{
    Config,
    keys::{self, KeyError},
};

/// How platforms are called, and with which key their credentials are opened.
#[derive(Debug, Clone, Default)]
pub struct Outbound {
    /// Servers that may be called although they are not public, or without TLS.
    pub hosts: Hosts,
    /// The proxy that all calls go through.
    pub proxy: Option<Url>,
    /// What opens the credentials of platforms.
    pub master_key: MasterKey,
}

/// Where the master key is.
#[derive(Debug, Clone, Default)]
pub enum MasterKey {
    /// Beside the data of an embedded service, made at its first start.
    #[default]
    Own,
    /// In a file.
    File(PathBuf),
    /// In the environment.
    Text(SecretString),
}

impl Config {
    /// The lines of the master key, as they are at this moment; none where there is no place for one.
    pub fn master_key(&self) -> Result<Option<SecretString>, String> {
        let read = |path: PathBuf| match keys::read(&path) {
            Ok(text) => Ok(text.map(SecretString::from)),
            Err(error) => Err(error.to_string()),
        };
        match &self.outbound.master_key {
            MasterKey::Text(text) => Ok(Some(text.clone())),
            MasterKey::File(path) => read(path.clone()),
            MasterKey::Own => read(self.own_master_key()),
        }
    }

    /// Where an embedded service keeps its own.
    #[must_use]
    pub fn own_master_key(&self) -> PathBuf {
        self.data_folder().join("master-key")
    }

    /// Makes a service's own master key unless there is one, or another is given.
    pub(crate) fn ensure_master_key(&self) -> Result<(), KeyError> {
        let path = self.own_master_key();
        if !matches!(self.outbound.master_key, MasterKey::Own) || keys::read(&path)?.is_some() {
            return Ok(());
        }
        let secret = keys::random()?;
        keys::write_private(&path, &secret).map_err(|cause| KeyError::File { path, cause })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConfigError;

    /// A key, of one digit.
    const KEY: &str = "cccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccccc";

    fn config(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        let variables = pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
        Config::from_variables(&variables)
    }

    #[test]
    fn a_master_key_in_the_environment_is_not_shown() {
        let two = format!("{KEY} {KEY}");
        let given = config(&[("ATLAS_MASTER_KEY", &two)]).unwrap();
        assert!(!format!("{given:?}").contains("ccc"));
        assert!(given.master_key().unwrap().is_some());
        let error = config(&[("ATLAS_MASTER_KEY", "canary")]).unwrap_err().to_string();
        assert!(error.starts_with("ATLAS_MASTER_KEY is \"(not shown)\""), "{error}");
    }

    #[test]
    fn hosts_that_cannot_be_meant_are_refused() {
        assert!(config(&[("ATLAS_ALLOWED_HOSTS", "chat.example.org, 127.0.0.1:8065")]).is_ok());
        let error = config(&[("ATLAS_ALLOWED_HOSTS", "https://x/y")]).unwrap_err().to_string();
        assert!(error.contains("ATLAS_ALLOWED_HOSTS"), "{error}");
        let error = config(&[("ATLAS_HTTP_PROXY", "canary")]).unwrap_err().to_string();
        assert!(!error.contains("canary"), "{error}");
    }

    #[test]
    fn an_embedded_service_makes_its_own_key_once() {
        let folder = tempfile::tempdir().unwrap();
        let url = format!("sqlite:{}", folder.path().join("x.db").display());
        let config = config(&[("DATABASE_URL", &url)]).unwrap();
        assert!(config.master_key().unwrap().is_none());
        config.ensure_master_key().unwrap();
        let first = std::fs::read_to_string(config.own_master_key()).unwrap();
        config.ensure_master_key().unwrap();
        assert_eq!(std::fs::read_to_string(config.own_master_key()).unwrap(), first);
        assert_eq!(first.trim().len(), 64);
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = std::fs::metadata(config.own_master_key()).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
    }
}
