//! What is asked at the same time: each is answered as if it were the only one.

use std::collections::BTreeSet;

use domain::{
    ChannelId, KeyId, UnitId,
    batch::Seed,
    fact::FactKind,
    page::{PageKey, PageKind},
};
use futures_util::future::{join_all, try_join_all};

use super::scene::{
    claimed, committed, decisions, message, named_channel, rendered, started, through, wanted,
};
use crate::{
    Effect, GraphEffect, Idempotency, NewJob, SceneBounds, Store, Triggered, WikiEffect, WikiState,
};

/// More than any adapter answers one by one.
pub(super) const MANY: i64 = 24;

const BOUNDS: SceneBounds =
    SceneBounds { facts_of_a_topic: 1, topics: 2, contributors: 2, facts: 2, relationships: 2 };

/// Channels, each one decision richer than the one before.
async fn many(store: &dyn Store) -> Vec<ChannelId> {
    let mut channels = Vec::new();
    for n in 0..MANY {
        let channel = named_channel(store, &format!("C{n:02}")).await;
        let said =
            (1..=n % 4).map(|minute| message(minute * 600, &format!("decision tool-{n}-{minute}")));
        through(store, &channel, said.collect(), decisions).await;
        channels.push(channel);
    }
    channels
}

/// A channel twice in the same moment, a key twice, and what is not there.
pub async fn requests_for_jobs_at_the_same_time_are_told_apart(store: &dyn Store) {
    let mut channels = Vec::new();
    for n in 0..MANY {
        channels.push(named_channel(store, &format!("C{n:02}")).await);
    }
    let key_id = KeyId::random();
    let under_a_key = |channel: &ChannelId| NewJob {
        idempotency: Some(Idempotency {
            key_id: key_id.clone(),
            route: "POST /api/sync",
            key: channel.to_string(),
            request_hash: channel.to_string(),
        }),
        ..wanted(channel)
    };
    let (keyed, plain) = channels.split_at(channels.len() / 2);
    let twice =
        keyed.iter().chain(keyed).map(under_a_key).chain(plain.iter().chain(plain).map(wanted));
    let asked = twice.chain([wanted(&"C99".into())]).map(|new| store.trigger(new));
    let mut answers = try_join_all(asked).await.unwrap();
    assert!(matches!(answers.pop(), Some(Triggered::ChannelNotFound)));
    let started: Vec<_> = answers
        .iter()
        .filter_map(|answer| match answer {
            Triggered::Started(job, tasks) => Some((&job.channel_id, &job.id, &tasks[0])),
            _ => None,
        })
        .collect();
    let of: BTreeSet<_> = started.iter().map(|(channel, ..)| *channel).collect();
    assert_eq!((started.len(), of.len()), (channels.len(), channels.len()));
    for answer in &answers {
        let known = |id| started.iter().any(|(_, job, _)| *job == id);
        match answer {
            Triggered::Started(job, _) => assert!(known(&job.id)),
            Triggered::Replayed(job, estimate) => {
                assert!(known(&job.id) && keyed.contains(&job.channel_id));
                assert_eq!(*estimate, Some(7));
            }
            Triggered::InProgress(job) => assert!(known(job)),
            other => panic!("{other:?}"),
        }
    }
    for (_, job, task) in started {
        assert_eq!(&claimed(store, task).await.claim.task.job_id, job);
    }
}

/// Whatever others ask for.
pub async fn what_stages_ask_at_the_same_time_is_answered_to_each(store: &dyn Store) {
    let channels = many(store).await;
    let nobody: ChannelId = "C99".into();
    let asked: Vec<&ChannelId> = channels.iter().chain([&nobody]).collect();

    let starts = join_all(asked.iter().map(|channel| store.walk_start(channel))).await;
    for (channel, start) in asked.iter().zip(starts) {
        let start = start.unwrap().map(|start| (start.channel.id, start.watermark));
        let expected = (**channel != nobody).then(|| ((*channel).clone(), Some("mark".into())));
        assert_eq!(start, expected);
    }
    let scenes = join_all(asked.iter().map(|channel| store.wiki_scene(channel, &BOUNDS))).await;
    for (n, (channel, scene)) in asked.iter().zip(scenes).enumerate() {
        let Some(scene) = scene.unwrap() else {
            assert_eq!(**channel, nobody);
            continue;
        };
        let decided = (n % 4).min(2);
        assert_eq!((&scene.channel.id, scene.published.len()), (*channel, decided));
        assert_eq!((scene.topics.len(), scene.contributors.len()), (decided, decided.min(1)));
        let newest = (1..=n % 4).rev().map(|minute| format!("tool-{n}-{minute}"));
        let texts = scene.published.iter().map(|fact| &fact.fact.text);
        assert!(texts.zip(newest).all(|(text, tool)| text.contains(&tool)), "{scene:?}");
        assert!(scene.published.iter().all(|fact| fact.fact.kind == FactKind::Decision));
    }
    let units = join_all(asked.iter().map(|channel| async {
        let unit = UnitId::derive(&[channel.as_str(), "000600"]);
        store.unit_knowledge(&[unit]).await.unwrap()
    }));
    for (n, known) in units.await.into_iter().enumerate() {
        let first = n % 4 > 0 && n < channels.len();
        assert_eq!(known.len(), usize::from(first), "{n}");
        assert!(
            known.iter().all(|unit| unit.extraction.facts[0].text.contains(&format!("tool-{n}-1")))
        );
    }
}

/// Each batch is of its own channel, or of another part of the same.
pub async fn batches_that_are_read_at_the_same_time_touch_their_own_units(store: &dyn Store) {
    let channels = many(store).await;
    let seed = |minute: i64| Seed { message_id: message(minute * 600, "").id, change_seq: 1 };
    let batches = channels.iter().flat_map(|channel| [1, 2].map(|n| (channel, [seed(n)])));
    let batches: Vec<_> = batches.collect();
    let read = batches.iter().map(|(channel, seeds)| store.touched_units(channel, seeds));
    for (place, touched) in join_all(read).await.into_iter().enumerate() {
        let (n, minute) = (place / 2, [1, 2][place % 2]);
        let touched = touched.unwrap();
        let roots: Vec<_> = touched.units.iter().map(|unit| &unit.conversation.root).collect();
        if n % 4 <= place % 2 {
            assert!(roots.is_empty(), "{n}: {roots:?}");
            continue;
        }
        assert!(roots.contains(&&seed(minute).message_id), "{n}: {roots:?}");
        assert!(touched.units.iter().all(|unit| unit.conversation.channel_id == channels[n]));
    }
}

/// The pages of the others, and what is dirty of them, stay theirs.
pub async fn wikis_that_are_looked_at_at_the_same_time_tell_their_own_pages(store: &dyn Store) {
    let dirty = |channel: &ChannelId| PageKey { kind: PageKind::Topic, key: channel.to_string() };
    let mut channels = Vec::new();
    for n in 0..MANY {
        let channel = named_channel(store, &format!("C{n:02}")).await;
        let (_, task) = started(store, &channel).await;
        let claim = claimed(store, &task).await.claim;
        let pages = vec![rendered(PageKind::Overview, channel.as_str())];
        committed(store, &claim, Effect::Wiki(WikiEffect { pages, ..WikiEffect::default() })).await;
        let graph = GraphEffect { units: vec![], dirty: vec![dirty(&channel)] };
        committed(store, &claim, Effect::Graph(graph)).await;
        channels.push(channel);
    }
    let nobody: ChannelId = "C99".into();
    let asked = channels.iter().chain([&nobody]);
    let states = try_join_all(asked.map(|channel| store.wiki_state(channel))).await.unwrap();
    assert_eq!(states.last(), Some(&WikiState::default()));
    for (channel, state) in channels.iter().zip(states) {
        assert_eq!(state.dirty.pages, [dirty(channel)]);
        let hashes: Vec<_> = state.pages.iter().map(|page| &page.input_hash).collect();
        assert_eq!(hashes, [channel.as_str()]);
    }
}
