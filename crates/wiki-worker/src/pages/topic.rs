//! All about one topic.

use domain::fact::{FactKind, FactStatus};

use super::{Page, day, escaped, task};

const SECTIONS: [(&str, &[FactKind]); 6] = [
    ("Decisions", &[FactKind::Decision]),
    ("Who is responsible", &[FactKind::Ownership]),
    ("What it means", &[FactKind::Definition]),
    ("Action items", &[FactKind::ActionItem]),
    ("Questions", &[FactKind::Qa, FactKind::OpenQuestion]),
    (
        "What happened",
        &[
            FactKind::Announcement,
            FactKind::Problem,
            FactKind::Resolution,
            FactKind::Howto,
            FactKind::Status,
        ],
    ),
];

pub(super) fn write(page: &mut Page<'_>) {
    for (heading, kinds) in SECTIONS {
        let facts: Vec<_> =
            page.inputs.facts.iter().filter(|fact| kinds.contains(&fact.fact.kind)).collect();
        if facts.is_empty() {
            continue;
        }
        page.heading(heading);
        for fact in facts {
            let trail = match (fact.fact.kind, fact.status) {
                (_, Some(FactStatus::Superseded)) => "superseded".to_owned(),
                (FactKind::ActionItem, Some(FactStatus::Done)) => format!("{}, done", task(fact)),
                (FactKind::ActionItem, _) => task(fact),
                _ => String::new(),
            };
            page.item(&day(fact), fact, &trail);
            if let Some(answer) = &fact.fact.answer {
                page.line(&format!("  - {}", escaped(answer)));
            }
        }
    }
}
