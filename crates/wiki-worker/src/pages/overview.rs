//! The channel at a glance.

use domain::fact::FactKind;

use super::{Page, day, escaped, is_open, name, task};
use crate::mermaid;

const SHOWN: usize = 8;

pub(super) fn write(page: &mut Page<'_>) {
    let inputs = page.inputs;
    if !inputs.channel_topic.is_empty() {
        page.paragraph(&format!("> {}", escaped(&inputs.channel_topic)));
    }
    if inputs.facts.is_empty() && inputs.topics.is_empty() {
        page.paragraph("Nothing worth keeping has been said here yet.");
        return;
    }
    page.paragraph(
        "[Decisions](decisions.md) · [Action items](action-items.md) · [Questions](questions.md) · \
         [Topics](topics.md) · [People](people.md) · [Glossary](glossary.md) · [Timeline](timeline.md)",
    );
    section(page, "News", FactKind::Announcement);
    section(page, "Decisions that hold", FactKind::Decision);
    section(page, "Trouble", FactKind::Problem);
    actions(page);
    topics(page);
    people(page);
    if let Some(map) = mermaid::map(&inputs.relationships, &inputs.names) {
        page.heading("How it hangs together");
        page.text.push_str(&map);
    }
}

fn section(page: &mut Page<'_>, heading: &str, kind: FactKind) {
    let of_kind = page.inputs.facts.iter().filter(|fact| fact.fact.kind == kind);
    // Trouble that is over is still worth knowing of; a decision that was reversed is not.
    let shown: Vec<_> =
        of_kind.filter(|fact| kind == FactKind::Problem || is_open(fact)).take(SHOWN).collect();
    if shown.is_empty() {
        return;
    }
    page.heading(heading);
    for fact in shown {
        let trail = match (kind, is_open(fact)) {
            (FactKind::Problem, false) => "resolved",
            _ => "",
        };
        page.item(&day(fact), fact, trail);
    }
}

fn actions(page: &mut Page<'_>) {
    let mut open: Vec<_> = page
        .inputs
        .facts
        .iter()
        .filter(|fact| fact.fact.kind == FactKind::ActionItem && is_open(fact))
        .collect();
    open.sort_by_key(|fact| (fact.fact.due.is_none(), fact.fact.due.clone(), fact.fact.id.clone()));
    if open.is_empty() {
        return;
    }
    page.heading("Open action items");
    for fact in open.into_iter().take(SHOWN) {
        page.item("", fact, &task(fact));
    }
}

fn topics(page: &mut Page<'_>) {
    let inputs = page.inputs;
    if inputs.topics.is_empty() {
        return;
    }
    page.heading("Topics");
    for topic in &inputs.topics {
        let name = escaped(&topic.name);
        let linked = match inputs.slugs.get(&topic.entity_id) {
            Some(slug) => format!("[{name}]({slug}.md)"),
            None => name,
        };
        page.line(&format!("- {linked}: {} facts", topic.facts));
    }
}

fn people(page: &mut Page<'_>) {
    let people: Vec<_> = page
        .inputs
        .contributors
        .iter()
        .map(|row| format!("{} ({})", name(&row.person), row.facts))
        .collect();
    if !people.is_empty() {
        page.heading("People");
        page.line(&people.join(" · "));
    }
}
