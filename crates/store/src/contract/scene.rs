//! A channel, its messages and its tasks, as the rules need them.

use std::time::Duration;

use domain::{
    ChannelId, Job, Message, Platform, Stage, TaskRef, Timestamp, Trigger,
    fact::{EntityRole, Evidence, EvidenceRole, Extraction, Fact, FactEntity, FactKind, Person},
    graph::{EntityMention, EntityRef, EntityType},
    message::{Author, AuthorKind, MessageKind},
    page::{PageKey, PageKind, RenderedPage},
    task::{Claim, ClaimedTask},
};

use crate::{Committed, Effect, NewChannel, NewJob, PageEffect, PageNext, Store, Triggered};

pub(super) const LEASE: Duration = Duration::from_secs(60);

/// Registers `C1`.
pub(super) async fn channel(store: &dyn Store) -> ChannelId {
    named_channel(store, "C1").await
}

/// Registers a channel of the one workspace.
pub(super) async fn named_channel(store: &dyn Store, id: &str) -> ChannelId {
    let connection =
        store.ensure_connection(None, Platform::Slack, "T1", "test").await.unwrap().unwrap();
    let new = NewChannel { external_id: id.into(), name: id.into(), topic: String::new() };
    store.register_channels(&connection.id, &[new]).await.unwrap().remove(0).id
}

pub(super) fn wanted(channel: &ChannelId) -> NewJob {
    NewJob {
        channel_id: channel.clone(),
        force: false,
        trigger: Trigger::Manual,
        asked_by: None,
        trace: None,
        estimated_messages: Some(7),
        idempotency: None,
    }
}

/// Accepts a job; answers with it and its first task.
pub(super) async fn started(store: &dyn Store, channel: &ChannelId) -> (Job, TaskRef) {
    match store.trigger(wanted(channel)).await.unwrap() {
        Triggered::Started(job, mut tasks) => (job, tasks.remove(0)),
        other => panic!("{other:?}"),
    }
}

pub(super) async fn claimed(store: &dyn Store, task: &TaskRef) -> ClaimedTask {
    store.claim(task, "worker", LEASE).await.unwrap().expect("it is there to be claimed").0
}

/// A message said at a minute, with the minute as its name.
pub(super) fn message(minute: i64, text: &str) -> Message {
    Message {
        id: format!("{minute:06}").as_str().into(),
        thread_id: None,
        author: Author { id: "U1".into(), name: "Ann".into(), kind: AuthorKind::Person },
        kind: MessageKind::Text,
        text: text.to_owned(),
        mentions: vec![],
        links: vec![],
        sent_at: Timestamp::from_micros(minute * 60_000_000),
        edited_at: None,
        deleted_at: None,
        permalink: None,
        reactions: vec![],
        attachments: vec![],
    }
}

pub(super) fn page(messages: Vec<Message>) -> Effect {
    let next = PageNext::End(Some("mark".into()));
    Effect::Page(PageEffect::new(messages, next))
}

/// Walks a channel in one page, leftovers first; answers with all that was released.
pub(super) async fn walked(
    store: &dyn Store,
    channel: &ChannelId,
    messages: Vec<Message>,
) -> (Job, Committed) {
    let (job, task) = started(store, channel).await;
    let fetch = claimed(store, &task).await;
    let mut released = Vec::new();
    loop {
        let left = committed(store, &fetch.claim, Effect::Leftovers).await;
        released.extend(left.released);
        if !left.more {
            break;
        }
    }
    let mut last = committed(store, &fetch.claim, page(messages)).await;
    released.append(&mut last.released);
    (job, Committed { released, ..last })
}

pub(super) async fn committed(store: &dyn Store, claim: &Claim, effect: Effect) -> Committed {
    store.commit(claim, effect).await.unwrap().expect("the claim holds")
}

/// Takes a batch through extraction and graph with what `extract` makes of each touched unit, then ends the
/// job; the graph contribution is made as the graph stage makes it.
pub(super) async fn through(
    store: &dyn Store,
    channel: &ChannelId,
    messages: Vec<Message>,
    extract: impl Fn(&domain::conversation::Conversation) -> Extraction,
) {
    let (job, mut committed_) = walked(store, channel, messages).await;
    let mut waiting = std::mem::take(&mut committed_.released);
    while !waiting.is_empty() {
        let task = waiting.remove(0);
        let claimed = claimed(store, &task).await;
        let effect = match &claimed.input {
            domain::task::TaskInput::Extract { seeds } => {
                let touched = store.touched_units(channel, seeds).await.unwrap();
                let extracted = touched.units.iter().map(|unit| crate::ExtractedUnit {
                    unit_id: unit.conversation.unit_id.clone(),
                    root: unit.conversation.root.clone(),
                    input_hash: unit.digest.clone(),
                    extraction: extract(&unit.conversation),
                });
                Effect::Extraction(crate::ExtractionEffect {
                    as_of: touched.as_of,
                    extracted: extracted.collect(),
                    unchanged: vec![],
                    retired: touched.retired,
                })
            }
            domain::task::TaskInput::Graph { units, .. } => graph(store, units).await,
            domain::task::TaskInput::Wiki => {
                Effect::Wiki(crate::WikiEffect { end: true, ..Default::default() })
            }
            other => panic!("{other:?}"),
        };
        committed_ = committed(store, &claimed.claim, effect).await;
        waiting.append(&mut committed_.released);
    }
    assert_eq!(committed_.job.id, job.id);
    assert_eq!(committed_.job.status, domain::JobStatus::Completed);
}

async fn graph(store: &dyn Store, units: &[domain::UnitId]) -> Effect {
    let known = store.unit_knowledge(units).await.unwrap();
    let units = known.into_iter().map(|unit| crate::GraphedUnit {
        unit_id: unit.unit_id,
        as_of: unit.as_of,
        retired: unit.retired,
        mentions: unit
            .extraction
            .mentions
            .iter()
            .map(|mention| crate::MentionRow {
                entity_id: mention.entity.id("slack:T1"),
                scope: "slack:T1".into(),
                kind: mention.entity.kind,
                key: mention.entity.key.clone(),
                name: mention.name.clone(),
                count: mention.count,
                first_seen: mention.first_seen,
                last_seen: mention.last_seen,
            })
            .collect(),
        facts: unit
            .extraction
            .facts
            .iter()
            .map(|fact| crate::GraphFactRow {
                fact_id: fact.id.clone(),
                kind: fact.kind,
                published: fact.published,
                asserted_at: fact.asserted_at,
                digest: fact.text.clone(),
                entities: fact
                    .entities
                    .iter()
                    .map(|about| (about.entity.id("slack:T1"), about.role, false))
                    .chain(
                        fact.reverses.iter().map(|e| (e.id("slack:T1"), EntityRole::Mention, true)),
                    )
                    .collect(),
            })
            .collect(),
        supports: vec![],
    });
    Effect::Graph(crate::GraphEffect { units: units.collect(), dirty: vec![] })
}

pub(super) fn technology(name: &str) -> EntityRef {
    EntityRef { kind: EntityType::Technology, key: name.to_owned() }
}

/// A decision in each message that says `decision X`, or `decision X not Y`.
pub(super) fn decisions(conversation: &domain::conversation::Conversation) -> Extraction {
    let mut extraction = Extraction::default();
    for message in &conversation.messages {
        let words: Vec<&str> = message.text.split(' ').collect();
        let ["decision", chosen, rest @ ..] = words.as_slice() else { continue };
        let given_up = rest.get(1).map(|name| technology(name));
        extraction.facts.push(decision(conversation, message, chosen, given_up));
        for name in std::iter::once(*chosen).chain(rest.get(1).copied()) {
            extraction.mentions.push(EntityMention {
                entity: technology(name),
                name: format!("{name} in {}", message.id),
                count: 1,
                first_seen: message.sent_at,
                last_seen: message.sent_at,
            });
        }
    }
    extraction.facts.sort_by(|a, b| a.id.cmp(&b.id));
    extraction.mentions.sort();
    extraction.mentions.dedup_by(|a, b| a.entity == b.entity);
    extraction
}

fn decision(
    conversation: &domain::conversation::Conversation,
    message: &Message,
    chosen: &str,
    given_up: Option<EntityRef>,
) -> Fact {
    let channel = conversation.channel_id.as_str();
    Fact {
        id: Fact::id_of(channel, FactKind::Decision, &message.id, &message.text),
        kind: FactKind::Decision,
        text: message.text.clone(),
        answer: None,
        rationale: None,
        author: Person { id: Some(message.author.id.clone()), name: message.author.name.clone() },
        owner: None,
        due: None,
        status: None,
        importance: 2,
        quality: 0.9,
        published: true,
        asserted_at: message.sent_at,
        entities: vec![FactEntity { entity: technology(chosen), role: EntityRole::Subject }],
        reverses: given_up.into_iter().collect(),
        evidence: vec![Evidence {
            message_id: message.id.clone(),
            role: EvidenceRole::Primary,
            start: 0,
            end: u32::try_from(message.text.len()).unwrap(),
            quote: message.text.clone(),
        }],
    }
}

/// The stage of a released task.
pub(super) fn of_stage(committed: &Committed, stage: Stage) -> Vec<TaskRef> {
    committed.released.iter().filter(|task| task.stage == stage).cloned().collect()
}

/// A page that says something, and was made of that.
pub(super) fn rendered(kind: PageKind, content: &str) -> RenderedPage {
    RenderedPage {
        key: PageKey::only(kind),
        slug: "overview".into(),
        title: "Overview".into(),
        input_hash: content.to_owned(),
        content: content.to_owned(),
        fact_count: 0,
        citations: vec![],
    }
}
