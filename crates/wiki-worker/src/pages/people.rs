//! Who knows, owns and decided what.

use std::collections::BTreeMap;

use domain::fact::{FactKind, Person};
use store::StoredFact;

use super::{Page, day, escaped, is_open, name};

/// Statements shown of one person and kind.
const SHOWN: usize = 8;

#[derive(Default)]
struct Record<'f> {
    owns: Vec<&'f StoredFact>,
    decided: Vec<&'f StoredFact>,
    to_do: Vec<&'f StoredFact>,
}

pub(super) fn write(page: &mut Page<'_>) {
    let inputs = page.inputs;
    let mut records: BTreeMap<&Person, Record<'_>> = BTreeMap::new();
    for fact in inputs.facts.iter().filter(|fact| is_open(fact)) {
        let owner = fact.fact.owner.as_ref();
        match fact.fact.kind {
            FactKind::Decision => records.entry(&fact.fact.author).or_default().decided.push(fact),
            FactKind::Ownership => {
                records.entry(owner.unwrap_or(&fact.fact.author)).or_default().owns.push(fact);
            }
            _ => records.entry(owner.unwrap_or(&fact.fact.author)).or_default().to_do.push(fact),
        }
    }
    let told: BTreeMap<_, _> = inputs
        .contributors
        .iter()
        .filter_map(|row| Some((row.person.id.as_ref()?, row.facts)))
        .collect();
    let mut people: Vec<_> = records.into_iter().collect();
    people.sort_by_key(|(person, _)| (escaped(&person.name), person.id.clone()));
    for (person, record) in people {
        page.heading(&name(person));
        if let Some(facts) = person.id.as_ref().and_then(|id| told.get(id)) {
            page.line(&format!("{facts} facts are known through them.\n"));
        }
        for (lead, facts) in
            [("Owns", record.owns), ("Decided", record.decided), ("To do", record.to_do)]
        {
            for fact in facts.into_iter().take(SHOWN) {
                page.item(&format!("{lead} · {}", day(fact)), fact, "");
            }
        }
    }
}
