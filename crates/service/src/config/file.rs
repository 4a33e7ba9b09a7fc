//! The configuration file: TOML, a key a setting, and a table a stage.

use std::{collections::BTreeMap, path::Path};

use domain::Stage;
use toml::{Table, Value};

use super::{ConfigError, names, setting::Setting};

/// What a file says, as text, by table (none for the first part) and key.
#[derive(Default)]
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
                        file.take(Some(stage), key, value)?;
                    }
                }
                _ => file.take(None, key, value)?,
            }
        }
        Ok(file)
    }

    /// What it says of a setting.
    pub(super) fn get(&self, stage: Option<Stage>, setting: &Setting) -> Option<&str> {
        self.entries.get(&(stage, setting.key)).map(String::as_str)
    }

    fn take(&mut self, stage: Option<Stage>, key: &str, value: &Value) -> Result<(), ConfigError> {
        let mut known = names::all().filter(|(of, _)| *of == stage).map(|(_, setting)| setting);
        let Some(setting) = known.find(|setting| setting.key == key) else {
            return Err(self.unknown(stage, key));
        };
        let text = as_text(value).ok_or_else(|| ConfigError::Value {
            place: format!("{} in {}", setting.key_of(stage), self.name),
            value: value.type_str().to_owned(),
            allowed: setting.allowed.to_string(),
        })?;
        self.entries.insert((stage, setting.key), text);
        Ok(())
    }

    fn unknown(&self, stage: Option<Stage>, key: &str) -> ConfigError {
        let keys = names::all().filter(|(of, _)| *of == stage).map(|(_, setting)| setting.key);
        let tables = Stage::ALL.into_iter().filter(|_| stage.is_none()).map(Stage::as_str);
        let table = stage.map(|stage| format!("{stage}.")).unwrap_or_default();
        ConfigError::UnknownKey {
            file: self.name.clone(),
            key: format!("{table}{key}"),
            suggestion: names::nearest(key, keys.chain(tables).map(str::to_owned)),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        File::parse("atlas-sync.toml", text).err().unwrap().to_string()
    }

    #[test]
    fn an_unknown_key_is_refused_with_the_nearest_name() {
        let slip = refused("lease_secconds = 10");
        assert_eq!(
            slip,
            "lease_secconds in atlas-sync.toml is not a setting: did you mean lease_seconds?"
        );
        assert!(
            refused("[extracting_fact]\nslots = 2").ends_with("did you mean extracting_facts?")
        );
        let inside = refused("[extracting_facts]\nslot = 2");
        assert!(inside.contains("extracting_facts.slot in atlas-sync.toml is not"), "{inside}");
        assert!(inside.ends_with("did you mean slots?"), "{inside}");
        assert!(refused("[building_graph]\nlisten = \"x\"").contains("is not a setting"));
        assert!(refused("zebra = 1").ends_with("is not a setting"));
        assert!(refused("building_graph = 3").contains("is not a setting"));
    }

    #[test]
    fn what_is_not_toml_is_refused_with_its_line_but_not_its_text() {
        let broken = refused("slots = 2\ndatabase_url = \"postgres://a:hunter2@db/a");
        assert!(broken.starts_with("atlas-sync.toml cannot be understood: line 2: "), "{broken}");
        assert!(!broken.contains("hunter2"), "{broken}");
    }

    #[test]
    fn a_value_of_another_kind_is_refused_with_what_is_allowed() {
        assert_eq!(
            refused("slots = true"),
            "slots in atlas-sync.toml is \"boolean\": it must be a number from 1 to 256"
        );
    }
}
