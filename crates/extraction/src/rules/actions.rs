//! Action items: marked, taken on, or asked for and accepted.

use std::ops::Range;

use domain::{
    UserId,
    fact::{EvidenceRole, FactKind, FactStatus, Person},
};

use super::{
    dates,
    draft::{Draft, statement},
    marker::{Marker, marked},
    scene::{Scene, Turn},
    text::Sentence,
};

const COMMITMENTS: [&str; 6] =
    ["i'll", "i will", "i can take", "i'm going to", "i am going to", "we'll"];

const VERBS: [&str; 68] = [
    "add",
    "ask",
    "backfill",
    "book",
    "build",
    "bump",
    "change",
    "check",
    "clean",
    "close",
    "collect",
    "compare",
    "contact",
    "create",
    "debug",
    "deploy",
    "disable",
    "document",
    "do",
    "draft",
    "email",
    "enable",
    "file",
    "find",
    "finish",
    "fix",
    "get",
    "have",
    "implement",
    "install",
    "investigate",
    "list",
    "make",
    "merge",
    "migrate",
    "move",
    "open",
    "order",
    "organise",
    "organize",
    "ping",
    "port",
    "prepare",
    "propose",
    "publish",
    "push",
    "put",
    "re-ingest",
    "refactor",
    "release",
    "remove",
    "rename",
    "replace",
    "report",
    "restore",
    "retire",
    "review",
    "rewrite",
    "run",
    "schedule",
    "send",
    "set",
    "share",
    "ship",
    "tear",
    "tell",
    "test",
    "update",
];

const MORE_VERBS: [&str; 8] =
    ["upgrade", "upload", "verify", "write", "wire", "talk", "submit", "take"];

const REQUESTS: [&str; 6] =
    ["can you", "could you", "would you", "please", "can you please", "could you please"];

const ACCEPTED: [&str; 14] = [
    "on it",
    "will do",
    "sure",
    "sure thing",
    "ok",
    "okay",
    "yes",
    "yep",
    "done",
    "doing it",
    "can do",
    "of course",
    "i'll",
    "consider it done",
];

const DECLINED: [&str; 7] =
    ["can't", "cannot", "sorry", "no time", "won't", "not this week", "unable"];

const DONE: [&str; 20] = [
    "done",
    "merged",
    "shipped",
    "fixed",
    "deployed",
    "pushed",
    "sent",
    "finished",
    "published",
    "is up",
    "is live",
    "is out",
    "updated",
    "told her",
    "told him",
    "told them",
    "added",
    "closed",
    "in place",
    "rolled out",
];

const NOT_MEANT: [&str; 9] =
    ["if", "maybe", "might", "perhaps", "would", "what if", "some day", "someday", "never"];

pub(super) fn find(scene: &Scene<'_>, drafts: &mut Vec<Draft>) {
    for (place, turn) in scene.evidence() {
        if turn.playful {
            continue;
        }
        for sentence in &turn.sentences {
            let draft = by_mark(scene, place, turn, sentence)
                .or_else(|| requested(scene, place, turn, sentence))
                .or_else(|| committed(scene, place, turn, sentence));
            drafts.extend(draft.map(|draft| finished(scene, draft)));
        }
    }
}

fn by_mark(scene: &Scene<'_>, place: usize, turn: &Turn<'_>, sentence: &Sentence) -> Option<Draft> {
    let text = &turn.message.text;
    let marked = marked(text, sentence).filter(|marked| marked.marker == Marker::Action)?;
    let (owner, task) = owner_and_task(scene, turn, marked.content.clone());
    let addressed = marked.addressee.as_deref().and_then(|name| named(scene, turn, name));
    let mut draft = Draft::new(scene, FactKind::ActionItem, place, marked.content);
    draft.text = statement(&text[task]);
    // A day may stand in the sentence behind it.
    let rest = turn.sentences.iter().filter(|s| s.range.start >= sentence.range.start).take(2);
    draft.due = rest.into_iter().find_map(|s| dates::due(s, 0, turn.message.sent_at));
    draft.owner = owner.or(addressed).or_else(|| draft.due.map(|_| turn.author()));
    // Without anybody to do it, it is a wish.
    draft.owner.as_ref()?;
    draft.signals.marked = true;
    Some(draft)
}

/// `@Ann to write it`, `me (Ann) to write it`, `Ann: write it`.
fn owner_and_task(
    scene: &Scene<'_>,
    turn: &Turn<'_>,
    content: Range<usize>,
) -> (Option<Person>, Range<usize>) {
    let text = &turn.message.text;
    let words = &text[content.clone()];
    let Some((head, at)) = [" to ", ": ", " will "]
        .iter()
        .filter_map(|cut| words.find(cut).map(|at| (&words[..at], at + cut.len())))
        .min_by_key(|(head, _)| head.len())
    else {
        return (None, content);
    };
    match named(scene, turn, head) {
        Some(owner) => (Some(owner), content.start + at..content.end),
        None => (None, content),
    }
}

fn named(scene: &Scene<'_>, turn: &Turn<'_>, name: &str) -> Option<Person> {
    let bare = name.split('(').next().unwrap_or(name).trim().trim_start_matches('@');
    match bare.to_lowercase().as_str() {
        "me" | "i" | "myself" => Some(turn.author()),
        _ => scene.person(bare),
    }
}

/// `@Ann can you …`: an action item once Ann accepts, or has done it.
fn requested(
    scene: &Scene<'_>,
    place: usize,
    turn: &Turn<'_>,
    sentence: &Sentence,
) -> Option<Draft> {
    let mention = turn.message.mentions.iter().find(|mention| {
        (sentence.range.start..sentence.range.end).contains(&(mention.start as usize))
    })?;
    let (_, behind) = sentence.first_of(&REQUESTS)?;
    let verb = sentence.words.get(behind)?;
    let early = verb.range.start.saturating_sub(mention.end as usize) < 40;
    if !early || !is_verb(&verb.lower) || mention.user_id == turn.message.author.id {
        return None;
    }
    let acceptance = accepted(scene, place, turn, &mention.user_id)?;
    let end = text_end(&turn.message.text, sentence);
    let mut draft = Draft::new(scene, FactKind::ActionItem, place, sentence.range.clone());
    draft.text = statement(&turn.message.text[verb.range.start..end]);
    draft.owner = Some(Person { id: Some(mention.user_id.clone()), name: mention.name.clone() });
    draft.due = dates::due(sentence, behind, turn.message.sent_at);
    draft.signals.confirmed = true;
    if let Some(later) = acceptance {
        draft.rest_on(scene, later, EvidenceRole::Agreement);
    }
    Some(draft)
}

/// `Some(turn)` when accepted in words, `Some(None)` by a reaction, `None` when not at all.
fn accepted(
    scene: &Scene<'_>,
    place: usize,
    turn: &Turn<'_>,
    person: &UserId,
) -> Option<Option<usize>> {
    if let Some((later, answer)) = scene.after(place).take(20).find(|(_, other)| other.by(person)) {
        let first = answer.sentences.first()?;
        if first.has_any(&DECLINED) {
            return None;
        }
        if first.starts_with_any(&ACCEPTED) || first.has_any(&DONE) {
            return Some(Some(later));
        }
    }
    let nodded =
        turn.reacted_by(person, &["eyes", "white_check_mark", "+1", "heavy_check_mark", "ok_hand"]);
    nodded.then_some(None)
}

/// `I'll write it by Friday`.
fn committed(
    scene: &Scene<'_>,
    place: usize,
    turn: &Turn<'_>,
    sentence: &Sentence,
) -> Option<Draft> {
    let (at, behind) = sentence.first_of(&COMMITMENTS)?;
    let verb = sentence.words.get(behind)?;
    let meant = !sentence.words[..at].iter().any(|word| NOT_MEANT.contains(&word.lower.as_str()));
    if sentence.is_question
        || !meant
        || !is_verb(&verb.lower)
        || sentence.words[at].lower == "we'll"
    {
        return None;
    }
    let end = text_end(&turn.message.text, sentence);
    let mut draft = Draft::new(scene, FactKind::ActionItem, place, sentence.range.clone());
    draft.text = statement(&turn.message.text[verb.range.start..end]);
    draft.owner = Some(turn.author());
    let next = turn.sentences.iter().find(|next| next.range.start >= sentence.range.end);
    draft.due = dates::due(sentence, 0, turn.message.sent_at).or_else(|| {
        let next = next.filter(|next| next.starts_with_any(&["target", "due", "deadline"]))?;
        dates::due(next, 0, turn.message.sent_at)
    });
    draft.signals.exact = draft.due.is_some();
    Some(draft)
}

/// Without the full stop.
fn text_end(text: &str, sentence: &Sentence) -> usize {
    let words = &text[sentence.range.clone()];
    sentence.range.start + words.trim_end_matches(['.', '!', '?', ' ']).len()
}

fn is_verb(word: &str) -> bool {
    VERBS.contains(&word) || MORE_VERBS.contains(&word)
}

/// Whether its owner says in this conversation that it is done.
fn finished(scene: &Scene<'_>, mut draft: Draft) -> Draft {
    draft.status = Some(FactStatus::Open);
    let owner = draft.owner.as_ref().and_then(|owner| owner.id.clone());
    let Some(owner) = owner else { return draft };
    let done = scene.after(draft.turn).find(|(_, turn)| {
        let first = turn.sentences.iter().take(2);
        turn.by(&owner) && first.clone().any(|s| !s.is_question && s.has_any(&DONE))
    });
    if let Some((later, _)) = done {
        draft.status = Some(FactStatus::Done);
        draft.rest_on(scene, later, EvidenceRole::Confirmation);
    }
    draft
}
