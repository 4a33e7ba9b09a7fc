//! What every queue keeps, as tests that run against an adapter.
//!
//! An adapter's tests say `queue::contract!(…)` with an expression that makes a fresh, empty queue
//! with room for at least 2,000 calls. The expression stands in an async function and may await.

use std::{collections::BTreeSet, future::Future, sync::Arc, time::Duration};

use domain::{JobId, Stage, TaskRef};
use tokio::time::{sleep, timeout};

use crate::{Delivery, Queue, QueueError, Result, Subscription};

/// Runs every test of the contract against an adapter.
#[macro_export]
macro_rules! contract {
    ($fresh:expr) => {
        $crate::contract! {
            $fresh =>
            the_queue_answers,
            a_call_waits_for_its_consumer,
            a_consumer_waits_for_its_call,
            one_publication_may_name_several_stages,
            a_dropped_delivery_is_delivered_again,
            an_acknowledged_delivery_does_not_come_again,
            a_call_published_again_is_delivered_again,
            a_window_bounds_what_is_unacknowledged,
            a_delivery_given_back_opens_the_window,
            consumers_of_a_stage_share_its_calls,
            a_consumer_that_leaves_leaves_its_calls_to_others,
            a_dropped_wait_loses_nothing,
            calls_of_many_publishers_reach_many_consumers,
            the_depth_counts_what_waits,
        }
    };
    ($fresh:expr => $($name:ident),+ $(,)?) => {
        $(
            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() -> $crate::Result<()> {
                $crate::contract::$name($fresh).await
            }
        )+
    };
}

/// How long something may take that must come.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long nothing must come for it to count as nothing.
const QUIET: Duration = Duration::from_millis(100);

const STAGE: Stage = Stage::ExtractingFacts;

fn tasks(stage: Stage, count: i64) -> Vec<TaskRef> {
    let job_id = JobId::random();
    (1..=count).map(|seq| TaskRef { job_id: job_id.clone(), stage, seq }).collect()
}

async fn within<T>(patience: Duration, work: impl Future<Output = Result<T>>) -> Result<T> {
    timeout(patience, work)
        .await
        .unwrap_or_else(|elapsed| Err(QueueError::Unavailable(Box::new(elapsed))))
}

async fn next(consumer: &mut dyn Subscription) -> Result<Delivery> {
    within(PATIENCE, consumer.next()).await
}

async fn assert_nothing_comes(consumer: &mut dyn Subscription) {
    let came = timeout(QUIET, consumer.next()).await;
    assert!(came.is_err(), "nothing should come, but this did: {came:?}");
}

/// Takes and acknowledges `count` calls.
async fn drain(consumer: &mut dyn Subscription, count: usize) -> Result<BTreeSet<TaskRef>> {
    let mut seen = BTreeSet::new();
    for _ in 0..count {
        let delivery = next(consumer).await?;
        seen.insert(delivery.task.clone());
        delivery.ack().await?;
    }
    Ok(seen)
}

/// It answers when asked.
pub async fn the_queue_answers(queue: Arc<dyn Queue>) -> Result<()> {
    queue.ping().await
}

/// What is published while nobody listens is there when somebody does.
pub async fn a_call_waits_for_its_consumer(queue: Arc<dyn Queue>) -> Result<()> {
    let published = tasks(STAGE, 3);
    queue.publish(&published).await?;
    let mut consumer = queue.subscribe(STAGE, 8).await?;
    assert_eq!(drain(&mut *consumer, 3).await?, published.into_iter().collect());
    Ok(())
}

/// A consumer that waits is woken.
pub async fn a_consumer_waits_for_its_call(queue: Arc<dyn Queue>) -> Result<()> {
    let published = tasks(STAGE, 1);
    let mut consumer = queue.subscribe(STAGE, 1).await?;
    let waiting = tokio::spawn(async move { next(&mut *consumer).await?.ack().await });
    sleep(Duration::from_millis(20)).await;
    queue.publish(&published).await?;
    waiting.await.map_err(|died| QueueError::Unavailable(Box::new(died)))?
}

/// Every stage gets its own calls and no other's.
pub async fn one_publication_may_name_several_stages(queue: Arc<dyn Queue>) -> Result<()> {
    let published: Vec<TaskRef> = Stage::ALL.iter().flat_map(|stage| tasks(*stage, 2)).collect();
    queue.publish(&published).await?;
    for stage in Stage::ALL {
        let mut consumer = queue.subscribe(stage, 8).await?;
        let seen = drain(&mut *consumer, 2).await?;
        assert!(seen.iter().all(|task| task.stage == stage));
        assert!(seen.iter().all(|task| published.contains(task)));
        assert_nothing_comes(&mut *consumer).await;
    }
    Ok(())
}

/// A consumer that dies with a call gives it back, and the next one sees that.
pub async fn a_dropped_delivery_is_delivered_again(queue: Arc<dyn Queue>) -> Result<()> {
    let published = tasks(STAGE, 1);
    queue.publish(&published).await?;
    let mut consumer = queue.subscribe(STAGE, 1).await?;
    let first = next(&mut *consumer).await?;
    assert!(!first.redelivered);
    drop(first);
    let second = next(&mut *consumer).await?;
    assert_eq!(second.task, published[0]);
    assert!(second.redelivered);
    second.ack().await
}

/// An answered call is over.
pub async fn an_acknowledged_delivery_does_not_come_again(queue: Arc<dyn Queue>) -> Result<()> {
    queue.publish(&tasks(STAGE, 1)).await?;
    let mut consumer = queue.subscribe(STAGE, 2).await?;
    next(&mut *consumer).await?.ack().await?;
    assert_nothing_comes(&mut *consumer).await;
    drop(consumer);
    let mut another = queue.subscribe(STAGE, 2).await?;
    assert_nothing_comes(&mut *another).await;
    Ok(())
}

/// The sweep calls for a task a second time after its first call was answered.
pub async fn a_call_published_again_is_delivered_again(queue: Arc<dyn Queue>) -> Result<()> {
    let published = tasks(STAGE, 1);
    let mut consumer = queue.subscribe(STAGE, 1).await?;
    for _ in 0..2 {
        queue.publish(&published).await?;
        drain(&mut *consumer, 1).await?;
    }
    Ok(())
}

/// No more than a window is out; an acknowledgement lets the next one in.
pub async fn a_window_bounds_what_is_unacknowledged(queue: Arc<dyn Queue>) -> Result<()> {
    queue.publish(&tasks(STAGE, 4)).await?;
    let mut consumer = queue.subscribe(STAGE, 2).await?;
    let first = next(&mut *consumer).await?;
    let _second = next(&mut *consumer).await?;
    assert_nothing_comes(&mut *consumer).await;
    first.ack().await?;
    let _third = next(&mut *consumer).await?;
    assert_nothing_comes(&mut *consumer).await;
    Ok(())
}

/// Giving back makes room like acknowledging does.
pub async fn a_delivery_given_back_opens_the_window(queue: Arc<dyn Queue>) -> Result<()> {
    queue.publish(&tasks(STAGE, 1)).await?;
    let mut consumer = queue.subscribe(STAGE, 1).await?;
    for _ in 0..5 {
        drop(next(&mut *consumer).await?);
    }
    next(&mut *consumer).await?.ack().await
}

/// Each call goes to one of them.
pub async fn consumers_of_a_stage_share_its_calls(queue: Arc<dyn Queue>) -> Result<()> {
    let published = tasks(STAGE, 2);
    let mut one = queue.subscribe(STAGE, 1).await?;
    let mut two = queue.subscribe(STAGE, 1).await?;
    queue.publish(&published).await?;
    let from_one = next(&mut *one).await?;
    let from_two = next(&mut *two).await?;
    assert_ne!(from_one.task, from_two.task);
    from_one.ack().await?;
    from_two.ack().await?;
    assert_nothing_comes(&mut *one).await;
    assert_nothing_comes(&mut *two).await;
    Ok(())
}

/// What a consumer never took, it does not take with it.
pub async fn a_consumer_that_leaves_leaves_its_calls_to_others(
    queue: Arc<dyn Queue>,
) -> Result<()> {
    let published = tasks(STAGE, 5);
    queue.publish(&published).await?;
    let mut leaving = queue.subscribe(STAGE, 5).await?;
    drain(&mut *leaving, 1).await?;
    drop(leaving);
    let mut staying = queue.subscribe(STAGE, 5).await?;
    drain(&mut *staying, 4).await?;
    assert_nothing_comes(&mut *staying).await;
    Ok(())
}

/// Consumers wait beside other things and often stop waiting halfway.
pub async fn a_dropped_wait_loses_nothing(queue: Arc<dyn Queue>) -> Result<()> {
    const COUNT: usize = 200;
    let published = tasks(STAGE, 200);
    let publisher = {
        let (queue, published) = (Arc::clone(&queue), published.clone());
        tokio::spawn(async move {
            for task in &published {
                queue.publish(std::slice::from_ref(task)).await?;
                tokio::task::yield_now().await;
            }
            Ok::<(), QueueError>(())
        })
    };
    let mut consumer = queue.subscribe(STAGE, 3).await?;
    let mut seen = BTreeSet::new();
    let take = async {
        while seen.len() < COUNT {
            tokio::select! {
                biased;
                delivery = consumer.next() => {
                    let delivery = delivery?;
                    seen.insert(delivery.task.clone());
                    delivery.ack().await?;
                }
                () = tokio::task::yield_now() => {}
            }
        }
        Ok(())
    };
    within(PATIENCE, take).await?;
    assert_eq!(seen, published.into_iter().collect());
    publisher.await.map_err(|died| QueueError::Unavailable(Box::new(died)))?
}

/// Nothing is lost between many of both.
pub async fn calls_of_many_publishers_reach_many_consumers(queue: Arc<dyn Queue>) -> Result<()> {
    const EACH: usize = 400;
    let (seen, mut arriving) = tokio::sync::mpsc::unbounded_channel();
    let mut crew = tokio::task::JoinSet::new();
    for _ in 0..4 {
        let mut consumer = queue.subscribe(STAGE, 4).await?;
        let seen = seen.clone();
        crew.spawn(async move {
            while let Ok(delivery) = consumer.next().await {
                // The receiver goes away once everything has been seen.
                let _ = seen.send(delivery.task.clone());
                if delivery.ack().await.is_err() {
                    break;
                }
            }
        });
    }
    let mut published = BTreeSet::new();
    for _ in 0..4 {
        let own = tasks(STAGE, 400);
        published.extend(own.iter().cloned());
        let queue = Arc::clone(&queue);
        crew.spawn(async move {
            for part in own.chunks(EACH / 8) {
                assert!(queue.publish(part).await.is_ok(), "a publisher was refused");
            }
        });
    }
    let mut arrived = BTreeSet::new();
    let collect = async {
        while arrived.len() < published.len() {
            arrived.extend(arriving.recv().await);
        }
        Ok(())
    };
    within(PATIENCE, collect).await?;
    assert_eq!(arrived, published);
    Ok(())
}

/// What a consumer holds does not wait any more.
pub async fn the_depth_counts_what_waits(queue: Arc<dyn Queue>) -> Result<()> {
    queue.publish(&tasks(STAGE, 3)).await?;
    the_depth_becomes(&*queue, 3).await?;
    let mut consumer = queue.subscribe(STAGE, 1).await?;
    let _held = next(&mut *consumer).await?;
    the_depth_becomes(&*queue, 2).await?;
    assert_eq!(queue.depth(Stage::BuildingGraph).await?, 0);
    Ok(())
}

/// A broker's own count may trail a little.
async fn the_depth_becomes(queue: &dyn Queue, wanted: u64) -> Result<()> {
    within(PATIENCE, async {
        while queue.depth(STAGE).await? != wanted {
            sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    })
    .await
}
