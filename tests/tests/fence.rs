//! Calls that come twice, workers that stall, disks and files that refuse.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use atlas_sync::server::{Doubles, Server};
use domain::Stage;
use queue::{Call, DeadLetter, Queue, Result, Subscription, memory::MemoryQueue};
use service::{Config, StartError};
use store::StoreError;
use system_tests::{Place, Rig, Twice, difference, dump, sample_archive, scenarios};

// Of this file the rest is about what only a process with everything in it has: a queue in memory, a
// file as its database, a key that it makes itself.
scenarios!(a_shutdown_in_the_middle_loses_and_repeats_nothing);

/// A queue that loses every call: the sweep has to find the work.
struct Deaf(MemoryQueue);

#[async_trait]
impl Queue for Deaf {
    async fn publish(&self, _: &[Call]) -> Result<()> {
        Ok(())
    }

    async fn subscribe(&self, stage: Stage, window: usize) -> Result<Box<dyn Subscription>> {
        self.0.subscribe(stage, window).await
    }

    async fn depth(&self, stage: Stage) -> Result<u64> {
        self.0.depth(stage).await
    }

    async fn dead_letter(&self) -> Result<Option<DeadLetter>> {
        self.0.dead_letter().await
    }

    async fn ping(&self) -> Result<()> {
        self.0.ping().await
    }
}

async fn calm() -> String {
    let rig = Rig::start().await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    dump(&rig.database(), false).await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_call_delivered_twice_makes_the_same_rows() {
    let queue: Arc<dyn Queue> = Arc::new(Twice(MemoryQueue::new(10_000)));
    let rig = Rig::start_with(Doubles { queue: Some(queue), ..Doubles::default() }).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    let status = rig.sync(&channel).await;
    assert_eq!(status["progress"]["processed_messages"], 339);
    assert_eq!(difference(&dump(&rig.database(), false).await, &calm().await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_queue_that_loses_every_call_costs_time_and_nothing_else() {
    let heard = MemoryQueue::new(10_000);
    let queue: Arc<dyn Queue> = Arc::new(Deaf(heard.clone()));
    let rig = Rig::start_with(Doubles { queue: Some(queue), ..Doubles::default() }).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    let job = rig.trigger(&channel, false).await;
    // A scheduler whose own queue is the one that hears.
    let ports = rig.server().ports.clone();
    let settings = scheduler::Settings {
        turn: Duration::from_millis(20),
        quiet: Duration::from_millis(20),
        ..scheduler::Settings::default()
    };
    let sweep = scheduler::Scheduler::new(ports.store, Arc::new(heard), ports.progress, settings);
    let stop = tokio_util::sync::CancellationToken::new();
    let sweeping = tokio::spawn(sweep.run(stop.clone()));
    assert_eq!(rig.finished(&channel, &job).await["status"], "completed");
    stop.cancel();
    sweeping.await.unwrap();
    assert_eq!(difference(&dump(&rig.database(), false).await, &calm().await), "");
}

async fn a_shutdown_in_the_middle_loses_and_repeats_nothing(place: Place) {
    let mut rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    let job = rig.trigger(&channel, false).await;
    rig.until(async || (rig.status(&channel, &job).await["status"] == "running").then_some(()))
        .await;
    rig.stop().await;
    rig.resume().await;
    assert_eq!(rig.finished(&channel, &job).await["status"], "completed");
    assert_eq!(difference(&rig.dump(false).await, &calm().await), "");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_second_service_on_the_same_data_is_refused() {
    let rig = Rig::start().await;
    let second = Server::start(rig.config(), Doubles::default()).await;
    assert!(matches!(second, Err(StartError::Store(StoreError::InUse { .. }))));
    assert_eq!(rig.get("/api/channels").await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broken_database_file_ends_in_a_clear_message_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let config = Rig::config_in(folder.path());
    let file = folder.path().join("atlas-sync.db");
    std::fs::write(&file, "not a database at all, whatever its name says".repeat(200)).unwrap();
    let error = Server::start(&config, Doubles::default()).await.err().unwrap().to_string();
    assert!(error.contains("atlas-sync.db") && error.contains("damaged"), "{error}");
    assert!(std::fs::read_to_string(&file).unwrap().starts_with("not a database"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_address_beyond_loopback_needs_a_key_first() {
    let folder = tempfile::tempdir().unwrap();
    // Data of its own for each start: what a failed one has opened goes with its process.
    let config = |start: &str| {
        let mut config = Rig::config_in(&folder.path().join(start));
        config.listen = "0.0.0.0:0".parse().unwrap();
        config
    };
    let refused = async |config: &Config| {
        Server::start(config, Doubles::default()).await.err().unwrap().to_string()
    };
    let error = refused(&config("first")).await;
    assert!(error.contains("keys create"), "{error}");
    let file = folder.path().join("secret");
    let with_file = |start| Config { api_key_file: Some(file.clone()), ..config(start) };
    std::fs::write(&file, "short").unwrap();
    let error = refused(&with_file("second")).await;
    assert!(error.contains("20 characters"), "{error}");
    std::fs::write(&file, "a-secret-of-a-container-1").unwrap();
    let config = with_file("third");
    let server = Server::start(&config, Doubles::default()).await.unwrap();
    let url = format!("http://127.0.0.1:{}/api/channels", server.address.port());
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::new();
    let with = http.get(&url).bearer_auth("a-secret-of-a-container-1").send().await.unwrap();
    assert_eq!(with.status(), 200);
    assert_eq!(http.get(&url).send().await.unwrap().status(), 401);
    server.stop().await;
}
