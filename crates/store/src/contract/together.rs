//! Tasks whose claims and commits arrive at the same time: each stands by itself.

use std::time::{Duration, Instant};

use domain::{
    ChannelId, ClaimToken, Platform, Stage, TaskRef, TraceContext, page::PageKind, task::Claim,
};

use super::scene::{LEASE, claimed, message, named_channel, page, rendered, started, wanted};
use crate::{Committed, Effect, NewChannel, NewJob, Result, Store, Triggered, WikiEffect};

/// More than any adapter writes one by one.
const MANY: usize = 24;

/// Channels of one workspace, and the first task of a job of each.
async fn many(store: &dyn Store) -> Vec<(ChannelId, TaskRef)> {
    let connection =
        store.ensure_connection(None, Platform::Slack, "T1", "test").await.unwrap().unwrap();
    let named = |n| NewChannel {
        external_id: format!("C{n:02}"),
        name: format!("team-{n}"),
        topic: String::new(),
    };
    let new: Vec<_> = (0..MANY).map(named).collect();
    let mut tasks = Vec::new();
    for channel in store.register_channels(&connection.id, &new).await.unwrap() {
        let (_, task) = started(store, &channel.id).await;
        tasks.push((channel.id, task));
    }
    tasks
}

async fn all_at_once(
    store: &dyn Store,
    effects: Vec<(Claim, Effect)>,
) -> Vec<Result<Option<Committed>>> {
    let commits = effects
        .into_iter()
        .map(|(claim, effect)| async move { store.commit(&claim, effect).await });
    futures_util::future::join_all(commits).await
}

/// Whoever else is claimed in the same moment, and however often one task is asked for.
pub async fn tasks_that_are_claimed_together_are_claimed_once_each(store: &dyn Store) {
    let tasks = many(store).await;
    let twice = tasks.iter().chain(&tasks).map(|(_, task)| store.claim(task, "worker", LEASE));
    let claimed = futures_util::future::join_all(twice).await;
    let mut won: Vec<_> =
        claimed.into_iter().filter_map(Result::unwrap).map(|(task, _)| task.claim.task).collect();
    won.sort();
    let mut wanted: Vec<_> = tasks.into_iter().map(|(_, task)| task).collect();
    wanted.sort();
    assert_eq!(won, wanted);
}

/// A worker goes on in the trace of what it was called for by.
pub async fn each_task_of_many_tells_its_wait_and_the_trace_of_its_job(store: &dyn Store) {
    let trace = |n: usize| TraceContext::new(n as u128, 1, 1);
    let mut tasks = Vec::new();
    for n in 0..MANY {
        let channel = named_channel(store, &format!("C{n:02}")).await;
        // The first one's caller traces nothing.
        let new = NewJob { trace: trace(n), ..wanted(&channel) };
        let Triggered::Started(_, mut first) = store.trigger(new).await.unwrap() else {
            panic!("there is no other job")
        };
        tasks.push(first.remove(0));
    }
    let begun = Instant::now();
    let least = Duration::from_millis(20);
    tokio::time::sleep(least).await;
    let claims = tasks.iter().map(|task| store.claim(task, "gone", Duration::ZERO));
    for (n, claimed) in futures_util::future::join_all(claims).await.into_iter().enumerate() {
        let (claimed, _) = claimed.unwrap().unwrap();
        assert_eq!((&claimed.claim.task, &claimed.trace), (&tasks[n], &trace(n)));
        assert!(claimed.waited >= least, "{:?}", claimed.waited);
    }

    // While a worker held it, it did not wait for one.
    assert_eq!(store.expire_leases().await.unwrap().expired, MANY as u64);
    tokio::time::sleep(least).await;
    let again = claimed(store, &tasks[1]).await;
    assert_eq!(again.trace, trace(1));
    assert!((least..begun.elapsed() - least).contains(&again.waited), "{:?}", again.waited);
}

/// A forged claim and a cancelled job among many: these write nothing, the others all of theirs.
pub async fn each_task_of_many_has_its_own_fence(store: &dyn Store) {
    let tasks = many(store).await;
    let mut effects = Vec::new();
    for (n, (channel, task)) in tasks.iter().enumerate() {
        let mut claim = claimed(store, task).await.claim;
        if n == 5 {
            claim.token = ClaimToken::random();
        }
        effects.push((claim, page(vec![message(1, &format!("in {channel}"))])));
    }
    store.cancel(&tasks[9].1.job_id, None).await.unwrap();
    let outcomes = all_at_once(store, effects).await;
    for (n, ((channel, task), outcome)) in tasks.iter().zip(outcomes).enumerate() {
        let stored = store.messages(channel, None, 10).await.unwrap();
        let outcome = outcome.unwrap();
        if [5, 9].contains(&n) {
            assert!(outcome.is_none() && stored.is_empty(), "{channel}");
            continue;
        }
        let committed = outcome.unwrap();
        assert_eq!(committed.job.id, task.job_id);
        assert_eq!(committed.job.total_messages, 1);
        let batch = TaskRef { stage: Stage::ExtractingFacts, seq: 1, ..task.clone() };
        assert_eq!(committed.released, [batch]);
        assert_eq!(stored[0].text, format!("in {channel}"));
    }
}

/// Pages for which no addresses are left cannot be stored; the others' can.
pub async fn an_effect_that_cannot_be_written_does_not_stop_others(store: &dyn Store) {
    let tasks = many(store).await;
    let mut effects = Vec::new();
    for (n, (channel, task)) in tasks.iter().enumerate() {
        let mut pages = vec![rendered(PageKind::Overview, channel.as_str())];
        if n == 7 {
            // The second is given another address, the third would have that one too.
            pages.push(rendered(PageKind::Decisions, "again"));
            pages.push(rendered(PageKind::Timeline, "and again"));
        }
        let wiki = WikiEffect { pages, ..WikiEffect::default() };
        effects.push((claimed(store, task).await.claim, Effect::Wiki(wiki)));
    }
    let outcomes = all_at_once(store, effects.clone()).await;
    for (n, ((channel, _), outcome)) in tasks.iter().zip(outcomes).enumerate() {
        let stored = store.page(channel, "overview", None).await.unwrap();
        if n == 7 {
            assert!(outcome.is_err() && stored.is_none());
            continue;
        }
        assert_eq!(outcome.unwrap().unwrap().job.counts.pages, 1);
        assert_eq!(stored.unwrap().content, channel.as_str());
    }
    // Its claim still holds: it can be said better.
    let (claim, _) = effects.swap_remove(7);
    let wiki =
        WikiEffect { pages: vec![rendered(PageKind::Overview, "once")], ..WikiEffect::default() };
    assert!(store.commit(&claim, Effect::Wiki(wiki)).await.unwrap().is_some());
}
