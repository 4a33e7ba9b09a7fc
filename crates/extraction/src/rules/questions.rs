//! Questions, with the answer that their asker accepted, or without one.

use domain::fact::{EvidenceRole, FactKind, FactStatus};

use super::{
    draft::{Draft, statement},
    scene::{Scene, Turn},
    text::Sentence,
};

const THANKS: [&str; 26] = [
    "thanks",
    "thank you",
    "thx",
    "ty",
    "cheers",
    "merci",
    "danke",
    "that worked",
    "that works",
    "works",
    "it works",
    "worked",
    "got it",
    "perfect",
    "that explains",
    "exactly what i needed",
    "makes sense",
    "that helps",
    "helps a lot",
    "great",
    "awesome",
    "solved",
    "that did it",
    "that was it",
    "good to know",
    "noted",
];

const NOT_THANKS: [&str; 7] =
    ["but", "doesn't", "does not", "didn't", "still", "thanks in advance", "no thanks"];

/// First words of a question that asks to know something.
const ASKING: [&str; 34] = [
    "how", "what", "which", "where", "why", "who", "when", "is", "are", "does", "do", "did", "can",
    "could", "should", "has", "have", "was", "were", "will", "anyone", "anybody", "any", "would",
    "am", "what's", "where's", "who's", "how's", "isn't", "aren't", "doesn't", "don't", "whose",
];

/// A question that is asked of the one who asked, or of nobody.
const IDLE: [&str; 14] = [
    "isn't it",
    "right",
    "really",
    "you ok",
    "how are you",
    "who knows",
    "what do you mean",
    "can you share",
    "which version",
    "do you mean",
    "have you tried",
    "did you try",
    "what did he",
    "how many",
];

/// Shortest question that can be understood by itself, in bytes.
const SHORTEST: usize = 30;

/// Turns after a question in which it may be answered.
const REACH: usize = 25;

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    let mut answered_by = Vec::new();
    for (place, turn) in scene.evidence() {
        if turn.playful || answered_by.contains(&place) {
            continue;
        }
        let Some(sentence) = turn.sentences.iter().find(|s| is_question(turn, s)) else { continue };
        match answer(scene, place, turn) {
            Some((answer, confirmation)) => {
                answered_by.push(answer);
                drafts.push(answered(scene, place, sentence, answer, confirmation));
            }
            None if opens(scene, place) && nobody_answers(scene, place) => {
                let mut draft =
                    Draft::new(scene, FactKind::OpenQuestion, place, sentence.range.clone());
                draft.status = Some(FactStatus::Open);
                draft.signals.exact = turn.message.thread_id.is_some();
                drafts.push(draft);
            }
            None => {}
        }
    }
}

fn is_question(turn: &Turn<'_>, sentence: &Sentence) -> bool {
    let asks = sentence.words.iter().take(12).any(|word| ASKING.contains(&word.lower.as_str()));
    let to_somebody = turn
        .message
        .mentions
        .iter()
        .any(|mention| sentence.range.contains(&(mention.start as usize)));
    sentence.is_question
        && sentence.range.len() >= SHORTEST
        && sentence.words.len() >= 5
        && asks
        && !to_somebody
        && !sentence.has_any(&IDLE)
}

/// The answer before the asker's thanks, the longest where there are several, and the thanks.
fn answer(scene: &Scene<'_>, place: usize, asker: &Turn<'_>) -> Option<(usize, usize)> {
    let mut best: Option<(usize, usize)> = None;
    for (later, turn) in scene.after(place).take(REACH) {
        if !turn.by(&asker.message.author.id) {
            let worth = worth(turn);
            if best.is_none_or(|(_, known)| worth > known) && worth >= 20 {
                best = Some((later, worth));
            }
            continue;
        }
        let thanks = turn.sentences.iter().take(6).any(|s| s.has_any(&THANKS));
        let content = !turn.sentences.iter().any(|s| s.has_any(&NOT_THANKS));
        if let (true, true, Some((answer, _))) = (thanks, content, best) {
            return Some((answer, later));
        }
    }
    None
}

/// How much an answer says: its length, and whether it shows something.
fn worth(turn: &Turn<'_>) -> usize {
    let text = &turn.message.text;
    let asks_back =
        turn.sentences.first().is_some_and(|s| s.is_question) && turn.sentences.len() == 1;
    if asks_back || !turn.evidence {
        return 0;
    }
    let shows = text.contains('`') || !turn.message.links.is_empty();
    text.len().min(300) + if shows { 60 } else { 0 }
}

fn answered(
    scene: &Scene<'_>,
    place: usize,
    sentence: &Sentence,
    answer: usize,
    confirmation: usize,
) -> Draft {
    let mut draft = Draft::new(scene, FactKind::Qa, place, sentence.range.clone());
    let words = &scene.turns[answer].message.text;
    draft.answer = Some(shortened(&statement(words)));
    draft.status = Some(FactStatus::Answered);
    draft.signals.confirmed = true;
    draft.signals.exact = understood(scene, place, answer, confirmation);
    draft.rest_on(scene, answer, EvidenceRole::Answer);
    draft.rest_on(scene, confirmation, EvidenceRole::Confirmation);
    draft
}

/// Whether question and answer surely belong together: in a thread that the question opens, or where
/// the answer came at once and the asker's next words were the thanks.
fn understood(scene: &Scene<'_>, place: usize, answer: usize, confirmation: usize) -> bool {
    const AT_ONCE: usize = 3;
    let asker = &scene.turns[place].message.author.id;
    if scene.turns[place].message.thread_id.is_some() {
        return opens(scene, place);
    }
    let at_once =
        scene.after(place).position(|(turn, _)| turn == answer).is_some_and(|n| n < AT_ONCE);
    let others =
        scene.after(place).filter(|(turn, other)| *turn < confirmation && !other.by(asker));
    let answerer = &scene.turns[answer].message.author.id;
    let between = scene.after(place).any(|(turn, other)| turn < confirmation && other.by(asker));
    at_once && !between && others.into_iter().all(|(_, other)| other.by(answerer))
}

/// An answer as a page can show it.
fn shortened(answer: &str) -> String {
    const LONGEST: usize = 600;
    if answer.len() <= LONGEST {
        return answer.to_owned();
    }
    let cut = answer.floor_char_boundary(LONGEST);
    let word = answer[..cut].rfind(' ').unwrap_or(cut);
    format!("{} …", &answer[..word])
}

/// Only what opens a thread is surely meant to be answered.
fn opens(scene: &Scene<'_>, place: usize) -> bool {
    let message = scene.turns[place].message;
    message.thread_id.as_ref().is_none_or(|thread| *thread == message.id)
}

fn nobody_answers(scene: &Scene<'_>, place: usize) -> bool {
    let asker = &scene.turns[place].message.author.id;
    let open_end = scene.turns[place].message.thread_id.is_some() || place + 1 == scene.turns.len();
    open_end && scene.after(place).all(|(_, turn)| turn.by(asker) || worth(turn) < 60)
}
