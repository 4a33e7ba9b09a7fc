//! Addresses of pages.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    EntityId,
    page::{PageKey, PageKind},
};
use store::{PageSummary, TopicRow};

/// Longest part of an address that is made from a name.
const LONGEST: usize = 60;

/// The address of a page that there is one of.
pub(crate) const fn only(kind: PageKind) -> &'static str {
    match kind {
        PageKind::Overview => "overview",
        PageKind::Decisions => "decisions",
        PageKind::ActionItems => "action-items",
        PageKind::Questions => "questions",
        PageKind::Topics => "topics",
        PageKind::Topic => "topic",
        PageKind::People => "people",
        PageKind::Glossary => "glossary",
        PageKind::Timeline => "timeline",
    }
}

/// Addresses of topic pages: a page keeps the one it has, a new one gets one that is free.
pub(crate) fn of_topics(topics: &[TopicRow], pages: &[PageSummary]) -> BTreeMap<EntityId, String> {
    let mut taken: BTreeSet<&str> = pages.iter().map(|page| page.slug.as_str()).collect();
    let known: BTreeMap<&PageKey, &str> =
        pages.iter().map(|page| (&page.key, page.slug.as_str())).collect();
    let mut slugs = BTreeMap::new();
    let mut new = Vec::new();
    for topic in topics {
        let key = PageKey { kind: PageKind::Topic, key: topic.entity_id.as_str().to_owned() };
        match known.get(&key) {
            Some(slug) => {
                slugs.insert(topic.entity_id.clone(), (*slug).to_owned());
            }
            None => new.push(topic),
        }
    }
    // By id, so that it does not matter which of two namesakes has more to say today.
    new.sort_by(|a, b| a.entity_id.cmp(&b.entity_id));
    let wanted: Vec<_> = new.iter().map(|topic| format!("topic-{}", slug(&topic.name))).collect();
    for (topic, wanted) in new.iter().zip(&wanted) {
        let slug = match taken.insert(wanted) {
            true => wanted.clone(),
            false => format!("{wanted}-{}", topic.entity_id.as_str().trim_start_matches("ent_")),
        };
        slugs.insert(topic.entity_id.clone(), slug);
    }
    slugs
}

/// Letters and digits of a name, in lower case, joined by hyphens.
fn slug(name: &str) -> String {
    let mut slug = String::new();
    for character in name.chars().flat_map(char::to_lowercase) {
        let plain = match character {
            '+' => Some('p'),
            '#' => Some('s'),
            _ => character.is_ascii_alphanumeric().then_some(character),
        };
        match plain {
            Some(plain) => slug.push(plain),
            None if !slug.is_empty() && !slug.ends_with('-') => slug.push('-'),
            None => {}
        }
        if slug.len() >= LONGEST {
            break;
        }
    }
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "other".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_addresses() {
        for (name, expected) in [
            ("Redis Streams", "redis-streams"),
            ("C++", "cpp"),
            ("github.com/a/b", "github-com-a-b"),
            ("日本語", "other"),
            ("--x--", "x"),
        ] {
            assert_eq!(slug(name), expected);
        }
    }
}
