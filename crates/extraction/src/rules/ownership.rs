//! Who is responsible for what.

use domain::{
    fact::{FactKind, Person},
    graph::EntityType,
};

use super::{
    draft::{Draft, statement},
    scene::{Scene, Turn},
    text::Sentence,
};

const OWNS: [&str; 6] =
    ["owns", "maintains", "is responsible for", "takes over", "is the owner of", "is in charge of"];

const I_OWN: [&str; 4] = ["i own", "i maintain", "i'm responsible for", "i am responsible for"];

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    for (place, turn) in scene.evidence() {
        if turn.playful {
            continue;
        }
        let found = turn.sentences.iter().find_map(|sentence| {
            (!sentence.is_question).then_some(())?;
            own(scene, place, turn, sentence).or_else(|| another(scene, place, turn, sentence))
        });
        drafts.extend(found);
    }
}

/// `I own search-api`: read by somebody else, it needs the name.
fn own(scene: &Scene<'_>, place: usize, turn: &Turn<'_>, sentence: &Sentence) -> Option<Draft> {
    let (at, behind) = sentence.first_of(&I_OWN)?;
    let object = sentence.words.get(behind)?;
    names_something(turn, object.range.start)?;
    let owner = turn.author();
    let verb = &sentence.words[at + 1].lower;
    let rest = &turn.message.text[object.range.start..sentence.range.end];
    let third = match verb.as_str() {
        "own" => "owns",
        "maintain" => "maintains",
        _ => "is responsible for",
    };
    let mut draft = Draft::new(scene, FactKind::Ownership, place, sentence.range.clone());
    draft.text = statement(&format!("{} {third} {rest}", owner.name));
    draft.owner = Some(owner);
    draft.signals.exact = true;
    Some(draft)
}

/// `Ann owns search-api`.
fn another(scene: &Scene<'_>, place: usize, turn: &Turn<'_>, sentence: &Sentence) -> Option<Draft> {
    let (at, behind) = sentence.first_of(&OWNS)?;
    let (subject, object) = (sentence.words.get(at.checked_sub(1)?)?, sentence.words.get(behind)?);
    names_something(turn, object.range.start)?;
    let text = &turn.message.text;
    let mentioned = turn.message.mentions.iter().find(|m| m.end as usize == subject.range.end);
    let name = &text[subject.range.clone()];
    let owner = match mentioned {
        Some(mention) => Person { id: Some(mention.user_id.clone()), name: mention.name.clone() },
        None if name.starts_with(char::is_uppercase) => {
            scene.person(name).unwrap_or(Person { id: None, name: name.to_owned() })
        }
        None => return None,
    };
    let mut draft = Draft::new(scene, FactKind::Ownership, place, sentence.range.clone());
    draft.text = statement(&text[subject.range.start..sentence.range.end]);
    draft.owner = Some(owner);
    draft.signals.exact = true;
    Some(draft)
}

/// Ownership is of a thing with a name, not of "the stage" or "my mistakes".
fn names_something(turn: &Turn<'_>, at: usize) -> Option<()> {
    let named = |kind| {
        matches!(
            kind,
            EntityType::Service
                | EntityType::Repository
                | EntityType::Project
                | EntityType::Technology
        )
    };
    turn.spans
        .iter()
        .any(|span| named(span.entity.kind) && span.range.start.abs_diff(at) <= 8)
        .then_some(())
}
