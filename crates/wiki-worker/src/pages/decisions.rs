//! What was decided: what holds first, then what was reversed, and by what.

use store::StoredFact;

use super::{Page, day, escaped, is_open};

pub(super) fn write(page: &mut Page<'_>) {
    let (hold, reversed): (Vec<_>, Vec<_>) =
        page.inputs.facts.iter().partition(|fact| is_open(fact));
    if !hold.is_empty() {
        page.heading("In force");
        for fact in hold {
            entry(page, fact, "");
        }
    }
    if !reversed.is_empty() {
        page.heading("Superseded");
        for fact in reversed {
            let by = page
                .inputs
                .facts
                .iter()
                .find(|newer| Some(&newer.fact.id) == fact.superseded_by.as_ref());
            let trail = match by {
                Some(newer) => {
                    format!("superseded on {}: {}", day(newer), escaped(&newer.fact.text))
                }
                None => "superseded".to_owned(),
            };
            entry(page, fact, &trail);
        }
    }
}

fn entry(page: &mut Page<'_>, fact: &StoredFact, trail: &str) {
    page.item(&format!("{} · {}", day(fact), super::name(&fact.fact.author)), fact, trail);
    if let Some(rationale) = &fact.fact.rationale {
        page.line(&format!("  - Why: {}", escaped(rationale)));
    }
}
