//! Announcements: releases, and what everybody is called to hear.

use domain::fact::FactKind;

use super::{
    draft::Draft,
    marker::{Marker, marked},
    scene::{Scene, Turn},
    text::Sentence,
};

const RELEASED: [&str; 12] = [
    "is out",
    "is released",
    "released",
    "is live",
    "is now live",
    "is on production",
    "shipped",
    "has been released",
    "is available",
    "is now available",
    "we go live",
    "went live",
];

const NEWS: [&str; 10] = [
    "moves from",
    "is moving to",
    "starts on",
    "joins us",
    "my last day",
    "will be closed",
    "new colleague",
    "is postponed to",
    "signed",
    "has joined",
];

const NOT_NEWS: [&str; 12] = [
    "when",
    "if",
    "once",
    "until",
    "as soon as",
    "not yet",
    "was released in",
    "before",
    "i imagine",
    "i think",
    "will be released",
    "forecast",
];

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    for (place, turn) in scene.evidence() {
        if turn.playful {
            continue;
        }
        if let Some((sentence, exact)) = turn.sentences.iter().find_map(|s| announces(turn, s)) {
            let mut draft =
                Draft::new(scene, FactKind::Announcement, place, sentence.range.clone());
            draft.signals.exact = exact;
            draft.signals.agreements =
                turn.reacted(&["tada", "rocket", "clap", "raised_hands", "wave", "+1", "cry"]);
            drafts.push(draft);
        }
    }
}

/// The announcing sentence, and whether its form leaves no doubt.
fn announces<'s>(turn: &Turn<'_>, sentence: &'s Sentence) -> Option<(&'s Sentence, bool)> {
    if sentence.is_question || sentence.words.len() < 4 {
        return None;
    }
    let text = &turn.message.text;
    if marked(text, sentence).is_some_and(|marked| marked.marker == Marker::Announcement) {
        return Some((sentence, true));
    }
    if sentence.has_any(&NOT_NEWS) {
        return None;
    }
    let versioned =
        sentence.words.iter().any(|word| word.lower.starts_with(|c: char| c.is_ascii_digit()));
    let calls =
        text.starts_with("@here") || text.starts_with("@channel") || text.starts_with("@everyone");
    let names = turn
        .spans
        .iter()
        .any(|span| span.range.start < sentence.range.end && sentence.range.start < span.range.end);
    if sentence.has_any(&RELEASED) && (versioned || names) {
        return Some((sentence, versioned));
    }
    (sentence.has_any(&NEWS) && !sentence.has("i")).then_some((sentence, calls || versioned))
}
