//! The queue inside the process: every role must run in it.
//!
//! Nothing of it outlives the process, and nothing has to: an embedded start takes its own leases
//! back and the sweep calls for what is ready.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{Stage, TaskRef};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{Acknowledge, Delivery, Queue, QueueError, Result, Subscription};

/// A bounded queue a stage, in memory.
///
/// A call that is given back goes to the front and always fits: beyond its capacity a stage holds
/// at most what its consumers' windows held.
#[derive(Debug)]
pub struct MemoryQueue {
    stages: [Arc<StageCalls>; Stage::ALL.len()],
}

impl MemoryQueue {
    /// An empty queue that holds at most `capacity` calls a stage.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { stages: std::array::from_fn(|_| Arc::new(StageCalls::new(capacity))) }
    }

    fn calls(&self, stage: Stage) -> &Arc<StageCalls> {
        &self.stages[stage.index()]
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, tasks: &[TaskRef]) -> Result<()> {
        // A stage that is full must not keep the others from their calls.
        let mut full = false;
        for task in tasks {
            full |= !self.calls(task.stage).push(task.clone());
        }
        if full { Err(QueueError::Full) } else { Ok(()) }
    }

    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>> {
        let window = window.clamp(1, Semaphore::MAX_PERMITS);
        Ok(Box::new(MemorySubscription {
            calls: Arc::clone(self.calls(stage)),
            window: Arc::new(Semaphore::new(window)),
        }))
    }

    async fn depth(&self, stage: Stage) -> Result<u64> {
        Ok(self.calls(stage).lock().len() as u64)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

/// A call that waits.
#[derive(Debug)]
struct Call {
    task: TaskRef,
    redelivered: bool,
}

/// The calls of one stage.
#[derive(Debug)]
struct StageCalls {
    waiting: Mutex<VecDeque<Call>>,
    /// Told once for every call that comes in.
    arrived: Notify,
    capacity: usize,
}

impl StageCalls {
    fn new(capacity: usize) -> Self {
        Self { waiting: Mutex::default(), arrived: Notify::new(), capacity }
    }

    fn lock(&self) -> MutexGuard<'_, VecDeque<Call>> {
        // Nothing can panic halfway through a change of a deque, so a poisoned one is whole.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `false` when there is no room.
    fn push(&self, task: TaskRef) -> bool {
        let mut waiting = self.lock();
        if waiting.len() >= self.capacity {
            return false;
        }
        waiting.push_back(Call { task, redelivered: false });
        drop(waiting);
        self.arrived.notify_one();
        true
    }

    fn give_back(&self, task: TaskRef) {
        self.lock().push_front(Call { task, redelivered: true });
        self.arrived.notify_one();
    }

    async fn pop(&self) -> Call {
        loop {
            let mut arrived = std::pin::pin!(self.arrived.notified());
            // In line before looking: a call that comes between the look and the wait is noticed.
            arrived.as_mut().enable();
            let call = self.lock().pop_front();
            match call {
                Some(call) => return call,
                None => arrived.await,
            }
        }
    }
}

struct MemorySubscription {
    calls: Arc<StageCalls>,
    window: Arc<Semaphore>,
}

#[async_trait]
impl Subscription for MemorySubscription {
    async fn next(&mut self) -> Result<Delivery> {
        let place =
            Arc::clone(&self.window).acquire_owned().await.map_err(|_closed| QueueError::Closed)?;
        // Nothing is awaited once the call is taken: a dropped future has taken none.
        let Call { task, redelivered } = self.calls.pop().await;
        let handle = Held { calls: Arc::clone(&self.calls), task: task.clone(), _place: place };
        Ok(Delivery::new(task, redelivered, Box::new(handle)))
    }
}

/// A call in a consumer's hands, and the place in the window that it takes up.
struct Held {
    calls: Arc<StageCalls>,
    task: TaskRef,
    _place: OwnedSemaphorePermit,
}

#[async_trait]
impl Acknowledge for Held {
    async fn ack(self: Box<Self>) -> Result<()> {
        Ok(())
    }

    fn give_back(self: Box<Self>) {
        let Self { calls, task, _place } = *self;
        calls.give_back(task);
    }
}

#[cfg(test)]
mod tests {
    use domain::JobId;

    use super::*;

    crate::contract!(Arc::new(MemoryQueue::new(10_000)));

    fn tasks(stage: Stage, count: i64) -> Vec<TaskRef> {
        let job_id = JobId::random();
        (1..=count).map(|seq| TaskRef { job_id: job_id.clone(), stage, seq }).collect()
    }

    #[tokio::test]
    async fn a_full_stage_refuses_the_rest_and_leaves_the_others_alone() {
        let queue = MemoryQueue::new(2);
        let mut all = tasks(Stage::ExtractingFacts, 3);
        all.extend(tasks(Stage::BuildingGraph, 1));
        assert!(matches!(queue.publish(&all).await, Err(QueueError::Full)));
        assert_eq!(queue.depth(Stage::ExtractingFacts).await.unwrap(), 2);
        assert_eq!(queue.depth(Stage::BuildingGraph).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_call_given_back_to_a_full_stage_still_fits() {
        let queue = MemoryQueue::new(1);
        let all = tasks(Stage::FetchingMessages, 2);
        queue.publish(&all[..1]).await.unwrap();
        let mut consumer = queue.subscribe(Stage::FetchingMessages, 2).await.unwrap();
        let held = consumer.next().await.unwrap();
        queue.publish(&all[1..]).await.unwrap();
        drop(held);
        assert_eq!(consumer.next().await.unwrap().task, all[0]);
    }

    #[tokio::test]
    async fn a_window_of_nothing_still_lets_one_through() {
        let queue = MemoryQueue::new(1);
        queue.publish(&tasks(Stage::GeneratingWiki, 1)).await.unwrap();
        let mut consumer = queue.subscribe(Stage::GeneratingWiki, 0).await.unwrap();
        assert_eq!(consumer.next().await.unwrap().task.seq, 1);
    }
}
