//! Metrics and logs, as Prometheus and a collector of logs read them from running processes.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
};

use async_trait::async_trait;
use atlas_sync::server::Doubles;
use connectors::{
    ConnectorError,
    replay::{Replay, Step},
};
use domain::{Stage, conversation::Conversation, fact::Extraction};
use extraction::{ExtractionError, Extractor, rules::Rules};
use serde_json::Value;
use store::Store;
use system_tests::{Crew, Fleet, Rig, channel, message, sample_archive};
use tokio_util::sync::CancellationToken;

/// What `/metrics` says: the value of each series, by its name and labels.
struct Scraped(BTreeMap<String, f64>);

impl Scraped {
    async fn from(address: &str) -> Self {
        let url = format!("http://{address}/metrics");
        let text = reqwest::get(url).await.unwrap().text().await.unwrap();
        let mut described = BTreeSet::new();
        let mut series = BTreeMap::new();
        for line in text.lines().filter(|line| !line.is_empty()) {
            if let Some(help) = line.strip_prefix("# HELP ") {
                described.insert(help.split(' ').next().unwrap().to_owned());
            } else if !line.starts_with('#') {
                let (name, value) = line.rsplit_once(' ').unwrap();
                series.insert(name.to_owned(), value.parse().unwrap());
            }
        }
        for name in series.keys() {
            let name = name.split('{').next().unwrap();
            let of_histogram = ["_bucket", "_sum", "_count"].iter();
            let base = of_histogram.fold(name, |name, part| name.trim_end_matches(part));
            assert!(described.contains(base), "{name} says nothing about itself:\n{text}");
        }
        Self(series)
    }

    /// The sum of all series of a name that have these labels.
    fn sum(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted: Vec<_> =
            labels.iter().map(|(key, value)| format!("{key}=\"{value}\"")).collect();
        let matches = |series: &str| {
            let (found, said) = series.split_once('{').unwrap_or((series, ""));
            found == name && wanted.iter().all(|label| said.contains(label.as_str()))
        };
        self.0.iter().filter(|(series, _)| matches(series)).map(|(_, value)| value).sum()
    }
}

/// Finds what the rules find; at its first call the task is taken from under it.
struct Robbed {
    rules: Rules,
    store: OnceLock<Arc<dyn Store>>,
    done: AtomicBool,
}

#[async_trait]
impl Extractor for Robbed {
    fn version(&self) -> &str {
        self.rules.version()
    }

    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError> {
        if !self.done.swap(true, Ordering::SeqCst) {
            self.store.get().unwrap().take_back_all().await.unwrap();
        }
        self.rules.extract(conversations, stop).await
    }
}

/// One test for all of a process: it counts once.
#[tokio::test(flavor = "multi_thread")]
async fn what_went_well_what_failed_and_what_was_fenced_off_is_measured() {
    let replay = Arc::new(Replay::new(10));
    let robbed = Arc::new(Robbed {
        rules: Rules::bundled().unwrap(),
        store: OnceLock::new(),
        done: AtomicBool::new(false),
    });
    let rig = Rig::start_with(Doubles {
        connector: Some(replay.clone()),
        extractor: Some(robbed.clone()),
        ..Doubles::default()
    })
    .await;
    let store = rig.server().ports.store.clone();
    let id = channel(&store).await;
    assert!(robbed.store.set(store).is_ok());
    replay.say(&id, (0..5).map(|n| message(n, "Decision: we use Redis for the cache.")));
    replay.script([Step::Fail(ConnectorError::Platform("it hiccups".into()))]);
    rig.sync("C1").await;

    let address = rig.server().health_address.to_string();
    let told = rig
        .until(async || {
            let told = Scraped::from(&address).await;
            // Jobs are counted now and then.
            (told.sum("atlas_jobs", &[("status", "completed")]) > 0.0).then_some(told)
        })
        .await;
    for stage in Stage::ALL {
        let of_stage = [("stage", stage.as_str())];
        for name in ["atlas_task_seconds", "atlas_task_wait_seconds", "atlas_commit_seconds"] {
            assert!(told.sum(&format!("{name}_count"), &of_stage) >= 1.0, "{name} of {stage}");
        }
        let done = [("stage", stage.as_str()), ("outcome", "done")];
        assert!(told.sum("atlas_tasks_total", &done) >= 1.0, "{stage}");
        let stolen = f64::from(u8::from(stage == Stage::ExtractingFacts));
        assert_eq!(told.sum("atlas_fenced_writes_total", &of_stage).total_cmp(&stolen), EQUAL);
    }
    let failed =
        [("stage", "fetching_messages"), ("code", "PLATFORM_ERROR"), ("outcome", "retried")];
    assert_eq!(told.sum("atlas_task_failures_total", &failed).total_cmp(&1.0), EQUAL);
    assert_eq!(told.sum("atlas_task_failures_total", &[]).total_cmp(&1.0), EQUAL);
    let asked = [("route", "/api/sync"), ("status", "ok")];
    assert_eq!(told.sum("atlas_request_seconds_count", &asked).total_cmp(&1.0), EQUAL);
    assert_eq!(told.sum("atlas_build_info", &[]).total_cmp(&1.0), EQUAL);
}

const EQUAL: std::cmp::Ordering = std::cmp::Ordering::Equal;

#[tokio::test(flavor = "multi_thread")]
async fn every_process_tells_its_metrics_and_logs_what_it_does_to_which_task() {
    let variables = vec![
        ("ATLAS_LOG_FORMAT", "json".to_owned()),
        ("ATLAS_LOG", "info,worker=debug".to_owned()),
    ];
    let fleet = Fleet::start_with(Crew { variables, ..Crew::default() }).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    let job = fleet.api.trigger(&channel, false).await;
    fleet.api.finished(&channel, &job).await;

    for member in &fleet.members {
        let told = Scraped::from(&member.health).await;
        let (stage, publishes) = match member.program {
            "atlas-gateway" => (None, true),
            "atlas-fetch-worker" => (Some(Stage::FetchingMessages), true),
            "atlas-extract-worker" => (Some(Stage::ExtractingFacts), true),
            "atlas-graph-worker" => (Some(Stage::BuildingGraph), true),
            "atlas-wiki-worker" => (Some(Stage::GeneratingWiki), false),
            _ => (None, false),
        };
        let published = told.sum("atlas_publish_seconds_count", &[]);
        assert!(!publishes || published >= 1.0, "{} has published {published}", member.program);
        if let Some(stage) = stage {
            let done = [("stage", stage.as_str()), ("outcome", "done")];
            assert!(told.sum("atlas_tasks_total", &done) >= 1.0, "{}", member.program);
        }
    }

    let lines = fleet.log_lines();
    for stage in Stage::ALL {
        let of_task = |line: &&Value| {
            line["message"] == "the task has ended" && line["span"]["stage"] == stage.as_str()
        };
        let line = lines.iter().find(of_task).unwrap();
        assert_eq!(line["span"]["job"], job.as_str(), "{line}");
        assert!(line["span"]["task"].is_number() && line["span"]["claim"].is_string(), "{line}");
    }
    let ended: Vec<_> =
        lines.iter().filter(|line| line["message"] == "the sync has ended").collect();
    let [ended] = ended[..] else { panic!("{ended:?}") };
    assert_eq!((&ended["status"], &ended["level"]), (&"completed".into(), &"INFO".into()));
}
