//! What more workers bring, on PostgreSQL, RabbitMQ and Redis.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant},
};

use atlas_sync::server::{Doubles, Server};
use connectors::replay::Replay;
use domain::{ChannelId, JobId, Platform, fact::Extraction};
use extraction::scripted::{Scripted, Step};
use service::Config;
use store::{NewChannel, contract::Schema};
use system_tests::{Api, message};

/// What the extractor waits for a batch, as a language model lets it wait. Two cores are themselves the limit
/// of an unoptimised build when sixteen slots wait for no longer than 200 ms.
const WAIT: Duration = Duration::from_millis(if cfg!(debug_assertions) { 800 } else { 200 });

/// Enough for the start and the end of a sync not to count.
const BATCHES: usize = if cfg!(debug_assertions) { 160 } else { 480 };

const KEY: &str = "a-key-that-only-tests-have";

/// An installation whose extract-workers come and go, walked in pages of one message: one batch each.
struct Installation {
    schema: Schema,
    prefix: String,
    key_file: tempfile::NamedTempFile,
    platform: Arc<Replay>,
}

impl Installation {
    async fn new() -> Self {
        let key_file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(key_file.path(), KEY).unwrap();
        Self {
            schema: Schema::create().await,
            prefix: format!("atlas-test-{}", JobId::random()),
            key_file,
            platform: Arc::new(Replay::new(1)),
        }
    }

    /// A process with some of the roles.
    async fn start(&self, roles: &str, slots: usize) -> Server {
        let given = |name: &str| std::env::var(name).unwrap();
        let variables: BTreeMap<String, String> = [
            ("DATABASE_URL", self.schema.url().to_owned()),
            ("QUEUE_URL", given("ATLAS_TEST_QUEUE_URL")),
            ("PROGRESS_URL", given("ATLAS_TEST_PROGRESS_URL")),
            ("ATLAS_PREFIX", self.prefix.clone()),
            ("ATLAS_ROLES", roles.to_owned()),
            ("ATLAS_SLOTS", slots.to_string()),
            ("ATLAS_API_KEY_FILE", self.key_file.path().display().to_string()),
            ("ATLAS_LISTEN", "127.0.0.1:0".to_owned()),
            ("ATLAS_HEALTH_LISTEN", "127.0.0.1:0".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into();
        let extractor = Scripted::new(|_| Extraction::default());
        extractor.script(std::iter::repeat_n(Step::Compute(WAIT), BATCHES));
        let doubles = Doubles {
            connector: Some(self.platform.clone()),
            extractor: Some(Arc::new(extractor)),
            queue: None,
        };
        Server::start(&Config::from_variables(&variables).unwrap(), doubles).await.unwrap()
    }

    /// Seconds that the first sync of a channel takes with so many extract-workers of four slots.
    async fn sync(&self, rest: &Server, workers: usize, name: &str) -> f64 {
        let mut extract_workers = Vec::new();
        for _ in 0..workers {
            extract_workers.push(self.start("extract-worker", 4).await);
        }
        let store = &rest.ports.store;
        let connection = store.ensure_connection(None, Platform::Slack, "T1", "test").await;
        let new = NewChannel { external_id: name.into(), name: name.into(), topic: String::new() };
        let connection = connection.unwrap().unwrap();
        store.register_channels(&connection.id, &[new]).await.unwrap();
        // Hours apart: conversations of their own.
        let messages = (0..BATCHES).map(|n| message(i64::try_from(n).unwrap() * 1_000, "hello"));
        self.platform.say(&ChannelId::from(name), messages);
        let api = Api::new(format!("http://{}", rest.address), KEY.to_owned());
        let begun = Instant::now();
        api.sync(name).await;
        let seconds = begun.elapsed().as_secs_f64();
        for worker in extract_workers {
            worker.stop().await;
        }
        seconds
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn four_extract_workers_finish_a_sync_three_and_a_half_times_as_fast_as_one() {
    let installation = Installation::new().await;
    let rest =
        installation.start("gateway,scheduler,fetch-worker,graph-worker,wiki-worker", 8).await;
    let mut told = Vec::new();
    // What else this machine does may slow any one of them down.
    for turn in 0..3 {
        let one = installation.sync(&rest, 1, &format!("C{turn}a")).await;
        let four = installation.sync(&rest, 4, &format!("C{turn}b")).await;
        told.push(format!("{one:.2} s with one, {four:.2} s with four: {:.2}", one / four));
        if one / four >= 3.5 {
            println!("{}", told.join("; "));
            rest.stop().await;
            return;
        }
    }
    panic!("{}", told.join("; "));
}
