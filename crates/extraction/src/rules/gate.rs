//! The gate: how good a statement is, and whether pages show it.
//!
//! One function computes the score, from what is named in it, and nothing else does. Few and right beats
//! many: what is only stored can still be found by a search.

use domain::{fact::FactKind, graph::EntityType};

use super::{
    draft::Draft,
    scene::{Scene, Turn},
};

/// Below this a statement is not even stored.
const STORED: f64 = 0.50;

/// From this on pages show it.
const PUBLISHED: f64 = 0.65;

/// The gate's verdict.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Verdict {
    /// 0.0 to 1.0, four digits.
    pub(super) quality: f64,
    pub(super) published: bool,
    pub(super) importance: u8,
}

/// Judges a statement; `None` when it is not worth keeping.
pub(super) fn judge(scene: &Scene<'_>, draft: &Draft) -> Option<Verdict> {
    let turn = &scene.turns[draft.turn];
    let words = content_words(&draft.text);
    if draft.text.len() < 15 || words < 2 {
        return None;
    }
    let entities = named_things(turn, draft);
    let raw =
        (specific(draft, entities, words) + useful(draft) + verifiable(turn, draft, entities))
            / 3.0
            - penalty(draft, words)
            + bonus(draft);
    let quality = (raw.clamp(0.0, 1.0) * 10_000.0).round() / 10_000.0;
    (quality >= STORED).then(|| Verdict {
        quality,
        published: quality >= PUBLISHED && vouched_for(draft, entities),
        importance: importance(draft),
    })
}

/// A score alone publishes nothing: somebody has marked, confirmed or agreed, or the form is exact.
fn vouched_for(draft: &Draft, entities: usize) -> bool {
    let signals = draft.signals;
    match draft.kind {
        FactKind::Decision => signals.marked || signals.exact,
        FactKind::ActionItem => signals.marked || signals.confirmed || signals.exact,
        FactKind::Qa => signals.confirmed && signals.exact && (entities > 0 || shows(draft)),
        FactKind::Announcement => signals.exact || signals.agreements >= 3,
        FactKind::Ownership | FactKind::Definition | FactKind::Resolution => signals.exact,
        FactKind::Problem => signals.exact,
        FactKind::OpenQuestion => signals.exact && (entities > 0 || has_number(&draft.text)),
        FactKind::Howto | FactKind::Status => false,
    }
}

/// Whether question or answer point at something definite.
fn shows(draft: &Draft) -> bool {
    let answer = draft.answer.as_deref().unwrap_or_default();
    [draft.text.as_str(), answer]
        .iter()
        .any(|t| t.contains('`') || t.contains("://") || has_number(t))
}

/// People aside: they are in every sentence.
fn named_things(turn: &Turn<'_>, draft: &Draft) -> usize {
    turn.spans
        .iter()
        .filter(|span| span.entity.kind != EntityType::Person)
        .filter(|span| span.range.start < draft.quote.end && draft.quote.start < span.range.end)
        .map(|span| &span.entity)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}

#[expect(clippy::cast_precision_loss, reason = "small counts")]
fn specific(draft: &Draft, entities: usize, words: usize) -> f64 {
    let number = if has_number(&draft.text) { 0.13 } else { 0.0 };
    (0.10 + 0.17 * entities.min(4) as f64 + number + 0.05 * words.saturating_sub(3).min(6) as f64)
        .min(1.0)
}

fn useful(draft: &Draft) -> f64 {
    match draft.kind {
        FactKind::Decision => 0.95,
        FactKind::ActionItem => 0.90 + if draft.due.is_some() { 0.10 } else { 0.0 },
        FactKind::Qa => 0.90,
        FactKind::Announcement | FactKind::Definition => 0.80,
        FactKind::Problem | FactKind::Resolution | FactKind::Ownership => 0.70,
        FactKind::Howto => 0.65,
        FactKind::OpenQuestion => 0.55,
        FactKind::Status => 0.50,
    }
}

fn verifiable(turn: &Turn<'_>, draft: &Draft, entities: usize) -> f64 {
    const HEDGES: [&str; 7] =
        ["maybe", "perhaps", "i think", "i guess", "probably", "not sure", "might"];
    let text = draft.text.to_lowercase();
    let quote = &turn.message.text[draft.quote.clone()];
    let mut score: f64 = 0.35;
    score += if entities > 0 { 0.25 } else { 0.0 };
    score += if quote.contains('`') { 0.15 } else { 0.0 };
    score += if has_number(&draft.text) { 0.15 } else { 0.0 };
    score += if draft.answer.as_ref().is_some_and(|a| a.len() > 60 || a.contains('`')) {
        0.20
    } else {
        0.0
    };
    score -= if HEDGES.iter().any(|hedge| text.contains(hedge)) { 0.25 } else { 0.0 };
    score.clamp(0.0, 1.0)
}

fn penalty(draft: &Draft, words: usize) -> f64 {
    const LEANS: [&str; 12] = [
        "but ", "so ", "and ", "it ", "it's ", "this ", "that ", "these ", "those ", "they ",
        "he ", "she ",
    ];
    let text = draft.text.to_lowercase();
    let leans = LEANS.iter().any(|lean| text.starts_with(lean));
    let mut penalty: f64 = 0.0;
    penalty += if leans && draft.kind != FactKind::Decision { 0.15 } else { 0.0 };
    penalty += if draft.text.len() < 30 { 0.10 } else { 0.0 };
    penalty += if words < 3 { 0.15 } else { 0.0 };
    penalty += if draft.text.len() > 350 { 0.08 } else { 0.0 };
    penalty
}

fn bonus(draft: &Draft) -> f64 {
    let signals = draft.signals;
    let mut bonus: f64 = 0.0;
    bonus = bonus.max(if signals.marked { 0.25 } else { 0.0 });
    bonus = bonus.max(if signals.confirmed { 0.20 } else { 0.0 });
    bonus = bonus.max(if signals.agreements >= 2 { 0.12 } else { 0.0 });
    bonus.max(if signals.exact { 0.18 } else { 0.0 })
}

/// 3: everybody should know. 0: incidental.
fn importance(draft: &Draft) -> u8 {
    match draft.kind {
        FactKind::Decision if draft.signals.agreements >= 3 => 3,
        FactKind::Problem if draft.signals.exact => 3,
        FactKind::Decision | FactKind::Announcement => 2,
        FactKind::Status => 0,
        _ => 1,
    }
}

fn has_number(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_digit())
}

/// Distinct words that carry meaning.
fn content_words(text: &str) -> usize {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() >= 4)
        .map(str::to_lowercase)
        .collect::<std::collections::BTreeSet<_>>()
        .len()
}
