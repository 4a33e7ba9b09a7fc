//! Which pages show something that has changed.

use std::collections::{BTreeMap, BTreeSet};

use domain::{
    EntityId, FactId,
    fact::FactKind,
    graph::EntityType,
    page::{PageKey, PageKind},
};
use store::{GraphedUnit, UnitKnowledge};

/// Pages on which facts of these units appear, change or vanish.
pub(crate) fn pages(known: &[UnitKnowledge], folded: &[GraphedUnit]) -> Vec<PageKey> {
    let mut dirty = BTreeSet::new();
    for (before, after) in known.iter().zip(folded) {
        let people = people(before);
        let mut gone: BTreeMap<&FactId, _> =
            before.graphed.iter().map(|fact| (&fact.fact_id, fact)).collect();
        for fact in &after.facts {
            let was = gone.remove(&fact.fact_id);
            if was.is_some_and(|was| was.digest == fact.digest) {
                continue;
            }
            if let Some(was) = was.filter(|was| was.published) {
                mark(&mut dirty, was.kind, was.entities.iter(), &people);
            }
            if fact.published {
                mark(&mut dirty, fact.kind, fact.entities.iter().map(|(id, ..)| id), &people);
            }
        }
        for was in gone.into_values().filter(|was| was.published) {
            mark(&mut dirty, was.kind, was.entities.iter(), &people);
        }
    }
    dirty.into_iter().collect()
}

/// People have no topic pages.
fn people(unit: &UnitKnowledge) -> BTreeSet<EntityId> {
    let about = unit.extraction.facts.iter().flat_map(|fact| &fact.entities);
    about
        .map(|about| &about.entity)
        .filter(|entity| entity.kind == EntityType::Person)
        .map(|entity| entity.id(&unit.scope))
        .collect()
}

fn mark<'e>(
    dirty: &mut BTreeSet<PageKey>,
    kind: FactKind,
    entities: impl Iterator<Item = &'e EntityId>,
    people: &BTreeSet<EntityId>,
) {
    let ledger = match kind {
        FactKind::Decision => Some(PageKind::Decisions),
        FactKind::ActionItem => Some(PageKind::ActionItems),
        FactKind::Qa | FactKind::OpenQuestion => Some(PageKind::Questions),
        FactKind::Definition => Some(PageKind::Glossary),
        _ => None,
    };
    let always = [PageKind::Overview, PageKind::People, PageKind::Timeline, PageKind::Topics];
    dirty.extend(always.into_iter().chain(ledger).map(PageKey::only));
    let topics = entities.filter(|entity| !people.contains(*entity));
    dirty.extend(
        topics.map(|entity| PageKey { kind: PageKind::Topic, key: entity.as_str().to_owned() }),
    );
}
