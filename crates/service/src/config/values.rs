//! Where values come from: the environment before the file, the file before the defaults.

use std::{collections::BTreeMap, fmt, path::Path, str::FromStr};

use domain::Stage;

use super::{
    ConfigError,
    file::File,
    names,
    setting::{Allowed, Setting, Shown},
};
use crate::Address;

/// The file that is read where none is named.
pub const USUAL_FILE: &str = "atlas-sync.toml";

/// The environment's variables and a file.
#[derive(Default)]
pub struct Values {
    variables: BTreeMap<String, String>,
    file: Option<File>,
}

/// Where a value comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// A variable.
    Environment(String),
    /// A file.
    File(String),
    /// Nobody has said anything.
    Default,
    /// Nobody has said anything of this stage.
    General,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Environment(variable) => write!(f, "from {variable}"),
            Self::File(file) => write!(f, "from {file}"),
            Self::Default => f.write_str("default"),
            Self::General => f.write_str("as for all stages"),
        }
    }
}

/// A setting in effect, to be shown: without secrets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// Of this stage only.
    pub stage: Option<Stage>,
    /// Which one.
    pub setting: &'static Setting,
    /// What it is; nothing where it is not set.
    pub value: String,
    /// Who says so.
    pub source: Source,
}

impl Values {
    /// Those of this process: its environment, and the file that is named, else the usual one where it exists.
    pub fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        // What is no text is none of ours.
        let text = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        let usual = Path::new(USUAL_FILE);
        let path = named.or_else(|| usual.exists().then_some(usual));
        let values = Self::from_variables(std::env::vars_os().filter_map(text).collect())?;
        Ok(Self { file: path.map(File::read).transpose()?, ..values })
    }

    /// These variables and no file.
    pub fn from_variables(variables: BTreeMap<String, String>) -> Result<Self, ConfigError> {
        names::check(&variables)?;
        Ok(Self { variables, file: None })
    }

    /// Likewise, with the text of a file of this name.
    pub fn with_file(self, name: &str, text: &str) -> Result<Self, ConfigError> {
        Ok(Self { file: Some(File::parse(name, text)?), ..self })
    }

    /// What has been said of a setting, and where; an empty value is as good as none.
    fn said(&self, stage: Option<Stage>, setting: &Setting) -> Option<(&str, Source)> {
        let variable = setting.variable_of(stage);
        if let Some(value) = self.variables.get(&variable).filter(|value| !value.is_empty()) {
            return Some((value, Source::Environment(variable)));
        }
        let file = self.file.as_ref()?;
        let value = file.get(stage, setting).filter(|value| !value.is_empty())?;
        Some((value, Source::File(file.name.clone())))
    }

    /// What is in effect: for a stage what is said of it, else what is said of all.
    fn effective(&self, stage: Option<Stage>, setting: &Setting) -> (&str, Source) {
        let own = stage.and_then(|stage| self.said(Some(stage), setting));
        let general = || self.said(None, setting);
        own.or_else(general).unwrap_or((setting.default, Source::Default))
    }

    /// The text of a setting; none where it is not set.
    pub(super) fn text(&self, setting: &Setting) -> Option<&str> {
        Some(self.effective(None, setting).0).filter(|text| !text.is_empty())
    }

    /// What makes of a setting's text what it must be.
    pub(super) fn read<T>(
        &self,
        stage: Option<Stage>,
        setting: &Setting,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (text, _) = self.effective(stage, setting);
        read(text).ok_or_else(|| self.refused(stage, setting))
    }

    /// The refusal of a value, by whoever knows why.
    pub(super) fn refused(&self, stage: Option<Stage>, setting: &Setting) -> ConfigError {
        let (text, source) = self.effective(stage, setting);
        let stage = stage.filter(|stage| self.said(Some(*stage), setting).is_some());
        let place = match source {
            Source::Environment(variable) => variable,
            Source::File(file) => format!("{} in {file}", setting.key_of(stage)),
            Source::Default | Source::General => setting.key_of(stage),
        };
        let value = match setting.shown {
            Shown::Whole => text.to_owned(),
            Shown::Address if text.contains("://") => shown(setting, text),
            // What is no address may still be half of one, with a password in it.
            Shown::Address | Shown::Secret => "(not shown)".to_owned(),
        };
        ConfigError::Value { place, value, allowed: setting.allowed.to_string() }
    }

    pub(super) fn parsed<T: FromStr>(&self, setting: &Setting) -> Result<T, ConfigError> {
        self.read(None, setting, |text| text.parse().ok())
    }

    /// A number that its row in the table allows.
    pub(super) fn number<T: TryFrom<u64>>(
        &self,
        stage: Option<Stage>,
        setting: &Setting,
    ) -> Result<T, ConfigError> {
        self.read(stage, setting, |text| {
            let number: u64 = text.parse().ok()?;
            match setting.allowed {
                Allowed::Number { least, most, .. } if !(least..=most).contains(&number) => None,
                _ => number.try_into().ok(),
            }
        })
    }

    /// Every setting as it is in effect, those of stages last.
    #[must_use]
    pub fn all(&self) -> Vec<Effective> {
        let told = |(stage, setting): (Option<Stage>, &'static Setting)| {
            let (text, source) = self.effective(stage, setting);
            let own = stage.is_none_or(|stage| self.said(Some(stage), setting).is_some());
            let source = if own { source } else { Source::General };
            Effective { stage, setting, value: shown(setting, text), source }
        };
        names::all().map(told).collect()
    }
}

/// A value as others may see it.
fn shown(setting: &Setting, text: &str) -> String {
    match setting.shown {
        Shown::Secret if !text.is_empty() => "(set)".to_owned(),
        Shown::Address => Address::new(text.to_owned()).to_string(),
        Shown::Whole | Shown::Secret => text.to_owned(),
    }
}
