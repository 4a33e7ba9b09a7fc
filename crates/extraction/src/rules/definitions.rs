//! What terms of the team mean.

use domain::fact::FactKind;

use super::{
    draft::Draft,
    scene::{Scene, Turn},
    text::Sentence,
};

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    for (place, turn) in scene.evidence() {
        if turn.playful && turn.message.text.len() < 80 {
            continue;
        }
        let defining = turn.sentences.iter().find(|sentence| {
            !sentence.is_question && (by_sign(turn, sentence) || by_verb(turn, sentence))
        });
        if let Some(sentence) = defining {
            let quote = defining_part(&turn.message.text, sentence);
            let mut draft = Draft::new(scene, FactKind::Definition, place, quote);
            draft.signals.exact = true;
            drafts.push(draft);
        }
    }
}

/// Without what leads up to it: `Since you asked: the *ledger* is …`.
fn defining_part(text: &str, sentence: &Sentence) -> std::ops::Range<usize> {
    let words = &text[sentence.range.clone()];
    let lead = words.find(": the *").or_else(|| words.find(": a *")).map_or(0, |at| at + 2);
    sentence.range.start + lead..sentence.range.end
}

/// `TTA = time to alert`.
fn by_sign(turn: &Turn<'_>, sentence: &Sentence) -> bool {
    let words = &turn.message.text[sentence.range.clone()];
    let Some((term, meaning)) = words.split_once(" = ") else { return false };
    is_acronym(term.trim()) && meaning.split_whitespace().count() >= 3
}

fn is_acronym(term: &str) -> bool {
    (2..=8).contains(&term.len())
        && term.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())
}

/// `The *ledger* is the table of …`, `an excursion is when …`, `SLO stands for …`.
fn by_verb(turn: &Turn<'_>, sentence: &Sentence) -> bool {
    if sentence.words.len() < 8
        || sentence.has_any(&["i", "my", "your", "you"]) && !sentence.has("we")
    {
        return false;
    }
    if let Some(at) = sentence.find("stands for") {
        return at <= 3;
    }
    let text = &turn.message.text[sentence.range.clone()];
    let emphasised = |verb: &str| {
        let term = text.split(verb).next().unwrap_or_default();
        let term = term.rsplit(": ").next().unwrap_or(term).trim();
        let bare = ["the ", "a ", "an ", "The ", "A ", "An "]
            .iter()
            .find_map(|article| term.strip_prefix(article))
            .unwrap_or(term);
        text.contains(verb)
            && bare.len() >= 3
            && bare.len() <= 40
            && bare.starts_with('*')
            && bare.ends_with('*')
    };
    if [" is the ", " is a ", " is an ", " means "].iter().any(|verb| emphasised(verb)) {
        return true;
    }
    // "An X is when …" defines, whatever else is said of X.
    let when = sentence.find("is when");
    let article = sentence.words[0].lower == "a" || sentence.words[0].lower == "an";
    when.is_some_and(|at| article && (2..=4).contains(&at))
}
