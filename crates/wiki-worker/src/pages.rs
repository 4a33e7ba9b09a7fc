//! The pages, one module a kind.

mod action_items;
mod decisions;
mod glossary;
mod overview;
mod people;
mod questions;
mod timeline;
mod topic;
mod topics;

use domain::{
    ChannelId,
    fact::{FactStatus, Person},
    page::{Citation, PageKey, PageKind},
};
use store::StoredFact;

use crate::{
    footnotes::Footnotes,
    inputs::{Inputs, LEDGER, Shared},
    markdown::escaped,
    slugs,
};

/// A rendered page without its address.
pub(crate) struct Body {
    pub(crate) title: String,
    pub(crate) content: String,
    pub(crate) fact_count: u32,
    pub(crate) citations: Vec<Citation>,
}

/// A page on its way.
struct Page<'i> {
    inputs: &'i Inputs,
    notes: Footnotes<'i>,
    text: String,
}

const FOOTER: &str = "*Compiled by the built-in rule-based extractor; no language model was used. It finds \
    explicit decisions, confirmed answers and stated commitments, and misses implied ones.*";

pub(crate) fn render(channel: &ChannelId, key: &PageKey, inputs: &Inputs) -> Body {
    let mut page = Page { inputs, notes: Footnotes::new(channel), text: String::new() };
    let title = title(key.kind, inputs);
    page.line(&format!("# {title}"));
    match key.kind {
        PageKind::Overview => overview::write(&mut page),
        PageKind::Decisions => decisions::write(&mut page),
        PageKind::ActionItems => action_items::write(&mut page),
        PageKind::Questions => questions::write(&mut page),
        PageKind::Topics => topics::write(&mut page),
        PageKind::Topic => topic::write(&mut page),
        PageKind::People => people::write(&mut page),
        PageKind::Glossary => glossary::write(&mut page),
        PageKind::Timeline => timeline::write(&mut page),
    }
    page.finish(title)
}

/// The address of a page that is not stored yet.
pub(crate) fn slug(shared: &Shared, key: &PageKey) -> String {
    let topic = shared.slugs.iter().find(|(id, _)| id.as_str() == key.key);
    topic.map_or_else(|| slugs::only(key.kind).to_owned(), |(_, slug)| slug.clone())
}

fn title(kind: PageKind, inputs: &Inputs) -> String {
    match kind {
        PageKind::Overview => format!("#{}", escaped(&inputs.channel_name)),
        PageKind::Decisions => "Decisions".to_owned(),
        PageKind::ActionItems => "Action items".to_owned(),
        PageKind::Questions => "Questions and answers".to_owned(),
        PageKind::Topics => "Topics".to_owned(),
        PageKind::Topic => inputs.topic.as_ref().map_or_else(String::new, |t| escaped(&t.name)),
        PageKind::People => "People".to_owned(),
        PageKind::Glossary => "Glossary".to_owned(),
        PageKind::Timeline => "Timeline".to_owned(),
    }
}

impl Page<'_> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    /// A heading with room around it.
    fn heading(&mut self, heading: &str) {
        self.line(&format!("\n## {heading}\n"));
    }

    fn paragraph(&mut self, text: &str) {
        self.line(&format!("\n{text}"));
    }

    /// A statement with its footnotes, as an item of a list.
    fn item(&mut self, lead: &str, fact: &StoredFact, trail: &str) {
        let notes = self.notes.cite(fact);
        let text = escaped(&fact.fact.text);
        let lead = if lead.is_empty() { String::new() } else { format!("**{lead}** ") };
        let trail = if trail.is_empty() { String::new() } else { format!(" *({trail})*") };
        self.line(&format!("- {lead}{text}{trail}{notes}"));
    }

    fn finish(mut self, title: String) -> Body {
        if self.inputs.more {
            self.paragraph(&format!(
                "Only the newest {LEDGER} are shown here; the API has them all."
            ));
        }
        self.paragraph(&format!("---\n\n{FOOTER}"));
        let (notes, citations) = self.notes.finish();
        if !notes.is_empty() {
            self.text.push('\n');
            self.text.push_str(&notes);
        }
        let mut cited: Vec<_> = citations.iter().map(|citation| &citation.fact_id).collect();
        cited.sort();
        cited.dedup();
        let fact_count = u32::try_from(cited.len()).unwrap_or(u32::MAX);
        Body {
            title: title.trim_start_matches('\\').to_owned(),
            content: self.text,
            fact_count,
            citations,
        }
    }
}

fn day(fact: &StoredFact) -> String {
    fact.fact.asserted_at.to_utc().format("%Y-%m-%d").to_string()
}

fn name(person: &Person) -> String {
    escaped(&person.name)
}

fn is_open(fact: &StoredFact) -> bool {
    !matches!(fact.status, Some(FactStatus::Done | FactStatus::Superseded | FactStatus::Answered))
}

/// `Ann, until 2026-03-06`.
fn task(fact: &StoredFact) -> String {
    let owner = fact.fact.owner.as_ref().map(name);
    let due = fact.fact.due.as_ref().map(|due| format!("until {due}"));
    owner.into_iter().chain(due).collect::<Vec<_>>().join(", ")
}
