//! Questions, with answers and without.

use domain::fact::FactKind;

use super::{Page, day, escaped, name};

pub(super) fn write(page: &mut Page<'_>) {
    let (answered, open): (Vec<_>, Vec<_>) =
        page.inputs.facts.iter().partition(|fact| fact.fact.kind == FactKind::Qa);
    if !answered.is_empty() {
        page.heading("Answered");
        for fact in answered {
            let notes = page.notes.cite(fact);
            page.line(&format!("- **{}**{notes}", escaped(&fact.fact.text)));
            if let Some(answer) = &fact.fact.answer {
                page.line(&format!("  - {}", escaped(answer)));
            }
        }
    }
    if !open.is_empty() {
        page.heading("Open");
        for fact in open {
            page.item("", fact, &format!("{}, {}", name(&fact.fact.author), day(fact)));
        }
    }
}
