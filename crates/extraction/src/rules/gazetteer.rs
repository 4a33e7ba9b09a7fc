//! Well-known technologies, by the names people use for them.

use aho_corasick::{AhoCorasick, MatchKind};
use domain::{graph::EntityType, message::hex};
use serde::Deserialize;

/// The list that ships with the program.
const LIST: &str = include_str!("gazetteer.toml");

/// A list that cannot be used; a defect of the program, found by its tests.
#[derive(Debug, thiserror::Error)]
pub enum GazetteerError {
    /// Not the expected TOML.
    #[error("the list of technologies cannot be read: {0}")]
    List(#[from] toml::de::Error),
    /// Its names cannot be searched for.
    #[error("the list of technologies cannot be searched: {0}")]
    Search(#[from] aho_corasick::BuildError),
}

#[derive(Deserialize)]
struct List {
    technology: Vec<Entry>,
}

#[derive(Deserialize)]
struct Entry {
    name: String,
    #[serde(default)]
    aliases: Vec<String>,
    /// A word of everyday language too: counts only when written just so.
    #[serde(default)]
    exact: bool,
}

/// Finds technologies in text.
#[derive(Debug)]
pub(super) struct Gazetteer {
    search: AhoCorasick,
    /// A pattern's name, and how it must be written, where that matters.
    patterns: Vec<(String, Option<String>)>,
    digest: String,
}

impl Gazetteer {
    pub(super) fn bundled() -> Result<Self, GazetteerError> {
        let list: List = toml::from_str(LIST)?;
        let mut patterns = Vec::new();
        let mut texts = Vec::new();
        for Entry { name, aliases, exact } in list.technology {
            for text in std::iter::once(name.clone()).chain(aliases) {
                patterns.push((name.clone(), exact.then(|| text.clone())));
                texts.push(text);
            }
        }
        let search = AhoCorasick::builder()
            .ascii_case_insensitive(true)
            .match_kind(MatchKind::LeftmostLongest)
            .build(&texts)?;
        let digest = LIST.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        Ok(Self { search, patterns, digest: hex(&digest.to_be_bytes()[..4]) })
    }

    /// Changes with the list: what it finds is part of an extraction's input.
    pub(super) fn digest(&self) -> &str {
        &self.digest
    }

    /// Technologies in a text: name, and where it stands.
    pub(super) fn find<'g>(
        &'g self,
        text: &'g str,
    ) -> impl Iterator<Item = (&'g str, EntityType, std::ops::Range<usize>)> {
        self.search.find_iter(text).filter_map(move |found| {
            let (name, exact) = &self.patterns[found.pattern().as_usize()];
            let range = found.range();
            let written = &text[range.clone()];
            let right = exact.as_ref().is_none_or(|exact| exact == written);
            let alone = is_border(text[..range.start].chars().next_back(), written.chars().next())
                && is_border(text[range.end..].chars().next(), written.chars().next_back());
            (right && alone).then_some((name.as_str(), EntityType::Technology, range))
        })
    }
}

fn is_border(outside: Option<char>, inside: Option<char>) -> bool {
    let wordy =
        |character: char| character.is_alphanumeric() || matches!(character, '_' | '-' | '/');
    !(outside.is_some_and(wordy) && inside.is_some_and(|c| c.is_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(text: &str) -> Vec<String> {
        let gazetteer = Gazetteer::bundled().unwrap();
        gazetteer.find(text).map(|(name, ..)| name.to_owned()).collect()
    }

    #[test]
    fn aliases_lead_to_one_name() {
        assert_eq!(
            names("postgres or PostgreSQL or pg on k8s"),
            ["PostgreSQL", "PostgreSQL", "PostgreSQL", "Kubernetes"]
        );
    }

    #[test]
    fn everyday_words_count_only_as_names() {
        assert_eq!(names("let's go and swift it to rust; Go and Rust"), ["Go", "Rust"]);
    }

    #[test]
    fn parts_of_words_are_no_names() {
        assert!(names("redistribute the kafkaesque graphqlx beacon-redis-x").is_empty());
    }
}
