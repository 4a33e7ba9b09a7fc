//! What a setting is.

use std::fmt;

use domain::Stage;

/// Something an operator can set: in the file by its key, in the environment by its variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Its key in the file.
    pub key: &'static str,
    /// Its variable in the environment.
    pub variable: &'static str,
    /// What it is when nobody says anything; empty where that is nothing.
    pub default: &'static str,
    /// What it may be.
    pub allowed: Allowed,
    /// What it does, for whoever sets it.
    pub about: &'static str,
    /// How it is told.
    pub shown: Shown,
    /// Whether each stage can have its own.
    pub by_stage: bool,
}

/// What a value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Allowed {
    /// A whole number of something.
    Number {
        /// What is counted.
        of: &'static str,
        /// The smallest.
        least: u64,
        /// The largest.
        most: u64,
    },
    /// What a sentence says.
    Text(&'static str),
}

impl fmt::Display for Allowed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number { of, least, most } => write!(f, "{of} from {least} to {most}"),
            Self::Text(text) => f.write_str(text),
        }
    }
}

/// How a value is told to whoever asks for the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// As it is.
    Whole,
    /// Without its password.
    Address,
    /// Only that there is one.
    Secret,
}

/// Settings that belong together.
#[derive(Debug, Clone, Copy)]
pub struct Group {
    /// What they are about.
    pub title: &'static str,
    /// In the order in which they are told.
    pub settings: &'static [Setting],
}

impl Setting {
    pub(super) const fn text(
        key: &'static str,
        variable: &'static str,
        default: &'static str,
        allowed: &'static str,
        about: &'static str,
    ) -> Self {
        let (allowed, shown) = (Allowed::Text(allowed), Shown::Whole);
        Self { key, variable, default, allowed, about, shown, by_stage: false }
    }

    pub(super) const fn number(
        key: &'static str,
        variable: &'static str,
        default: &'static str,
        (of, least, most): (&'static str, u64, u64),
        about: &'static str,
    ) -> Self {
        let allowed = Allowed::Number { of, least, most };
        Self { allowed, ..Self::text(key, variable, default, "", about) }
    }

    /// May hold a password.
    pub(super) const fn address(self) -> Self {
        Self { shown: Shown::Address, ..self }
    }

    /// Is one.
    pub(super) const fn secret(self) -> Self {
        Self { shown: Shown::Secret, ..self }
    }

    pub(super) const fn by_stage(self) -> Self {
        Self { by_stage: true, ..self }
    }

    /// How it is called in the file: what is a stage's own with the name of its table.
    #[must_use]
    pub fn key_of(&self, stage: Option<Stage>) -> String {
        stage.map_or_else(|| self.key.to_owned(), |stage| format!("{stage}.{}", self.key))
    }

    /// How it is called in the environment: what is a stage's own with the stage's name in it.
    #[must_use]
    pub fn variable_of(&self, stage: Option<Stage>) -> String {
        let name = self.variable.trim_start_matches("ATLAS_");
        stage.map_or_else(
            || self.variable.to_owned(),
            |stage| format!("ATLAS_{}_{name}", stage.as_str().to_uppercase()),
        )
    }
}
