//! Decisions: marked as such, told as such, or proposed and agreed to.

use domain::{
    fact::{EvidenceRole, FactKind},
    graph::EntityRef,
};

use super::{
    draft::{Draft, statement},
    marker::{Marker, marked},
    scene::{Scene, Turn},
    text::Sentence,
};

const TOLD: [&str; 12] = [
    "we decided",
    "we've decided",
    "we have decided",
    "we agreed",
    "we've agreed",
    "we have agreed",
    "we settled on",
    "we're going with",
    "we are going with",
    "we will go with",
    "we'll go with",
    "we are switching to",
];

/// What takes the decision back into the past, the future, or somebody else's hands.
const NOT_OURS: [&str; 14] = [
    "previous company",
    "last company",
    "old company",
    "old job",
    "years ago",
    "back then",
    "if we",
    "what if",
    "would have",
    "as if",
    "should have",
    "could have",
    "not sure",
    "haven't decided",
];

const PROPOSED: [&str; 6] =
    ["i propose", "i'd propose", "i suggest we", "i would propose", "my proposal", "we propose"];

const AGREED: [&str; 24] = [
    "+1",
    "agree",
    "agreed",
    "sounds good",
    "sounds great",
    "lgtm",
    "works for me",
    "fine by me",
    "fine with me",
    "ok for me",
    "ok with me",
    "okay with me",
    "good with me",
    "go for it",
    "do it",
    "let's do it",
    "yes please",
    "i like it",
    "i like",
    "makes sense",
    "good idea",
    "all for it",
    "in favour",
    "approved",
];

const OBJECTED: [&str; 16] = [
    "-1",
    "disagree",
    "i object",
    "not convinced",
    "please don't",
    "please no",
    "i'm against",
    "i am against",
    "veto",
    "kills it",
    "dropping it",
    "bad idea",
    "let's not",
    "rather not",
    "hold on",
    "don't think we should",
];

const AGREEING: [&str; 6] =
    ["+1", "thumbsup", "white_check_mark", "heavy_check_mark", "100", "ok_hand"];

const OBJECTING: [&str; 3] = ["-1", "thumbsdown", "no_entry"];

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    for (place, turn) in scene.evidence() {
        for sentence in &turn.sentences {
            let draft = by_mark(scene, place, turn, sentence)
                .or_else(|| told(scene, place, turn, sentence))
                .or_else(|| proposed(scene, place, turn, sentence));
            drafts.extend(draft.map(|draft| complete(scene, draft)));
        }
    }
}

fn by_mark(scene: &Scene<'_>, place: usize, turn: &Turn<'_>, sentence: &Sentence) -> Option<Draft> {
    let marked = marked(&turn.message.text, sentence).filter(|m| m.marker == Marker::Decision)?;
    let content = &turn.message.text[marked.content.clone()];
    // What only its author does is no decision of the team.
    let personal =
        ["I ", "I'm ", "I’m ", "I'll ", "I’ll ", "my "].iter().any(|i| content.starts_with(i));
    if personal || turn.playful || sentence.is_question {
        return None;
    }
    let mut draft = Draft::new(scene, FactKind::Decision, place, marked.content);
    draft.signals.marked = true;
    Some(draft)
}

fn told(scene: &Scene<'_>, place: usize, turn: &Turn<'_>, sentence: &Sentence) -> Option<Draft> {
    let ours = sentence.has_any(&TOLD) && !sentence.has_any(&NOT_OURS);
    (ours && !sentence.is_question && !turn.playful).then(|| {
        let mut draft = Draft::new(scene, FactKind::Decision, place, sentence.range.clone());
        draft.signals.exact = true;
        draft
    })
}

/// A proposal that others agreed to and nobody objected to.
fn proposed(
    scene: &Scene<'_>,
    place: usize,
    turn: &Turn<'_>,
    sentence: &Sentence,
) -> Option<Draft> {
    let text = &turn.message.text;
    let by_mark = marked(text, sentence).filter(|marked| marked.marker == Marker::Proposal);
    let asked = turn.sentences.iter().find(|s| s.range.start > sentence.range.start && asks_for(s));
    let quote = match by_mark {
        // "Proposal: today we … Can we … instead?": the question is what is proposed.
        Some(_) if asked.is_some() => {
            asked.map_or(sentence.range.clone(), |asked| asked.range.clone())
        }
        Some(marked) => marked.content,
        None if sentence.has_any(&PROPOSED) && !sentence.has_any(&NOT_OURS) => {
            sentence.range.clone()
        }
        None => return None,
    };
    let mut draft = Draft::new(scene, FactKind::Decision, place, quote);
    draft.text = agreed_text(&draft.text);
    draft.signals.agreements = turn.reacted(&AGREEING);
    if turn.playful || turn.reacted(&OBJECTING) > 0 {
        return None;
    }
    for (later, other) in scene.after(place).take(40) {
        let first = other.sentences.iter().take(2);
        if other.sentences.iter().any(|sentence| sentence.has_any(&OBJECTED)) {
            return None;
        }
        let agrees = first.clone().any(|s| s.has_any(&AGREED) && !s.is_question);
        if agrees && !other.by(&turn.message.author.id) {
            draft.signals.agreements += 1;
            draft.rest_on(scene, later, EvidenceRole::Agreement);
        }
    }
    draft.signals.exact = true;
    (draft.signals.agreements > 0).then_some(draft)
}

const ASKED: [&str; 5] = ["can we", "could we", "shall we", "should we", "let's"];

fn asks_for(sentence: &Sentence) -> bool {
    sentence.starts_with_any(&ASKED)
}

/// A proposal as what it became: `Can we bump it?` is `Bump it`.
fn agreed_text(text: &str) -> String {
    let lower = text.to_lowercase();
    let asked = ASKED.iter().find(|asked| lower.starts_with(&format!("{asked} ")));
    let rest = asked.map_or(text, |asked| &text[asked.len()..]);
    let at = PROPOSED.iter().find_map(|cue| Some((lower.find(cue)?, cue.len())));
    match at {
        Some((at, length)) if asked.is_none() && text.is_char_boundary(at + length) => {
            statement(&format!("{}{}", &text[..at], text[at + length..].trim_start()))
        }
        _ => statement(rest.trim_end_matches('?')),
    }
}

fn complete(scene: &Scene<'_>, mut draft: Draft) -> Draft {
    let turn = &scene.turns[draft.turn];
    draft.rationale = rationale(turn, &draft);
    draft.gives_up = given_up(turn);
    draft
}

/// The clause behind `because`, or the sentence that gives reasons.
fn rationale(turn: &Turn<'_>, draft: &Draft) -> Option<String> {
    let text = &turn.message.text;
    let lower_find = |words: &str| text[draft.quote.clone()].find(words);
    if let Some(at) =
        [" because ", " since ", " so that "].iter().find_map(|words| lower_find(words))
    {
        let clause = text[draft.quote.start + at..draft.quote.end].trim();
        return Some(clause.trim_end_matches('.').to_owned());
    }
    let after = turn.sentences.iter().filter(|s| s.range.start >= draft.quote.end);
    let reasons = after
        .into_iter()
        .find(|sentence| sentence.starts_with_any(&["reason", "reasons", "because", "why"]))?;
    let words = &text[reasons.range.clone()];
    Some(
        words
            .split_once(':')
            .map_or(words, |(_, words)| words)
            .trim()
            .trim_end_matches('.')
            .to_owned(),
    )
}

/// What a decision says it gives up: `replace X with`, `instead of X`, `drop X`.
fn given_up(turn: &Turn<'_>) -> Vec<EntityRef> {
    const BEFORE: [&str; 14] = [
        "replace",
        "replaces",
        "replacing",
        "instead of",
        "drop",
        "dropping",
        "away from",
        "off",
        "no longer use",
        "stop using",
        "retire",
        "retiring",
        "rather than",
        "not",
    ];
    let mut given_up = Vec::new();
    for sentence in &turn.sentences {
        for cue in BEFORE {
            let Some(at) = sentence.find(cue) else { continue };
            let Some(next) = sentence.words.get(at + cue.split(' ').count()) else { continue };
            let close = next.range.start..next.range.end + 1;
            given_up.extend(
                turn.spans
                    .iter()
                    .filter(|span| span.range.start < close.end && close.start < span.range.end)
                    .map(|span| span.entity.clone()),
            );
        }
    }
    given_up.sort();
    given_up.dedup();
    given_up
}
