//! A conversation made ready for the rules: who says what to whom, sentence by sentence.

use std::collections::BTreeMap;

use domain::{Message, UserId, conversation::Conversation, fact::Person};

use super::{
    entities::{self, Span},
    gazetteer::Gazetteer,
    text::{Sentence, sentences},
};

/// Reactions by which people show that they take something for a joke.
const LAUGHTER: [&str; 6] =
    ["joy", "rofl", "laughing", "joy_cat", "rolling_on_the_floor_laughing", "lol"];

/// So many have to laugh.
const LAUGHERS: u32 = 2;

pub(super) struct Scene<'c> {
    pub(super) conversation: &'c Conversation,
    pub(super) turns: Vec<Turn<'c>>,
    /// People who speak or are addressed, by each name they can be told by alone.
    people: BTreeMap<String, Option<Person>>,
}

/// A message of the conversation.
pub(super) struct Turn<'c> {
    pub(super) message: &'c Message,
    pub(super) sentences: Vec<Sentence>,
    pub(super) spans: Vec<Span>,
    /// Whether it may carry facts: said by a person, and part of this unit.
    pub(super) evidence: bool,
    /// Whether others took it for a joke.
    pub(super) playful: bool,
}

impl Turn<'_> {
    pub(super) fn author(&self) -> Person {
        let author = &self.message.author;
        Person { id: Some(author.id.clone()), name: author.name.clone() }
    }

    pub(super) fn by(&self, author: &UserId) -> bool {
        self.message.author.id == *author
    }

    /// How many others gave one of these reactions.
    pub(super) fn reacted(&self, names: &[&str]) -> u32 {
        let count = |reaction: &domain::message::Reaction| {
            let own = u32::from(reaction.users.contains(&self.message.author.id));
            reaction.count.saturating_sub(own)
        };
        let matching = |reaction: &&domain::message::Reaction| {
            // Skin tones are a suffix: `+1::skin-tone-2`.
            let name = reaction.name.split("::").next().unwrap_or_default();
            names.contains(&name)
        };
        self.message.reactions.iter().filter(matching).map(count).sum()
    }

    /// Whether a certain person gave one of these reactions.
    pub(super) fn reacted_by(&self, person: &UserId, names: &[&str]) -> bool {
        self.message.reactions.iter().any(|reaction| {
            let name = reaction.name.split("::").next().unwrap_or_default();
            names.contains(&name) && reaction.users.contains(person)
        })
    }
}

impl<'c> Scene<'c> {
    pub(super) fn new(conversation: &'c Conversation, gazetteer: &Gazetteer) -> Self {
        let names = entities::Names::of(conversation);
        let turn = |message: &'c Message, own: bool| {
            let mut turn = Turn {
                message,
                sentences: sentences(&message.text),
                spans: entities::spans(message, &names, gazetteer),
                evidence: own && message.is_evidence(),
                playful: false,
            };
            turn.playful = turn.reacted(&LAUGHTER) >= LAUGHERS;
            turn
        };
        let context = conversation.context.iter().map(|message| turn(message, false));
        let own = conversation.messages.iter().map(|message| turn(message, true));
        Self { conversation, turns: context.chain(own).collect(), people: people(conversation) }
    }

    /// Turns that may carry facts, with their places.
    pub(super) fn evidence(&self) -> impl Iterator<Item = (usize, &Turn<'c>)> {
        self.turns.iter().enumerate().filter(|(_, turn)| turn.evidence)
    }

    /// Turns of people after a place, in order.
    pub(super) fn after(&self, place: usize) -> impl Iterator<Item = (usize, &Turn<'c>)> {
        self.turns.iter().enumerate().skip(place + 1).filter(|(_, turn)| turn.message.is_evidence())
    }

    /// Somebody of this conversation by a name that only one of them has.
    pub(super) fn person(&self, name: &str) -> Option<Person> {
        self.people.get(&name.to_lowercase()).cloned().flatten()
    }
}

/// By full name and by first name, where that is told of one person only.
fn people(conversation: &Conversation) -> BTreeMap<String, Option<Person>> {
    let mut people: BTreeMap<String, Option<Person>> = BTreeMap::new();
    let mut add = |name: &str, id: &UserId| {
        let person = Person { id: Some(id.clone()), name: name.to_owned() };
        let first = name.split(' ').next().unwrap_or(name);
        for key in std::collections::BTreeSet::from([name.to_lowercase(), first.to_lowercase()]) {
            people
                .entry(key)
                .and_modify(|known| {
                    if known.as_ref().is_some_and(|known| known.id != person.id) {
                        *known = None;
                    }
                })
                .or_insert_with(|| Some(person.clone()));
        }
    };
    for message in conversation.context.iter().chain(&conversation.messages) {
        if message.author.kind == domain::message::AuthorKind::Person {
            add(&message.author.name, &message.author.id);
        }
        for mention in &message.mentions {
            add(&mention.name, &mention.user_id);
        }
    }
    people
}
