//! What happened when, the newest first.

use domain::fact::{FactKind, FactStatus};

use super::{Page, day};

pub(super) fn write(page: &mut Page<'_>) {
    let mut month = String::new();
    for fact in &page.inputs.facts {
        let this = fact.fact.asserted_at.to_utc().format("%B %Y").to_string();
        if this != month {
            page.heading(&this);
            month = this;
        }
        let what = match (fact.fact.kind, fact.status) {
            (FactKind::Decision, Some(FactStatus::Superseded)) => "decision, superseded later",
            (FactKind::Decision, _) => "decision",
            (FactKind::Announcement, _) => "announcement",
            (FactKind::Problem, _) => "problem",
            (FactKind::Resolution, _) => "resolution",
            _ => "ownership",
        };
        page.item(&day(fact), fact, what);
    }
}
