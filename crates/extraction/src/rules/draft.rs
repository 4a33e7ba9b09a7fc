//! A statement that a rule has found, before the gate has judged it.

use std::ops::Range;

use chrono::NaiveDate;
use domain::{
    fact::{EvidenceRole, FactKind, FactStatus, Person},
    graph::EntityRef,
};

use super::scene::Scene;

/// What speaks for a statement, besides its words.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Signals {
    /// Its author marked it.
    pub(super) marked: bool,
    /// Whom it concerns has confirmed it.
    pub(super) confirmed: bool,
    /// Others who agreed.
    pub(super) agreements: u32,
    /// A rule found its exact form, not only a cue.
    pub(super) exact: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) kind: FactKind,
    /// The turn that carries it, and the words in it.
    pub(super) turn: usize,
    pub(super) quote: Range<usize>,
    pub(super) text: String,
    pub(super) answer: Option<String>,
    pub(super) rationale: Option<String>,
    pub(super) owner: Option<Person>,
    pub(super) due: Option<NaiveDate>,
    pub(super) status: Option<FactStatus>,
    pub(super) signals: Signals,
    /// Other turns it rests on.
    pub(super) support: Vec<(usize, Range<usize>, EvidenceRole)>,
    /// What it gives up.
    pub(super) gives_up: Vec<EntityRef>,
}

impl Draft {
    /// A statement in a turn's own words.
    pub(super) fn new(scene: &Scene<'_>, kind: FactKind, turn: usize, quote: Range<usize>) -> Self {
        let text = statement(&scene.turns[turn].message.text[quote.clone()]);
        Self {
            kind,
            turn,
            quote,
            text,
            answer: None,
            rationale: None,
            owner: None,
            due: None,
            status: None,
            signals: Signals::default(),
            support: Vec::new(),
            gives_up: Vec::new(),
        }
    }

    /// Adds a turn it rests on, by its first sentence, else by its whole text.
    pub(super) fn rest_on(&mut self, scene: &Scene<'_>, turn: usize, role: EvidenceRole) {
        const LONGEST: usize = 600;
        let at = &scene.turns[turn];
        let first = at.sentences.first().map(|sentence| sentence.range.clone());
        let whole = super::text::trimmed(&at.message.text, 0..at.message.text.len());
        let range = match role {
            EvidenceRole::Answer if whole.len() <= LONGEST => Some(whole),
            _ => first,
        };
        if let Some(range) = range.filter(|range| !range.is_empty())
            && at.evidence
            && turn != self.turn
        {
            self.support.push((turn, range, role));
        }
    }
}

/// Words as a statement: one line, a capital first.
pub(super) fn statement(words: &str) -> String {
    let line = words.split_whitespace().collect::<Vec<_>>().join(" ");
    let line = balanced(line.trim_matches([' ', ',', ';']));
    let mut characters = line.chars();
    match characters.next() {
        Some(first) => first.to_uppercase().chain(characters).collect(),
        None => String::new(),
    }
}

/// Without emphasis that was opened elsewhere.
fn balanced(line: &str) -> String {
    match line.matches('*').count() % 2 {
        0 => line.to_owned(),
        _ => line.replacen('*', "", 1),
    }
}
