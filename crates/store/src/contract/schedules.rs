//! Schedules.

use domain::{Timestamp, Trigger, schedule::Schedule};

use super::scene::{channel, started};
use crate::{Store, Triggered};

async fn due(store: &dyn Store) -> (domain::ChannelId, Timestamp) {
    let channel_id = channel(store).await;
    let at = Timestamp::from_micros(1_000_000);
    let schedule = Schedule {
        channel_id: channel_id.clone(),
        expression: "* * * * *".into(),
        timezone: "UTC".into(),
        enabled: true,
        next_sync: Some(at),
        last_sync: None,
    };
    assert!(store.set_schedule(&schedule).await.unwrap().is_some());
    let unknown = Schedule { channel_id: "C9".into(), ..schedule };
    assert!(store.set_schedule(&unknown).await.unwrap().is_none());
    (channel_id, at)
}

/// Of any number of schedulers one starts the job.
pub async fn a_due_schedule_fires_once(store: &dyn Store) {
    let (channel, at) = due(store).await;
    assert_eq!(store.due_schedules(10).await.unwrap().len(), 1);
    let next = store.now().await.unwrap().plus(std::time::Duration::from_secs(60));
    let (one, other) = tokio::join!(
        store.fire_schedule(&channel, at, Some(next), None),
        store.fire_schedule(&channel, at, Some(next), None)
    );
    let fired: Vec<_> = [one.unwrap(), other.unwrap()].into_iter().flatten().collect();
    assert!(matches!(&fired[..], [Triggered::Started(job, _)] if job.trigger == Trigger::Schedule));
    assert!(store.due_schedules(10).await.unwrap().is_empty());
    let stored = store.schedules(Some(&channel)).await.unwrap().remove(0);
    assert_eq!(stored.next_sync, Some(next));
    assert!(stored.last_sync.is_some());
    assert!(store.remove_schedule(&channel).await.unwrap());
    assert!(!store.remove_schedule(&channel).await.unwrap());
}

/// And goes on to its next time.
pub async fn a_schedule_of_a_busy_channel_starts_nothing(store: &dyn Store) {
    let (channel, at) = due(store).await;
    let (job, _) = started(store, &channel).await;
    let fired = store.fire_schedule(&channel, at, None, None).await.unwrap();
    assert!(matches!(fired, Some(Triggered::InProgress(active)) if active == job.id));
    assert!(store.due_schedules(10).await.unwrap().is_empty());
}
