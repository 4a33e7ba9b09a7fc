//! The embedded adapter: bounded buffers in this process.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::Stage;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{Acknowledge, Call, DeadLetter, Delivery, Queue, QueueError, Result, Subscription};

/// A queue that lives as long as its process. Cheap to clone.
#[derive(Clone)]
pub struct MemoryQueue {
    stages: [Arc<Calls>; 4],
    capacity: usize,
}

/// The calls of one stage.
#[derive(Default)]
struct Calls {
    waiting: Mutex<VecDeque<(Call, bool)>>,
    arrived: Notify,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(Call, bool)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(Call, bool)> {
        let mut waiting = self.lock();
        let call = waiting.pop_front();
        if !waiting.is_empty() {
            // One notification may stand for many calls: pass it on.
            self.arrived.notify_one();
        }
        call
    }
}

impl MemoryQueue {
    /// A queue that holds at most `capacity` waiting calls a stage.
    #[must_use]
    pub fn new(capacity: usize) -> Self {
        Self { stages: Stage::ALL.map(|_| Arc::default()), capacity }
    }

    fn calls(&self, stage: Stage) -> &Arc<Calls> {
        &self.stages[stage.index()]
    }
}

#[async_trait]
impl Queue for MemoryQueue {
    async fn publish(&self, published: &[Call]) -> Result<()> {
        // A stage that is full keeps no other from its calls.
        let mut outcome = Ok(());
        for call in published {
            let calls = self.calls(call.task.stage);
            let mut waiting = calls.lock();
            if waiting.len() >= self.capacity {
                outcome = Err(QueueError::Full);
                continue;
            }
            waiting.push_back((call.clone(), false));
            drop(waiting);
            calls.arrived.notify_one();
        }
        outcome
    }

    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>> {
        let calls = self.calls(stage).clone();
        Ok(Box::new(Consumer { calls, window: Arc::new(Semaphore::new(window.max(1))) }))
    }

    async fn depth(&self, stage: Stage) -> Result<u64> {
        Ok(self.calls(stage).lock().len() as u64)
    }

    /// Calls in memory were never encoded.
    async fn dead_letter(&self) -> Result<Option<DeadLetter>> {
        Ok(None)
    }

    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

struct Consumer {
    calls: Arc<Calls>,
    window: Arc<Semaphore>,
}

#[async_trait]
impl Subscription for Consumer {
    async fn next(&mut self) -> Result<Delivery> {
        let place = self.window.clone().acquire_owned().await.map_err(|_| QueueError::Closed)?;
        loop {
            // Registered before looking, so that no call slips in between.
            let arrived = self.calls.arrived.notified();
            if let Some((call, redelivered)) = self.calls.take() {
                let receipt =
                    Receipt { calls: self.calls.clone(), call: call.clone(), _place: place };
                return Ok(Delivery::new(call, redelivered, Box::new(receipt)));
            }
            arrived.await;
        }
    }
}

struct Receipt {
    calls: Arc<Calls>,
    call: Call,
    _place: OwnedSemaphorePermit,
}

#[async_trait]
impl Acknowledge for Receipt {
    async fn ack(self: Box<Self>) -> Result<()> {
        Ok(())
    }

    fn give_back(self: Box<Self>) {
        // Room or not: it had a place before.
        self.calls.lock().push_front((self.call.clone(), true));
        self.calls.arrived.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use domain::TaskRef;

    use super::*;

    crate::contract!(MemoryQueue::new(1_000));

    #[tokio::test]
    async fn a_full_stage_refuses_more_and_keeps_no_other_from_its_calls() {
        let queue = MemoryQueue::new(2);
        let task = |stage, seq| TaskRef { job_id: domain::JobId::random(), stage, seq };
        let graph = (1..=3).map(|seq| task(Stage::BuildingGraph, seq));
        let all: Vec<_> = graph.chain([task(Stage::GeneratingWiki, 1)]).map(Call::from).collect();
        assert!(matches!(queue.publish(&all).await, Err(QueueError::Full)));
        assert_eq!(queue.depth(Stage::BuildingGraph).await.unwrap(), 2);
        assert_eq!(queue.depth(Stage::GeneratingWiki).await.unwrap(), 1);
    }

    #[tokio::test]
    async fn a_call_given_back_to_a_full_stage_still_fits() {
        let queue = MemoryQueue::new(1);
        let task =
            |seq| TaskRef { job_id: domain::JobId::random(), stage: Stage::BuildingGraph, seq };
        let (first, second) = (task(1), task(2));
        queue.publish(&[first.clone().into()]).await.unwrap();
        let mut calls = queue.subscribe(Stage::BuildingGraph, 2).await.unwrap();
        let held = calls.next().await.unwrap();
        queue.publish(&[second.into()]).await.unwrap();
        drop(held);
        assert_eq!(calls.next().await.unwrap().task, first);
    }
}
