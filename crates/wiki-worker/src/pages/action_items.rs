//! Who does what until when.

use super::{Page, is_open, task};

pub(super) fn write(page: &mut Page<'_>) {
    let (mut open, mut done): (Vec<_>, Vec<_>) =
        page.inputs.facts.iter().partition(|fact| is_open(fact));
    open.sort_by_key(|fact| {
        (fact.fact.due.is_none(), fact.fact.due.clone(), fact.fact.asserted_at)
    });
    done.sort_by_key(|fact| std::cmp::Reverse((fact.fact.asserted_at, fact.fact.id.clone())));
    for (heading, facts, mark) in [("Open", open, "[ ]"), ("Done", done, "[x]")] {
        if facts.is_empty() {
            continue;
        }
        page.heading(heading);
        for fact in facts {
            let (notes, text) = (page.notes.cite(fact), super::escaped(&fact.fact.text));
            page.line(&format!("- {mark} {text} *({})*{notes}", task(fact)));
        }
    }
}
