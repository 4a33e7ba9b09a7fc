//! The embedded adapter: bounded buffers in this process.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use domain::{Stage, TaskRef};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::{Acknowledge, Delivery, Queue, QueueError, Result, Subscription};

/// A queue that lives as long as its process. Cheap to clone.
#[derive(Clone)]
pub struct MemoryQueue {
    stages: [Arc<Calls>; 4],
    capacity: usize,
}

/// The calls of one stage.
#[derive(Default)]
struct Calls {
    waiting: Mutex<VecDeque<(TaskRef, bool)>>,
    arrived: Notify,
}

impl Calls {
    fn lock(&self) -> MutexGuard<'_, VecDeque<(TaskRef, bool)>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn take(&self) -> Option<(TaskRef, bool)> {
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
    async fn publish(&self, tasks: &[TaskRef]) -> Result<()> {
        for task in tasks {
            let calls = self.calls(task.stage);
            let mut waiting = calls.lock();
            if waiting.len() >= self.capacity {
                return Err(QueueError::Full);
            }
            waiting.push_back((task.clone(), false));
            drop(waiting);
            calls.arrived.notify_one();
        }
        Ok(())
    }

    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>> {
        let calls = self.calls(stage).clone();
        Ok(Box::new(Consumer { calls, window: Arc::new(Semaphore::new(window.max(1))) }))
    }

    async fn depth(&self, stage: Stage) -> Result<u64> {
        Ok(self.calls(stage).lock().len() as u64)
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
            if let Some((task, redelivered)) = self.calls.take() {
                let receipt =
                    Receipt { calls: self.calls.clone(), task: task.clone(), _place: place };
                return Ok(Delivery::new(task, redelivered, Box::new(receipt)));
            }
            arrived.await;
        }
    }
}

struct Receipt {
    calls: Arc<Calls>,
    task: TaskRef,
    _place: OwnedSemaphorePermit,
}

#[async_trait]
impl Acknowledge for Receipt {
    async fn ack(self: Box<Self>) -> Result<()> {
        Ok(())
    }

    fn give_back(self: Box<Self>) {
        // Room or not: it had a place before.
        self.calls.lock().push_front((self.task.clone(), true));
        self.calls.arrived.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    crate::contract!(MemoryQueue::new(1_000));

    #[tokio::test]
    async fn a_full_queue_refuses_more() {
        let queue = MemoryQueue::new(2);
        let task =
            |seq| TaskRef { job_id: domain::JobId::random(), stage: Stage::BuildingGraph, seq };
        let outcome = queue.publish(&[task(1), task(2), task(3)]).await;
        assert!(matches!(outcome, Err(QueueError::Full)));
        assert_eq!(queue.depth(Stage::BuildingGraph).await.unwrap(), 2);
    }
}
