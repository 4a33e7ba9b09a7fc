//! Walks that compare: what is not seen is gone, and streams have marks.

use domain::{
    ChannelId, Message, MessageId, Timestamp,
    task::ClaimedTask,
    walk::{Mark, Stream, Window},
};

use super::scene::{channel, claimed, committed, message, started, walked};
use crate::{Effect, PageEffect, PageNext, Store};

async fn ids(store: &dyn Store, channel: &ChannelId) -> Vec<String> {
    let messages = store.messages(channel, None, 10).await.unwrap();
    messages.into_iter().map(|message| message.id.to_string()).collect()
}

fn window(of: Stream, from: i64, to: i64) -> Window {
    let at = |minute: i64| Timestamp::from_micros(minute * 60_000_000);
    Window { of, from: at(from), to: at(to) }
}

fn seen(minutes: &[i64]) -> Vec<MessageId> {
    minutes.iter().map(|minute| message(*minute, "").id).collect()
}

/// Begins a walk of a channel with these messages in it.
async fn walk(store: &dyn Store, said: &[Message]) -> (ChannelId, ClaimedTask) {
    let channel = channel(store).await;
    let (job, _) = walked(store, &channel, said.to_vec()).await;
    store.cancel(&job.id, None).await.unwrap();
    (channel.clone(), next_walk(store, &channel).await)
}

async fn next_walk(store: &dyn Store, channel: &ChannelId) -> ClaimedTask {
    let (_, task) = started(store, channel).await;
    claimed(store, &task).await
}

fn on(begins: bool, sightings: &[i64], walked: Vec<Window>) -> Effect {
    let next = PageNext::SameSlice("on".into());
    let page =
        PageEffect { begins, sightings: seen(sightings), walked, ..PageEffect::new(vec![], next) };
    Effect::Page(page)
}

/// The pages of a window may come in any order, and the worker may change in between.
pub async fn what_a_whole_window_has_not_seen_is_deleted(store: &dyn Store) {
    let said = [message(1, "a"), message(2, "b"), message(3, "c"), message(9, "late")];
    let (channel, fetch) = walk(store, &said).await;
    committed(store, &fetch.claim, on(true, &[3], vec![])).await;
    assert_eq!(ids(store, &channel).await.len(), 4, "not before the window is walked to its end");
    store.give_back(&fetch.claim).await.unwrap();
    let fetch = claimed(store, &fetch.claim.task).await;
    let after =
        committed(store, &fetch.claim, on(false, &[1], vec![window(Stream::TopLevel, 1, 5)])).await;
    assert_eq!(ids(store, &channel).await, ["000009", "000003", "000001"]);
    assert_eq!(after.job.total_messages, 1, "a deletion goes through the stages");
    let gone = store.messages_by_id(&channel, &seen(&[2])).await.unwrap().remove(0);
    assert!(gone.deleted_at.is_some() && gone.text.is_empty());
}

/// What an earlier walk has seen says nothing about the next.
pub async fn every_walk_sees_for_itself(store: &dyn Store) {
    let (channel, fetch) = walk(store, &[message(1, "a"), message(2, "b")]).await;
    let all = || window(Stream::Everything, 0, 5);
    committed(store, &fetch.claim, on(true, &[1, 2], vec![all()])).await;
    store.cancel(&fetch.claim.task.job_id, None).await.unwrap();
    let fetch = next_walk(store, &channel).await;
    committed(store, &fetch.claim, on(true, &[2], vec![all()])).await;
    assert_eq!(ids(store, &channel).await, ["000002"]);
}

/// A platform may hide a message for a while.
pub async fn a_missing_message_comes_back_when_it_is_seen_again(store: &dyn Store) {
    let (channel, fetch) = walk(store, &[message(1, "a")]).await;
    let all = vec![window(Stream::Everything, 0, 5)];
    committed(store, &fetch.claim, on(true, &[], all)).await;
    assert!(ids(store, &channel).await.is_empty());
    store.cancel(&fetch.claim.task.job_id, None).await.unwrap();
    walked(store, &channel, vec![message(1, "a")]).await;
    let back = store.message(&channel, &message(1, "").id).await.unwrap().unwrap();
    assert_eq!(back, message(1, "a"));
}

/// A window of one stream says nothing about the others.
pub async fn a_window_is_of_one_stream(store: &dyn Store) {
    let root = message(1, "").id;
    let of_thread = |n: i64| Message { thread_id: Some(root.clone()), ..message(n, "re") };
    let said = [of_thread(1), of_thread(2), of_thread(3), message(4, "d")];
    let (channel, fetch) = walk(store, &said).await;
    let thread = window(Stream::Thread(root.clone()), 0, 9);
    committed(store, &fetch.claim, on(true, &[2], vec![thread])).await;
    assert_eq!(ids(store, &channel).await, ["000004", "000002", "000001"]);
    let newest = store.newest_of(&channel, &Stream::TopLevel).await.unwrap();
    assert_eq!(newest.unwrap().0, message(4, "").id);
    let newest = store.newest_of(&channel, &Stream::Thread(root)).await.unwrap();
    assert_eq!(newest.unwrap().0, message(2, "").id);
    committed(store, &fetch.claim, on(false, &[1], vec![window(Stream::TopLevel, 0, 9)])).await;
    assert_eq!(ids(store, &channel).await, ["000002", "000001"]);
}

/// Marks move with their page or not at all.
pub async fn a_mark_moves_with_its_page(store: &dyn Store) {
    let (channel, fetch) = walk(store, &[]).await;
    let mark = |stream: &str, mark: Option<&str>| Mark {
        stream: stream.into(),
        mark: mark.map(str::to_owned),
    };
    let page = |marks| {
        let next = PageNext::SameSlice("on".into());
        Effect::Page(PageEffect { marks, ..PageEffect::new(vec![], next) })
    };
    let marks =
        vec![mark("thread:1", Some("a")), mark("thread:2", Some("b")), mark("sweep", Some("c"))];
    committed(store, &fetch.claim, page(marks)).await;
    committed(store, &fetch.claim, page(vec![mark("thread:1", None), mark("sweep", Some("d"))]))
        .await;
    store.cancel(&fetch.claim.task.job_id, None).await.unwrap();
    let late = store.commit(&fetch.claim, page(vec![mark("sweep", Some("late"))])).await.unwrap();
    assert!(late.is_none());
    let asked = ["sweep".to_owned(), "thread:1".to_owned(), "thread:2".to_owned()];
    let known = store.marks(&channel, &asked).await.unwrap();
    assert_eq!(known, [Some("d".to_owned()), None, Some("b".to_owned())]);
    let under = store.marks_under(&channel, "thread:", None, 10).await.unwrap();
    assert_eq!(under, [("thread:2".to_owned(), "b".to_owned())]);
    assert!(store.marks_under(&channel, "thread:", Some("thread:2"), 10).await.unwrap().is_empty());
}
