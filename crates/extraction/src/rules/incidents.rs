//! What did not work, and what made it work again.

use domain::fact::{EvidenceRole, FactKind, FactStatus};

use super::{
    draft::Draft,
    marker::{Marker, marked},
    scene::Scene,
    text::Sentence,
};

const DECLARED: [&str; 4] =
    ["declaring an incident", "declare an incident", "incident declared", "we have an incident"];

const BROKEN: [&str; 14] = [
    "is down",
    "are down",
    "keeps dying",
    "keeps crashing",
    "keeps failing",
    "is broken",
    "are broken",
    "is blank",
    "time out",
    "times out",
    "out of memory",
    "is failing",
    "fails with",
    "does not start",
];

const REPAIRED: [&str; 11] = [
    "fixed and out",
    "the fix is",
    "the fix was",
    "root cause",
    "the culprit was",
    "the problem was",
    "the cause was",
    "was caused by",
    "turned out to be",
    "rolled out",
    "fixed it by",
];

const HEDGED: [&str; 7] = ["i think", "maybe", "might", "probably", "isn't it", "i guess", "if"];

/// Shortest statement that explains anything, in bytes.
const SHORTEST: usize = 30;

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    let mut problem: Option<usize> = None;
    for (place, turn) in scene.evidence() {
        if turn.playful {
            continue;
        }
        if problem.is_none()
            && let Some((sentence, exact)) = turn.sentences.iter().find_map(breaks)
        {
            let mut draft = Draft::new(scene, FactKind::Problem, place, sentence.range.clone());
            draft.status = Some(FactStatus::Open);
            draft.signals.exact = exact;
            problem = Some(drafts.len());
            drafts.push(draft);
            continue;
        }
        let Some(sentence) = turn.sentences.iter().find(|s| repairs(&turn.message.text, s)) else {
            continue;
        };
        // "Found it!!" says little: what was found stands behind it.
        let text = &turn.message.text;
        let telling = match sentence.range.len() < SHORTEST {
            true => turn.sentences.iter().find(|s| s.range.start >= sentence.range.end),
            false => Some(sentence),
        };
        let Some(telling) = telling.filter(|s| s.range.len() >= SHORTEST) else { continue };
        let mut draft = Draft::new(scene, FactKind::Resolution, place, telling.range.clone());
        let explains = problem.is_some() || marked(text, sentence).is_some();
        draft.signals.exact = explains || sentence.has_any(&["found it", "root cause"]);
        if let Some(problem) = problem {
            drafts[problem].status = Some(FactStatus::Done);
            drafts[problem].rest_on(scene, place, EvidenceRole::Confirmation);
        }
        drafts.push(draft);
    }
}

fn breaks(sentence: &Sentence) -> Option<(&Sentence, bool)> {
    if sentence.is_question || sentence.words.len() < 5 || sentence.has_any(&HEDGED) {
        return None;
    }
    if sentence.has_any(&DECLARED) {
        return Some((sentence, true));
    }
    sentence.has_any(&BROKEN).then_some((sentence, false))
}

fn repairs(text: &str, sentence: &Sentence) -> bool {
    let by_mark = marked(text, sentence).is_some_and(|marked| marked.marker == Marker::Resolution);
    // "I found it odd" finds nothing.
    let found = sentence.starts_with_any(&["found it", "found the problem", "found the bug"]);
    let by_words = (found || sentence.has_any(&REPAIRED)) && !sentence.has_any(&HEDGED);
    !sentence.is_question && (by_mark || by_words)
}
