//! What has arrived while the transactions before it ran goes into one transaction.
//!
//! What binds a server is the number of transactions, and what binds a worker the number of statements. A
//! request that comes alone waits for no company; those that come while others are answered share the next
//! transaction, which gives them a moment to arrive: what was answered together asks again together.
//! Whatever goes wrong with that, each is then made by itself: none suffers from another.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use futures_util::future::join_all;
use tokio::sync::oneshot;

use crate::{Result, StoreError};

/// Requests of one transaction at most.
const TOGETHER: usize = 64;

/// How long a transaction waits for company where the one before it had some.
const MOMENT: Duration = Duration::from_millis(1);

/// A request that may share a transaction with others.
pub(super) trait Together: Send + 'static {
    /// Whether it may with these.
    fn goes_with(&self, _others: &[Self]) -> bool
    where
        Self: Sized,
    {
        true
    }
}

/// Requests of one kind. Cheap to clone.
pub(super) struct Gathering<Q, A> {
    inner: Arc<Inner<Q, A>>,
}

struct Inner<Q, A> {
    /// Transactions at the same time.
    at_once: usize,
    state: Mutex<State<Q, A>>,
}

/// Who waits for an answer.
type Asker<A> = oneshot::Sender<Result<A>>;

struct State<Q, A> {
    waiting: VecDeque<(Q, Asker<A>)>,
    running: usize,
    /// Whether the last transaction was of several requests.
    company: bool,
}

/// A place among those who write at the same time; given up also when the writing breaks off.
struct Turn<Q, A> {
    inner: Arc<Inner<Q, A>>,
    over: bool,
}

impl<Q: Together, A: Send + 'static> Gathering<Q, A> {
    pub(super) fn new(at_once: usize) -> Self {
        let state = Mutex::new(State { waiting: VecDeque::new(), running: 0, company: false });
        Self { inner: Arc::new(Inner { at_once, state }) }
    }

    /// Answers a request, by `write` on it and others. Dropping this does not stop the writing.
    pub(super) async fn ask<W, F>(&self, request: Q, write: W) -> Result<A>
    where
        W: Fn(Vec<Q>) -> F + Send + Sync + 'static,
        F: Future<Output = (Vec<Q>, Result<Vec<A>>)> + Send + 'static,
    {
        let (sender, answer) = oneshot::channel();
        if let Some(turn) = self.inner.add(request, sender) {
            tokio::spawn(turn.write_all(write));
        }
        // Its turn has broken off.
        answer.await.unwrap_or_else(|gone| Err(StoreError::Unavailable(Box::new(gone))))
    }
}

impl<Q: Together, A: Send + 'static> Inner<Q, A> {
    fn state(&self) -> MutexGuard<'_, State<Q, A>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a request; answers with a turn when there is a place to write it at once.
    fn add(self: &Arc<Self>, request: Q, answer: Asker<A>) -> Option<Turn<Q, A>> {
        let mut state = self.state();
        state.waiting.push_back((request, answer));
        if state.running >= self.at_once {
            return None;
        }
        state.running += 1;
        Some(Turn { inner: self.clone(), over: false })
    }
}

impl<Q: Together, A: Send + 'static> Turn<Q, A> {
    async fn write_all<W, F>(mut self, write: W)
    where
        W: Fn(Vec<Q>) -> F,
        F: Future<Output = (Vec<Q>, Result<Vec<A>>)>,
    {
        while let Some((requests, senders)) = self.gather().await {
            let answers = match write(requests).await {
                (_, Ok(answers)) => answers.into_iter().map(Ok).collect(),
                (requests, Err(error)) if requests.len() == 1 => vec![Err(error)],
                (requests, Err(_)) => one_by_one(requests, &write).await,
            };
            for (sender, answer) in senders.into_iter().zip(answers) {
                // Who asked may have gone.
                let _ = sender.send(answer);
            }
        }
    }

    async fn gather(&mut self) -> Option<(Vec<Q>, Vec<Asker<A>>)> {
        let expects_more = {
            let state = self.inner.state();
            state.company && (1..TOGETHER).contains(&state.waiting.len())
        };
        if expects_more {
            tokio::time::sleep(MOMENT).await;
        }
        self.take()
    }

    /// The requests of the next transaction, and who wait for them; ends the turn when there are none.
    fn take(&mut self) -> Option<(Vec<Q>, Vec<Asker<A>>)> {
        let mut state = self.inner.state();
        let (mut requests, mut senders) = (Vec::new(), Vec::new());
        let mut left = VecDeque::new();
        for (request, sender) in state.waiting.drain(..) {
            if requests.len() < TOGETHER && request.goes_with(&requests) {
                requests.push(request);
                senders.push(sender);
            } else {
                left.push_back((request, sender));
            }
        }
        state.waiting = left;
        if requests.is_empty() {
            // Under the same lock: who comes after this takes a turn of their own.
            state.running -= 1;
            self.over = true;
            return None;
        }
        state.company = requests.len() > 1;
        Some((requests, senders))
    }
}

impl<Q, A> Drop for Turn<Q, A> {
    fn drop(&mut self) {
        if !self.over {
            self.inner.state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
        }
    }
}

async fn one_by_one<Q, A, W, F>(requests: Vec<Q>, write: &W) -> Vec<Result<A>>
where
    W: Fn(Vec<Q>) -> F,
    F: Future<Output = (Vec<Q>, Result<Vec<A>>)>,
{
    let alone = requests.into_iter().map(|request| async move {
        let (_, answers) = write(vec![request]).await;
        answers?.pop().ok_or(StoreError::Unreadable { what: "answer" })
    });
    join_all(alone).await
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    impl Together for u32 {
        fn goes_with(&self, others: &[Self]) -> bool {
            others.iter().all(|other| other % 10 != self % 10)
        }
    }

    type Writes = Arc<Mutex<Vec<Vec<u32>>>>;

    /// Writes slowly, notes what was written together, and cannot write 13.
    async fn ask(gathering: &Gathering<u32, u32>, writes: &Writes, request: u32) -> Result<u32> {
        let writes = writes.clone();
        let write = move |requests: Vec<u32>| {
            let writes = writes.clone();
            async move {
                tokio::time::sleep(Duration::from_millis(10)).await;
                writes.lock().unwrap().push(requests.clone());
                if requests.contains(&13) {
                    return (requests, Err(StoreError::NotHere));
                }
                let answers = requests.iter().map(|request| request * 2).collect();
                (requests, Ok(answers))
            }
        };
        gathering.ask(request, write).await
    }

    #[tokio::test]
    async fn what_arrives_meanwhile_is_written_together_unless_it_must_not() {
        let (gathering, writes) = (Gathering::new(1), Writes::default());
        let asked = [1, 2, 3, 12, 4].map(|request| ask(&gathering, &writes, request));
        let answers = join_all(asked).await;
        assert_eq!(answers.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [2, 4, 6, 24, 8]);
        assert_eq!(*writes.lock().unwrap(), [vec![1, 2, 3, 4], vec![12]]);
    }

    #[tokio::test]
    async fn what_fails_together_is_tried_one_by_one() {
        let (gathering, writes) = (Gathering::new(1), Writes::default());
        let asked = [1, 12, 13, 14].map(|request| ask(&gathering, &writes, request));
        let answers = join_all(asked).await;
        let told: Vec<_> = answers.into_iter().map(Result::ok).collect();
        assert_eq!(told, [Some(2), Some(24), None, Some(28)]);
    }

    #[tokio::test]
    async fn who_asks_alone_waits_for_nobody_and_the_next_turn_is_free() {
        let (gathering, writes) = (Gathering::new(1), Writes::default());
        for request in [1, 2, 3] {
            assert_eq!(ask(&gathering, &writes, request).await.unwrap(), request * 2);
        }
        assert_eq!(writes.lock().unwrap().len(), 3);
    }

    #[tokio::test]
    async fn where_there_was_company_it_is_given_a_moment_to_arrive() {
        // A machine that stands still may make one miss the other; not each time.
        for _ in 0..20 {
            let (gathering, writes) = (Gathering::new(1), Writes::default());
            join_all([1, 2].map(|request| ask(&gathering, &writes, request))).await;
            let late = async {
                tokio::task::yield_now().await;
                ask(&gathering, &writes, 4).await
            };
            let (first, second) = tokio::join!(ask(&gathering, &writes, 3), late);
            assert_eq!((first.unwrap(), second.unwrap()), (6, 8));
            if *writes.lock().unwrap() == [[1, 2], [3, 4]] {
                return;
            }
        }
        panic!("the first never waited for the second");
    }

    #[tokio::test]
    async fn a_write_that_breaks_off_is_told_and_stops_nobody() {
        let gathering = Gathering::<u32, u32>::new(1);
        let broken = gathering.ask(1, |requests| async move { panic!("{requests:?}") });
        assert!(matches!(broken.await, Err(StoreError::Unavailable(_))));
        assert_eq!(ask(&gathering, &Writes::default(), 2).await.unwrap(), 4);
    }
}
