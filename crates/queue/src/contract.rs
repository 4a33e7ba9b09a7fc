//! What every queue must do.
//!
//! Plain functions, each on a fresh queue; [`contract!`](crate::contract!) makes tests of them.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "these are tests")]

use std::{collections::BTreeSet, task::Poll, time::Duration};

use domain::{JobId, Stage, TaskRef};

use crate::{Call, Delivery, Queue, Subscription};

/// Longest wait for what must come.
const SOON: Duration = Duration::from_secs(20);

/// Makes a test of every rule. The expression makes a fresh queue and may await.
#[macro_export]
macro_rules! contract {
    ($fresh:expr) => {
        $crate::contract!(@each $fresh;
            a_call_reaches_a_subscriber,
            a_call_of_one_stage_does_not_reach_another,
            a_dropped_delivery_is_delivered_again,
            an_acknowledged_delivery_does_not_come_again,
            subscribers_share_the_calls,
            no_more_than_the_window_is_delivered_unacknowledged,
            a_dropped_wait_loses_nothing,
            the_depth_counts_what_waits,
            a_call_carries_its_trace_however_often_it_is_delivered,
        );
    };
    (@each $fresh:expr; $($name:ident),* $(,)?) => {
        $(
            #[tokio::test]
            async fn $name() {
                $crate::contract::$name(&$fresh).await;
            }
        )*
    };
}

fn tasks(stage: Stage, count: i64) -> Vec<TaskRef> {
    let job_id = JobId::random();
    (1..=count).map(|seq| TaskRef { job_id: job_id.clone(), stage, seq }).collect()
}

fn calls_for(tasks: &[TaskRef]) -> Vec<Call> {
    Call::all(tasks, None)
}

async fn soon(calls: &mut Box<dyn Subscription>) -> Delivery {
    tokio::time::timeout(SOON, calls.next())
        .await
        .expect("a call comes")
        .expect("the queue answers")
}

/// A broker counts a message a moment after it took it.
async fn until_depth(queue: &dyn Queue, stage: Stage, depth: u64) {
    let reached = async {
        while queue.depth(stage).await.unwrap() != depth {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(SOON, reached).await.expect("the depth is reached");
}

/// Polls once: whether anything is there already.
async fn at_once(calls: &mut Box<dyn Subscription>) -> Option<Delivery> {
    let mut next = calls.next();
    std::future::poll_fn(|context| match next.as_mut().poll(context) {
        Poll::Ready(delivery) => Poll::Ready(delivery.ok()),
        Poll::Pending => Poll::Ready(None),
    })
    .await
}

/// The simplest case, whichever of the two comes first.
pub async fn a_call_reaches_a_subscriber(queue: &dyn Queue) {
    let sent = tasks(Stage::ExtractingFacts, 2);
    queue.publish(&calls_for(&sent[..1])).await.unwrap();
    let mut calls = queue.subscribe(Stage::ExtractingFacts, 8).await.unwrap();
    let first = soon(&mut calls).await;
    assert_eq!((&first.task, first.redelivered), (&sent[0], false));
    queue.publish(&calls_for(&sent[1..])).await.unwrap();
    assert_eq!(soon(&mut calls).await.task, sent[1]);
    first.ack().await.unwrap();
}

/// Each stage is scaled by itself.
pub async fn a_call_of_one_stage_does_not_reach_another(queue: &dyn Queue) {
    let graph = tasks(Stage::BuildingGraph, 1);
    let wiki = tasks(Stage::GeneratingWiki, 1);
    let both = [graph.clone(), wiki.clone()].concat();
    queue.publish(&calls_for(&both)).await.unwrap();
    let mut calls = queue.subscribe(Stage::GeneratingWiki, 8).await.unwrap();
    assert_eq!(soon(&mut calls).await.task, wiki[0]);
    until_depth(queue, Stage::BuildingGraph, 1).await;
}

/// A worker that vanishes takes no call with it.
pub async fn a_dropped_delivery_is_delivered_again(queue: &dyn Queue) {
    let sent = tasks(Stage::FetchingMessages, 1);
    queue.publish(&calls_for(&sent)).await.unwrap();
    let mut calls = queue.subscribe(Stage::FetchingMessages, 1).await.unwrap();
    drop(soon(&mut calls).await);
    let again = soon(&mut calls).await;
    assert_eq!((&again.task, again.redelivered), (&sent[0], true));
}

/// An answered call is answered.
pub async fn an_acknowledged_delivery_does_not_come_again(queue: &dyn Queue) {
    let sent = tasks(Stage::FetchingMessages, 2);
    queue.publish(&calls_for(&sent[..1])).await.unwrap();
    let mut calls = queue.subscribe(Stage::FetchingMessages, 8).await.unwrap();
    soon(&mut calls).await.ack().await.unwrap();
    queue.publish(&calls_for(&sent[1..])).await.unwrap();
    assert_eq!(soon(&mut calls).await.task, sent[1]);
}

/// Every call goes to exactly one of them.
pub async fn subscribers_share_the_calls(queue: &dyn Queue) {
    let sent = tasks(Stage::ExtractingFacts, 10);
    let mut one = queue.subscribe(Stage::ExtractingFacts, 5).await.unwrap();
    let mut other = queue.subscribe(Stage::ExtractingFacts, 5).await.unwrap();
    queue.publish(&calls_for(&sent)).await.unwrap();
    let mut held = Vec::new();
    for _ in 0..5 {
        held.push(soon(&mut one).await);
        held.push(soon(&mut other).await);
    }
    let seen: BTreeSet<_> = held.iter().map(|delivery| delivery.task.clone()).collect();
    assert_eq!(seen, sent.into_iter().collect());
}

/// A slow worker does not hoard.
pub async fn no_more_than_the_window_is_delivered_unacknowledged(queue: &dyn Queue) {
    let sent = tasks(Stage::BuildingGraph, 3);
    queue.publish(&calls_for(&sent)).await.unwrap();
    let mut calls = queue.subscribe(Stage::BuildingGraph, 2).await.unwrap();
    let first = soon(&mut calls).await;
    let _second = soon(&mut calls).await;
    assert!(at_once(&mut calls).await.is_none());
    first.ack().await.unwrap();
    assert_eq!(soon(&mut calls).await.task, sent[2]);
}

/// A consumer waits beside other things and may stop waiting.
pub async fn a_dropped_wait_loses_nothing(queue: &dyn Queue) {
    let mut calls = queue.subscribe(Stage::BuildingGraph, 1).await.unwrap();
    assert!(at_once(&mut calls).await.is_none());
    let sent = tasks(Stage::BuildingGraph, 1);
    queue.publish(&calls_for(&sent)).await.unwrap();
    assert_eq!(soon(&mut calls).await.task, sent[0]);
}

/// What the sweep measures its repairs by.
pub async fn the_depth_counts_what_waits(queue: &dyn Queue) {
    assert_eq!(queue.depth(Stage::BuildingGraph).await.unwrap(), 0);
    queue.publish(&calls_for(&tasks(Stage::BuildingGraph, 3))).await.unwrap();
    until_depth(queue, Stage::BuildingGraph, 3).await;
    queue.ping().await.unwrap();
}

/// From who called to who answers, so that one trace tells of both.
pub async fn a_call_carries_its_trace_however_often_it_is_delivered(queue: &dyn Queue) {
    let sent = tasks(Stage::FetchingMessages, 2);
    let trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01".parse().unwrap();
    queue.publish(&Call::all(&sent[..1], Some(&trace))).await.unwrap();
    let mut calls = queue.subscribe(Stage::FetchingMessages, 1).await.unwrap();
    let first = soon(&mut calls).await;
    assert_eq!(first.trace.as_ref(), Some(&trace));
    drop(first);
    let again = soon(&mut calls).await;
    assert_eq!((again.redelivered, again.trace.as_ref()), (true, Some(&trace)));
    again.ack().await.unwrap();
    queue.publish(&calls_for(&sent[1..])).await.unwrap();
    assert_eq!(soon(&mut calls).await.trace, None);
}
