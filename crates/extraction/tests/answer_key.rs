//! The rules against what a careful reader finds in the bundled sample channel.
//!
//! `cargo test -p extraction --test answer_key -- --nocapture` prints the table.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

mod conversations;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use domain::fact::{Fact, FactKind};
use extraction::rules::Rules;
use serde_json::Value;

struct Key {
    kind: String,
    messages: Vec<String>,
    marked: bool,
    owner: Option<String>,
    due: Option<String>,
}

fn sample() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../atlas-sync/sample-channel")
}

fn answer_key() -> (Vec<Key>, BTreeSet<String>) {
    let text = std::fs::read_to_string(sample().join("answer-key.json")).unwrap();
    let value: Value = serde_json::from_str(&text).unwrap();
    let string = |value: &Value| value.as_str().map(str::to_owned);
    let messages = |value: &Value| {
        value["messages"].as_array().unwrap().iter().filter_map(string).collect::<Vec<_>>()
    };
    let facts = value["facts"].as_array().unwrap().iter().map(|fact| Key {
        kind: string(&fact["kind"]).unwrap(),
        messages: messages(fact),
        marked: fact["marked"].as_bool().unwrap(),
        owner: string(&fact["owner"]),
        due: string(&fact["due"]),
    });
    let traps = value["not_facts"].as_array().unwrap().iter().flat_map(messages);
    (facts.collect(), traps.collect())
}

fn extracted() -> Vec<Fact> {
    let rules = Rules::bundled().unwrap();
    let conversations = conversations::of_folder(&sample().join("export"));
    conversations.iter().flat_map(|conversation| rules.read(conversation).facts).collect()
}

fn carrier(fact: &Fact) -> &str {
    fact.evidence[0].message_id.as_str()
}

fn same(key: &Key, fact: &Fact) -> bool {
    key.kind == fact.kind.as_str() && key.messages.iter().any(|message| message == carrier(fact))
}

#[test]
fn published_facts_are_few_and_right() {
    let (keys, traps) = answer_key();
    let facts = extracted();
    let mut table: BTreeMap<&str, [usize; 4]> = BTreeMap::new();
    for key in &keys {
        let row = table.entry(key.kind.as_str()).or_default();
        row[0] += 1;
        row[1] += usize::from(facts.iter().any(|f| f.published && same(key, f)));
    }
    let published: Vec<_> = facts.iter().filter(|fact| fact.published).collect();
    for fact in &published {
        let row = table.entry(fact.kind.as_str()).or_default();
        row[2] += 1;
        let right = keys.iter().any(|key| same(key, fact));
        row[3] += usize::from(right);
        if !right {
            println!("WRONG {} {} {:.2} {}", fact.kind, carrier(fact), fact.quality, fact.text);
        }
        if traps.contains(carrier(fact)) {
            println!("TRAP  {} {} {}", fact.kind, carrier(fact), fact.text);
        }
    }
    for key in keys.iter().filter(|key| !published.iter().any(|fact| same(key, fact))) {
        let stored = facts.iter().any(|fact| same(key, fact));
        println!("MISSED {} {} stored: {stored}", key.kind, key.messages[0]);
    }
    println!("{:<14}{:>6}{:>7}{:>11}{:>7}", "kind", "key", "found", "published", "right");
    let mut sum = [0; 4];
    for (kind, row) in &table {
        println!("{kind:<14}{:>6}{:>7}{:>11}{:>7}", row[0], row[1], row[2], row[3]);
        (0..4).for_each(|n| sum[n] += row[n]);
    }
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let share = |part: usize, whole: usize| part as f64 / whole.max(1) as f64;
    let (precision, recall) = (share(sum[3], sum[2]), share(sum[1], sum[0]));
    println!("precision {precision:.3}, recall {recall:.3}");
    assert!(precision >= 0.9, "precision {precision:.3}");
    assert!(recall >= 0.55, "recall {recall:.3}");
}

#[test]
fn marked_decisions_and_actions_are_all_found() {
    let (keys, _) = answer_key();
    let facts = extracted();
    for key in keys.iter().filter(|key| key.marked) {
        let found = facts.iter().any(|fact| fact.published && same(key, fact));
        assert!(found, "{} {}", key.kind, key.messages[0]);
    }
}

#[test]
fn owners_and_due_dates_are_right_where_an_action_item_is_found() {
    let (keys, _) = answer_key();
    let facts = extracted();
    let (mut seen, mut right) = (0, 0);
    for key in keys.iter().filter(|key| key.kind == "action_item") {
        let Some(fact) = facts.iter().find(|fact| fact.published && same(key, fact)) else {
            continue;
        };
        let owner = fact.owner.as_ref().and_then(|owner| owner.id.as_ref());
        let same = owner.map(domain::UserId::as_str) == key.owner.as_deref() && fact.due == key.due;
        if !same {
            println!("{} {:?} {:?} instead of {:?}", carrier(fact), owner, fact.due, key.due);
        }
        seen += 1;
        right += usize::from(same);
    }
    assert!(right * 10 >= seen * 9, "{right} of {seen}");
}

#[test]
fn the_reversal_gives_up_what_the_first_decision_chose() {
    let facts = extracted();
    let newer = facts
        .iter()
        .find(|f| f.kind == FactKind::Decision && f.text.contains("Kafka (Amazon MSK)"))
        .unwrap();
    let older = facts
        .iter()
        .find(|f| f.kind == FactKind::Decision && f.text.contains("to Redis Streams"))
        .unwrap();
    let chosen = |entity: &domain::graph::EntityRef| {
        older.entities.iter().any(|about| about.entity == *entity)
    };
    assert!(newer.reverses.iter().any(chosen));
    assert!(newer.asserted_at > older.asserted_at);
}

#[test]
fn every_quote_is_the_text_it_stands_for() {
    for conversation in conversations::of_folder(&sample().join("export")) {
        let extraction = Rules::bundled().unwrap().read(&conversation);
        for evidence in extraction.facts.iter().flat_map(|fact| &fact.evidence) {
            let message =
                conversation.messages.iter().find(|m| m.id == evidence.message_id).unwrap();
            let words = &message.text[evidence.start as usize..evidence.end as usize];
            assert_eq!(words, evidence.quote);
            assert!(message.is_evidence());
        }
    }
}
