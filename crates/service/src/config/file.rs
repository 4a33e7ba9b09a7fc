//! The configuration file: TOML, a key a setting, and a table a stage.

use std::{collections::BTreeMap, path::Path};

use domain::Stage;
use toml::{Table, Value};

use super::{
    ConfigError,
    setting::{SETTINGS, STAGE_SETTINGS, Setting},
};

/// Names less alike than this are not suggested.
const ALIKE: f64 = 0.8;

/// What a file says, as text, by table (none for the first part) and key.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct File {
    /// How it is called in messages.
    pub(super) name: String,
    entries: BTreeMap<(Option<Stage>, &'static str), String>,
}

impl File {
    /// Reads a file.
    pub(super) fn read(path: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(path).map_err(|cause| ConfigError::File {
            path: path.to_owned(),
            cause: cause.to_string(),
        })?;
        Self::parse(&path.display().to_string(), &text)
    }

    /// What a text says.
    pub(super) fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        let table: Table = toml::from_str(text).map_err(|error| ConfigError::Syntax {
            file: name.to_owned(),
            cause: located(&error, text),
        })?;
        let mut file = Self { name: name.to_owned(), entries: BTreeMap::new() };
        for (key, value) in &table {
            match (key.parse::<Stage>(), value) {
                (Ok(stage), Value::Table(table)) => {
                    for (key, value) in table {
                        file.take(Some(stage), &STAGE_SETTINGS, key, value)?;
                    }
                }
                _ => file.take(None, &SETTINGS, key, value)?,
            }
        }
        Ok(file)
    }

    /// What it says of a setting.
    pub(super) fn get(&self, stage: Option<Stage>, setting: &Setting) -> Option<&str> {
        self.entries.get(&(stage, setting.key)).map(String::as_str)
    }

    fn take(
        &mut self,
        stage: Option<Stage>,
        known: &[Setting],
        key: &str,
        value: &Value,
    ) -> Result<(), ConfigError> {
        let Some(setting) = known.iter().find(|setting| setting.key == key) else {
            let names = known.iter().map(|setting| setting.key);
            let tables = Stage::ALL.iter().map(|stage| stage.as_str());
            let names = names.chain(tables.filter(|_| stage.is_none()));
            return Err(ConfigError::UnknownKey {
                file: self.name.clone(),
                key: place(stage, key),
                suggestion: nearest(key, names),
            });
        };
        let text = as_text(value).ok_or_else(|| ConfigError::Setting {
            place: format!("{} in {}", place(stage, key), self.name),
            value: value.type_str().to_owned(),
            expected: setting.expected,
        })?;
        self.entries.insert((stage, setting.key), text);
        Ok(())
    }
}

/// How a key is called in messages.
pub(super) fn place(stage: Option<Stage>, key: &str) -> String {
    stage.map_or_else(|| key.to_owned(), |stage| format!("{stage}.{key}"))
}

/// Text as variables hold it: a list has commas.
fn as_text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Integer(number) => Some(number.to_string()),
        Value::Array(list) => {
            list.iter().map(Value::as_str).collect::<Option<Vec<_>>>().map(|list| list.join(","))
        }
        _ => None,
    }
}

/// What is wrong, and in which line, without the line: it may hold a password.
fn located(error: &toml::de::Error, text: &str) -> String {
    let start = error.span().map_or(0, |span| span.start);
    let line = text.bytes().take(start).filter(|byte| *byte == b'\n').count() + 1;
    format!("line {line}: {}", error.message())
}

fn nearest<'n>(wanted: &str, names: impl Iterator<Item = &'n str>) -> Option<String> {
    let alike = names.map(|name| (strsim::jaro_winkler(wanted, name), name));
    let (likeness, name) = alike.max_by(|one, other| one.0.total_cmp(&other.0))?;
    (likeness > ALIKE).then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        File::parse("atlas-sync.toml", text).unwrap_err().to_string()
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let slip = refused("lease_secconds = 10");
        assert_eq!(
            slip,
            "atlas-sync.toml: lease_secconds is not a setting: did you mean lease_seconds?"
        );
        assert!(refused("[extracting_fact]\nslots = 2").ends_with("did you mean extracting_facts?"));
        let inside = refused("[extracting_facts]\nslot = 2");
        assert!(inside.contains("extracting_facts.slot is not"), "{inside}");
        assert!(inside.ends_with("did you mean slots?"), "{inside}");
        assert!(refused("[building_graph]\nlisten = \"x\"").contains("is not a setting"));
        assert!(refused("zebra = 1").ends_with("zebra is not a setting"));
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line_but_not_its_text() {
        let broken = refused("slots = 2\ndatabase_url = \"postgres://a:hunter2@db/a");
        assert!(broken.starts_with("atlas-sync.toml cannot be understood: line 2: "), "{broken}");
        assert!(!broken.contains("hunter2"), "{broken}");
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_what_is_allowed() {
        let error = refused("slots = true");
        assert_eq!(
            error,
            "slots in atlas-sync.toml is \"boolean\": it must be a number from 1 to 256"
        );
        assert!(refused("building_graph = 3").contains("is not a setting"));
    }
}
