//! What is named in a message: people, addresses, repositories, services, projects, technologies.

use std::{collections::BTreeSet, ops::Range};

use domain::{
    Message,
    conversation::Conversation,
    graph::{EntityRef, EntityType},
};
use url::Url;

use super::gazetteer::Gazetteer;

/// Entities of one message beyond this many are not looked at.
const MAX_SPANS: usize = 60;

/// Longest key of an entity, in bytes.
const MAX_KEY: usize = 300;

const FORGES: [&str; 4] = ["github.com", "gitlab.com", "bitbucket.org", "codeberg.org"];

/// An entity and where it is named.
#[derive(Debug, Clone)]
pub(super) struct Span {
    pub(super) range: Range<usize>,
    pub(super) entity: EntityRef,
    pub(super) name: String,
}

/// Names of services that this conversation itself shows to be such: in code, or as a repository.
pub(super) struct Names {
    services: BTreeSet<String>,
}

impl Names {
    pub(super) fn of(conversation: &Conversation) -> Self {
        let mut services = BTreeSet::new();
        for message in conversation.context.iter().chain(&conversation.messages) {
            services.extend(
                code_spans(&message.text)
                    .map(|(_, code)| code)
                    .filter(|c| is_kebab(c))
                    .map(str::to_owned),
            );
            for link in &message.links {
                services.extend(
                    repository(&link.url).map(|(_, _, name)| name).filter(|name| is_kebab(name)),
                );
            }
            services.extend(owned(&message.text));
        }
        Self { services }
    }
}

/// `beacon-ingest`: lower-case words joined by hyphens.
fn is_kebab(text: &str) -> bool {
    text.len() <= 60
        && text.contains('-')
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.split('-').all(|part| {
            !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit())
        })
}

/// What somebody is said to own by such a name: `Ann owns search-api`.
fn owned(text: &str) -> impl Iterator<Item = String> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let owned = |pair: &[&str]| {
        let name = pair[1].trim_matches(|c: char| !c.is_alphanumeric());
        (matches!(pair[0], "own" | "owns" | "maintain" | "maintains") && is_kebab(name))
            .then(|| name.to_owned())
    };
    words.windows(2).filter_map(owned).collect::<Vec<_>>().into_iter()
}

fn code_spans(text: &str) -> impl Iterator<Item = (Range<usize>, &str)> {
    let ticks: Vec<usize> = text.match_indices('`').map(|(at, _)| at).collect();
    let spans = ticks.chunks_exact(2).map(|pair| pair[0] + 1..pair[1]);
    spans
        .filter(|range| !range.is_empty())
        .map(|range| (range.clone(), &text[range]))
        .collect::<Vec<_>>()
        .into_iter()
}

/// Entities of a message in order of place, none over another.
pub(super) fn spans(message: &Message, names: &Names, gazetteer: &Gazetteer) -> Vec<Span> {
    let mut spans = Vec::new();
    for mention in &message.mentions {
        push(
            &mut spans,
            Span {
                range: mention.start as usize..mention.end as usize,
                entity: entity(EntityType::Person, mention.user_id.as_str()),
                name: mention.name.clone(),
            },
        );
    }
    links(message, &mut spans);
    named(&message.text, names, &mut spans);
    for (name, kind, range) in gazetteer.find(&message.text) {
        push(&mut spans, Span { range, entity: entity(kind, name), name: name.to_owned() });
    }
    versions_and_tickets(&message.text, &mut spans);
    spans.sort_by(|a, b| (a.range.start, &a.entity).cmp(&(b.range.start, &b.entity)));
    spans.truncate(MAX_SPANS);
    spans
}

pub(super) fn entity(kind: EntityType, key: &str) -> EntityRef {
    EntityRef { kind, key: key.to_owned() }
}

/// A repository and its address may share a place; otherwise the first to come has it.
fn push(spans: &mut Vec<Span>, span: Span) {
    let free = !spans
        .iter()
        .any(|other| other.range.start < span.range.end && span.range.start < other.range.end);
    if free && span.entity.key.len() <= MAX_KEY {
        spans.push(span);
    }
}

fn links(message: &Message, spans: &mut Vec<Span>) {
    for link in &message.links {
        let Some(url) = canonical(&link.url) else { continue };
        let range = link.start as usize..link.end as usize;
        if let Some((host, owner, name)) = repository(&link.url) {
            spans.push(Span {
                range: range.clone(),
                entity: entity(EntityType::Repository, &format!("{host}/{owner}/{name}")),
                name: format!("{owner}/{name}"),
            });
        }
        if url.len() <= MAX_KEY {
            let name = url.trim_start_matches("https://").trim_start_matches("http://").to_owned();
            spans.push(Span { range, entity: entity(EntityType::Url, &url), name });
        }
    }
}

/// An address without what only tracks its reader.
fn canonical(address: &str) -> Option<String> {
    let mut url =
        Url::parse(address).ok().filter(|url| matches!(url.scheme(), "http" | "https"))?;
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .filter(|(key, _)| {
            !key.starts_with("utm_") && !matches!(&**key, "fbclid" | "gclid" | "ref")
        })
        .map(|(key, value)| (key.into_owned(), value.into_owned()))
        .collect();
    url.set_query(None);
    if !kept.is_empty() {
        url.query_pairs_mut().extend_pairs(kept);
    }
    url.set_username("").ok()?;
    url.set_password(None).ok()?;
    Some(url.as_str().trim_end_matches('/').to_owned())
}

fn repository(address: &str) -> Option<(String, String, String)> {
    let url = Url::parse(address).ok()?;
    let host = url.host_str()?.trim_start_matches("www.").to_lowercase();
    if !FORGES.contains(&host.as_str()) {
        return None;
    }
    let mut path = url.path_segments()?.filter(|part| !part.is_empty());
    let (owner, name) = (path.next()?, path.next()?);
    const PAGES: [&str; 6] = ["orgs", "settings", "topics", "features", "marketplace", "sponsors"];
    if PAGES.contains(&owner) {
        return None;
    }
    Some((host, owner.to_lowercase(), name.trim_end_matches(".git").to_lowercase()))
}

/// Services, in code or by a name this conversation knows.
fn named(text: &str, names: &Names, spans: &mut Vec<Span>) {
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
    let mut start = None;
    for (at, character) in text.char_indices().chain([(text.len(), ' ')]) {
        match (inside(character), start) {
            (true, None) => start = Some(at),
            (false, Some(from)) => {
                let word = text[from..at].trim_end_matches('-');
                if names.services.contains(word) {
                    push(
                        spans,
                        Span {
                            range: from..from + word.len(),
                            entity: entity(EntityType::Service, word),
                            name: word.to_owned(),
                        },
                    );
                }
                start = None;
            }
            _ => {}
        }
    }
}

/// `Beacon 2.4.0` and `INC-31`.
fn versions_and_tickets(text: &str, spans: &mut Vec<Span>) {
    let words: Vec<Range<usize>> = word_ranges(text).collect();
    for (n, range) in words.iter().enumerate() {
        let word = &text[range.clone()];
        if is_ticket(word) {
            let entity = entity(EntityType::Project, word);
            push(spans, Span { range: range.clone(), entity, name: word.to_owned() });
        }
        let Some(version) = words.get(n + 1) else { continue };
        let adjacent = text.get(range.end..version.start) == Some(" ");
        if adjacent && is_name(word) && is_version(&text[version.clone()]) {
            let range = range.start..version.end;
            let name = text[range.clone()].to_owned();
            let entity = entity(EntityType::Project, &name);
            push(spans, Span { range, entity, name });
        }
    }
}

fn word_ranges(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.split_whitespace().filter_map(move |word| {
        let start = word.as_ptr() as usize - text.as_ptr() as usize;
        let left = word.trim_start_matches(|c: char| !c.is_alphanumeric());
        let core = left.trim_end_matches(|c: char| !c.is_alphanumeric());
        let from = start + word.len() - left.len();
        (!core.is_empty()).then(|| from..from + core.len())
    })
}

fn is_ticket(word: &str) -> bool {
    word.split_once('-').is_some_and(|(prefix, number)| {
        (2..=8).contains(&prefix.len())
            && prefix.bytes().all(|b| b.is_ascii_uppercase())
            && (1..=6).contains(&number.len())
            && number.bytes().all(|b| b.is_ascii_digit())
            && !["UTF", "ISO", "RFC", "SHA", "CVE", "IPV", "AES", "COVID"].contains(&prefix)
    })
}

fn is_name(word: &str) -> bool {
    const NOT_NAMES: [&str; 8] =
        ["Version", "Since", "After", "Before", "From", "The", "Until", "Release"];
    word.len() >= 3
        && word.starts_with(|c: char| c.is_ascii_uppercase())
        && word.bytes().all(|b| b.is_ascii_alphabetic())
        && !NOT_NAMES.contains(&word)
}

fn is_version(word: &str) -> bool {
    let number = word.trim_start_matches('v');
    let parts: Vec<&str> = number.split('.').collect();
    (2..=4).contains(&parts.len())
        && parts
            .iter()
            .all(|part| (1..=4).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit()))
}
