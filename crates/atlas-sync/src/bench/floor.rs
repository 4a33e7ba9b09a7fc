//! What a job of one message cannot take less than: the disk syncs and the queue hops that lie one after
//! the other on its way, with nothing between them.

use std::{sync::Arc, time::Instant};

use domain::{JobId, KeyId, Stage, TaskRef};
use queue::{Queue, Subscription};
use serde_json::{Value, json};
use service::{Adapters, Config};
use store::Store;

use super::{median, rounded};
use crate::commands::CliError;

/// Its acceptance, and what each of the four stages brings.
const SYNCS: f64 = 5.0;

/// Into each of the four stages.
const HOPS: f64 = 4.0;

/// Measured so often, after some warm-up.
const ROUNDS: usize = 100;

const WARM_UP: usize = 20;

/// Measures on the servers of the configuration, which nobody else may use meanwhile: it takes calls off the
/// queue and leaves keys behind, revoked. Not on the data of an embedded service.
pub(crate) async fn measure(config: &Config) -> Result<Value, CliError> {
    if config.database_url.starts_with("sqlite:") || config.queue_url.starts_with("memory:") {
        return Err(CliError::failed(
            "this measures a database server and a broker: set DATABASE_URL and QUEUE_URL to some that nobody else uses",
        ));
    }
    let adapters = Adapters::open(config).await?;
    let measured = both(&adapters.ports.store, &adapters.ports.queue).await;
    adapters.close().await;
    let (sync, hop) = measured?;
    Ok(json!({
        "disk_sync_milliseconds": rounded(sync),
        "queue_hop_milliseconds": rounded(hop),
        "job_milliseconds": rounded(SYNCS * sync + HOPS * hop),
    }))
}

async fn both(store: &Arc<dyn Store>, queue: &Arc<dyn Queue>) -> Result<(f64, f64), CliError> {
    let mut calls = queue.subscribe(Stage::FetchingMessages, 1).await?;
    let (mut syncs, mut hops) = (Vec::new(), Vec::new());
    // In turns, as a job does it.
    for round in 0..WARM_UP + ROUNDS {
        let (sync, hop) = (sync(store).await?, hop(queue, &mut calls).await?);
        if round >= WARM_UP {
            syncs.push(sync);
            hops.push(hop);
        }
    }
    Ok((median(syncs), median(hops)))
}

/// The smallest transaction that is on the disk when it is answered: a key that nobody has the secret of.
async fn sync(store: &Arc<dyn Store>) -> Result<f64, CliError> {
    let id = KeyId::random();
    let begun = Instant::now();
    store.add_key(&id, "measuring", id.as_str()).await?;
    let milliseconds = milliseconds_since(begun);
    store.revoke_key(&id).await?;
    Ok(milliseconds)
}

/// From the publishing of a call to its arrival.
async fn hop(queue: &Arc<dyn Queue>, calls: &mut Box<dyn Subscription>) -> Result<f64, CliError> {
    let task = TaskRef { job_id: JobId::random(), stage: Stage::FetchingMessages, seq: 1 };
    let begun = Instant::now();
    queue.publish(&[task.clone().into()]).await?;
    loop {
        let delivery = calls.next().await?;
        let is_it = delivery.task == task;
        let milliseconds = milliseconds_since(begun);
        delivery.ack().await?;
        if is_it {
            return Ok(milliseconds);
        }
    }
}

fn milliseconds_since(begun: Instant) -> f64 {
    begun.elapsed().as_secs_f64() * 1_000.0
}
