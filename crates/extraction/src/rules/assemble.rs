//! From judged statements to what a conversation teaches.

use std::collections::BTreeMap;

use domain::{
    Timestamp,
    fact::{EntityRole, Evidence, EvidenceRole, Extraction, Fact, FactEntity},
    graph::{EntityMention, EntityRef, EntityType},
};

use super::{
    draft::Draft,
    entities::entity,
    gate::{self, Verdict},
    relationships,
    scene::Scene,
};

/// Statements of one conversation beyond this many are not kept, the best first.
const MAX_FACTS: usize = 24;

/// Entities of one conversation beyond this many are not kept.
const MAX_ENTITIES: usize = 200;

pub(super) fn extraction(scene: &Scene<'_>, drafts: Vec<Draft>) -> Extraction {
    let mut judged: Vec<(Verdict, Draft)> = drafts
        .into_iter()
        .filter_map(|draft| gate::judge(scene, &draft).map(|verdict| (verdict, draft)))
        .collect();
    judged.sort_by(|(a, x), (b, y)| {
        let place = |draft: &Draft| (draft.turn, draft.quote.start, draft.kind);
        b.quality.total_cmp(&a.quality).then_with(|| place(x).cmp(&place(y)))
    });
    let mut extraction = Extraction::default();
    let mut taken: Vec<(usize, std::ops::Range<usize>)> = Vec::new();
    for (verdict, draft) in judged {
        // The same words state one thing: what the best rule made of them.
        let overlaps = taken.iter().any(|(turn, range)| {
            *turn == draft.turn && range.start < draft.quote.end && draft.quote.start < range.end
        });
        if overlaps || extraction.facts.len() == MAX_FACTS {
            continue;
        }
        taken.push((draft.turn, draft.quote.clone()));
        let fact = fact(scene, &draft, verdict);
        extraction.relationships.extend(relationships::claims(scene, &draft, &fact));
        extraction.facts.push(fact);
    }
    extraction.facts.sort_by(|a, b| a.id.cmp(&b.id));
    extraction.facts.dedup_by(|a, b| a.id == b.id);
    extraction.relationships.sort();
    extraction.relationships.dedup();
    extraction.mentions = mentions(scene, &extraction);
    extraction
}

fn fact(scene: &Scene<'_>, draft: &Draft, verdict: Verdict) -> Fact {
    let turn = &scene.turns[draft.turn];
    let channel = scene.conversation.channel_id.as_str();
    Fact {
        id: Fact::id_of(channel, draft.kind, &turn.message.id, &draft.text),
        kind: draft.kind,
        text: draft.text.clone(),
        answer: draft.answer.clone(),
        rationale: draft.rationale.clone(),
        author: turn.author(),
        owner: draft.owner.clone(),
        due: draft.due.map(|day| day.to_string()),
        status: draft.status,
        importance: verdict.importance,
        quality: verdict.quality,
        published: verdict.published,
        asserted_at: turn.message.sent_at,
        entities: about(scene, draft),
        reverses: draft.gives_up.clone(),
        evidence: evidence(scene, draft),
    }
}

/// What stands in the very words is the subject; what stands around them is mentioned.
fn about(scene: &Scene<'_>, draft: &Draft) -> Vec<FactEntity> {
    let turn = &scene.turns[draft.turn];
    let mut about = Vec::new();
    for span in &turn.spans {
        let quoted = span.range.start < draft.quote.end && draft.quote.start < span.range.end;
        let given_up = draft.gives_up.contains(&span.entity);
        let role = if quoted && !given_up { EntityRole::Subject } else { EntityRole::Mention };
        about.push(FactEntity { entity: span.entity.clone(), role });
    }
    let person = |id: &domain::UserId| entity(EntityType::Person, id.as_str());
    about.push(FactEntity { entity: person(&turn.message.author.id), role: EntityRole::Author });
    if let Some(owner) = draft.owner.as_ref().and_then(|owner| owner.id.as_ref()) {
        about.push(FactEntity { entity: person(owner), role: EntityRole::Owner });
    }
    about.sort();
    about.dedup();
    // Who is the subject need not be mentioned as well.
    let subjects: Vec<EntityRef> = about
        .iter()
        .filter(|entry| entry.role == EntityRole::Subject)
        .map(|entry| entry.entity.clone())
        .collect();
    about.retain(|entry| entry.role != EntityRole::Mention || !subjects.contains(&entry.entity));
    about
}

fn evidence(scene: &Scene<'_>, draft: &Draft) -> Vec<Evidence> {
    let primary = (draft.turn, draft.quote.clone(), EvidenceRole::Primary);
    std::iter::once(&primary)
        .chain(&draft.support)
        .filter_map(|(turn, range, role)| {
            let message = scene.turns[*turn].message;
            Some(Evidence {
                message_id: message.id.clone(),
                role: *role,
                start: u32::try_from(range.start).ok()?,
                end: u32::try_from(range.end).ok()?,
                quote: message.text.get(range.clone())?.to_owned(),
            })
        })
        .collect()
}

/// Everything named in this unit's own messages, who spoke, and what relationships are between.
fn mentions(scene: &Scene<'_>, extraction: &Extraction) -> Vec<EntityMention> {
    let mut mentions: BTreeMap<EntityRef, EntityMention> = BTreeMap::new();
    let mut add = |entity: EntityRef, name: &str, at: Timestamp| {
        let entry = mentions.entry(entity.clone()).or_insert_with(|| EntityMention {
            entity,
            name: name.to_owned(),
            count: 0,
            first_seen: at,
            last_seen: at,
        });
        entry.count += 1;
        entry.first_seen = entry.first_seen.min(at);
        if at >= entry.last_seen {
            entry.last_seen = at;
            name.clone_into(&mut entry.name);
        }
    };
    for (_, turn) in scene.evidence() {
        let author = &turn.message.author;
        let at = turn.message.sent_at;
        add(entity(EntityType::Person, author.id.as_str()), &author.name, at);
        for span in &turn.spans {
            add(span.entity.clone(), &span.name, at);
        }
    }
    for claim in &extraction.relationships {
        for end in [&claim.source, &claim.target] {
            if !mentions.contains_key(end) {
                let name = end.key.rsplit('/').next().unwrap_or(&end.key).to_owned();
                let at = claim.asserted_at;
                let mention = EntityMention {
                    entity: end.clone(),
                    name,
                    count: 1,
                    first_seen: at,
                    last_seen: at,
                };
                mentions.insert(end.clone(), mention);
            }
        }
    }
    // What facts are about is kept before what is only named.
    let mut kept: Vec<EntityMention> = mentions.into_values().collect();
    if kept.len() > MAX_ENTITIES {
        let used: std::collections::BTreeSet<&EntityRef> = extraction
            .facts
            .iter()
            .flat_map(|fact| fact.entities.iter().map(|about| &about.entity).chain(&fact.reverses))
            .chain(extraction.relationships.iter().flat_map(|c| [&c.source, &c.target]))
            .collect();
        let mut room = MAX_ENTITIES;
        kept.retain(|mention| {
            let keep = used.contains(&mention.entity) || room > 0;
            room = room.saturating_sub(1);
            keep
        });
    }
    kept
}
