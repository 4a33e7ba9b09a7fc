//! Where values come from: the environment before the file, the file before the defaults.

use std::{collections::BTreeMap, fmt, ops::RangeInclusive, path::Path, str::FromStr};

use domain::Stage;

use super::{
    ConfigError,
    file::{File, place},
    setting::{SETTINGS, STAGE_SETTINGS, Setting, Shown, stage_variable},
};
use crate::Address;

/// The file that is read where none is named.
pub const USUAL_FILE: &str = "atlas-sync.toml";

/// The environment's variables and a file.
#[derive(Debug, Default)]
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
    pub setting: Setting,
    /// What it is; nothing where it is not set.
    pub value: String,
    /// Who says so.
    pub source: Source,
}

impl Effective {
    /// Its key in the file, that of a stage with the table's name.
    #[must_use]
    pub fn name(&self) -> String {
        place(self.stage, self.setting.key)
    }

    /// Its variable in the environment.
    #[must_use]
    pub fn variable(&self) -> String {
        variable(self.stage, &self.setting)
    }
}

fn variable(stage: Option<Stage>, setting: &Setting) -> String {
    stage.map_or_else(|| setting.variable.to_owned(), |stage| stage_variable(stage, setting))
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
        Ok(Self {
            variables: std::env::vars_os().filter_map(text).collect(),
            file: path.map(File::read).transpose()?,
        })
    }

    /// These variables and no file.
    #[must_use]
    pub fn from_variables(variables: BTreeMap<String, String>) -> Self {
        Self { variables, file: None }
    }

    /// Likewise, with the text of a file of this name.
    pub fn with_file(self, name: &str, text: &str) -> Result<Self, ConfigError> {
        Ok(Self { file: Some(File::parse(name, text)?), ..self })
    }

    /// What has been said of a setting, and where; an empty variable is as good as none.
    fn said(&self, stage: Option<Stage>, setting: &Setting) -> Option<(&str, Source)> {
        let variable = variable(stage, setting);
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

    /// The text of a setting.
    pub(super) fn text(&self, setting: &Setting) -> &str {
        self.effective(None, setting).0
    }

    /// What makes of a setting's text what it must be.
    pub(super) fn read<T>(
        &self,
        stage: Option<Stage>,
        setting: &Setting,
        read: impl FnOnce(&str) -> Option<T>,
    ) -> Result<T, ConfigError> {
        let (text, source) = self.effective(stage, setting);
        read(text).ok_or_else(|| {
            let stage = stage.filter(|stage| self.said(Some(*stage), setting).is_some());
            let value = match setting.shown {
                Shown::Whole => text.to_owned(),
                Shown::Address => Address::new(text.to_owned()).to_string(),
                Shown::Secret => "(not shown)".to_owned(),
            };
            let place = match source {
                Source::Environment(variable) => variable,
                Source::File(file) => format!("{} in {file}", place(stage, setting.key)),
                Source::Default | Source::General => place(stage, setting.key),
            };
            ConfigError::Setting { place, value, expected: setting.expected }
        })
    }

    pub(super) fn parsed<T: FromStr>(&self, setting: &Setting) -> Result<T, ConfigError> {
        self.read(None, setting, |text| text.parse().ok())
    }

    pub(super) fn in_range<T: FromStr + PartialOrd>(
        &self,
        stage: Option<Stage>,
        setting: &Setting,
        range: RangeInclusive<T>,
    ) -> Result<T, ConfigError> {
        self.read(stage, setting, |text| text.parse().ok().filter(|number| range.contains(number)))
    }

    /// Every setting as it is in effect, those of stages last.
    #[must_use]
    pub fn all(&self) -> Vec<Effective> {
        let general = SETTINGS.iter().map(|setting| (None, setting));
        let of_stages = Stage::ALL
            .into_iter()
            .flat_map(|stage| STAGE_SETTINGS.iter().map(move |setting| (Some(stage), setting)));
        let shown = |(stage, setting): (Option<Stage>, &Setting)| {
            let (text, source) = self.effective(stage, setting);
            let own = stage.is_none_or(|stage| self.said(Some(stage), setting).is_some());
            let value = match setting.shown {
                Shown::Whole => text.to_owned(),
                Shown::Address => Address::new(text.to_owned()).to_string(),
                Shown::Secret if text.is_empty() => String::new(),
                Shown::Secret => "(set)".to_owned(),
            };
            let source = if own { source } else { Source::General };
            Effective { stage, setting: *setting, value, source }
        };
        general.chain(of_stages).map(shown).collect()
    }
}
