//! Relationships that a fact states.

use domain::{
    fact::{Fact, FactKind},
    graph::{EntityRef, EntityType, RelationshipClaim, RelationshipType},
};

use super::{
    draft::Draft,
    entities::{Span, entity},
    scene::Scene,
};

/// Verbs between two names, and what they say.
const BETWEEN: [(&str, RelationshipType); 9] = [
    (" depends on ", RelationshipType::DependsOn),
    (" needs ", RelationshipType::DependsOn),
    (" is blocked by ", RelationshipType::BlockedBy),
    (" replaces ", RelationshipType::Replaces),
    (" runs on ", RelationshipType::Uses),
    (" uses ", RelationshipType::Uses),
    (" stays on ", RelationshipType::Uses),
    (" is part of ", RelationshipType::PartOf),
    (" fixes ", RelationshipType::Fixes),
];

/// So close to the verb a name must stand, in bytes.
const REACH: usize = 40;

pub(super) fn claims(scene: &Scene<'_>, draft: &Draft, fact: &Fact) -> Vec<RelationshipClaim> {
    let turn = &scene.turns[draft.turn];
    let claim =
        |source: &EntityRef, kind: RelationshipType, target: &EntityRef| RelationshipClaim {
            source: source.clone(),
            kind,
            target: target.clone(),
            fact_id: fact.id.clone(),
            asserted_at: fact.asserted_at,
        };
    let quoted: Vec<&Span> = turn
        .spans
        .iter()
        .filter(|span| span.range.start < draft.quote.end && draft.quote.start < span.range.end)
        .collect();
    let things: Vec<&EntityRef> = quoted
        .iter()
        .map(|span| &span.entity)
        .filter(|entity| !matches!(entity.kind, EntityType::Person | EntityType::Url))
        .filter(|entity| !draft.gives_up.contains(entity))
        .collect();
    let mut claims = Vec::new();
    let author = fact.author.id.as_ref().map(|id| entity(EntityType::Person, id.as_str()));
    let owner = fact.owner.as_ref().and_then(|owner| owner.id.as_ref());
    let owner = owner.map(|id| entity(EntityType::Person, id.as_str()));
    match fact.kind {
        FactKind::Decision => {
            for (source, target) in author.iter().flat_map(|a| things.iter().map(move |t| (a, *t)))
            {
                claims.push(claim(source, RelationshipType::Decided, target));
            }
            let chosen = things.iter().filter(|thing| thing.kind == EntityType::Technology);
            for (new, old) in
                chosen.flat_map(|new| draft.gives_up.iter().map(move |old| (*new, old)))
            {
                claims.push(claim(new, RelationshipType::Replaces, old));
            }
        }
        FactKind::ActionItem => {
            for (source, target) in owner.iter().flat_map(|o| things.iter().map(move |t| (*t, o))) {
                claims.push(claim(source, RelationshipType::AssignedTo, target));
            }
        }
        FactKind::Ownership => {
            for (source, target) in owner.iter().flat_map(|o| things.iter().map(move |t| (o, *t))) {
                claims.push(claim(source, RelationshipType::Owns, target));
            }
        }
        FactKind::Announcement if fact.published => {
            let projects = things.iter().filter(|thing| thing.kind == EntityType::Project);
            for (source, target) in
                author.iter().flat_map(|a| projects.clone().map(move |t| (a, *t)))
            {
                claims.push(claim(source, RelationshipType::Released, target));
            }
        }
        FactKind::Qa => {
            let answerer = draft.support.iter().find_map(|(turn, _, role)| {
                let author = &scene.turns[*turn].message.author.id;
                (*role == domain::fact::EvidenceRole::Answer)
                    .then(|| entity(EntityType::Person, author.as_str()))
            });
            for (source, target) in
                answerer.iter().flat_map(|a| things.iter().map(move |t| (a, *t)))
            {
                claims.push(claim(source, RelationshipType::Answered, target));
            }
        }
        _ => {}
    }
    claims.extend(between(&turn.message.text, &quoted).map(|(s, kind, t)| claim(s, kind, t)));
    claims.sort();
    claims.dedup();
    claims
}

/// `X uses Y`, both named.
fn between<'s>(
    text: &str,
    quoted: &[&'s Span],
) -> impl Iterator<Item = (&'s EntityRef, RelationshipType, &'s EntityRef)> {
    let mut found = Vec::new();
    for pair in quoted.windows(2) {
        let (left, right) = (pair[0], pair[1]);
        let thing = |span: &Span| !matches!(span.entity.kind, EntityType::Person | EntityType::Url);
        let Some(gap) = text.get(left.range.end..right.range.start) else { continue };
        if gap.len() > REACH || !thing(left) || !thing(right) || left.entity == right.entity {
            continue;
        }
        let verb = BETWEEN.iter().find(|(verb, _)| gap.contains(verb));
        if let Some((_, kind)) = verb {
            found.push((&left.entity, *kind, &right.entity));
        }
    }
    found.into_iter()
}
