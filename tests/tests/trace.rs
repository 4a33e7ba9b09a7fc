//! Traces: one of them tells of a request and of all that followed from it, through every process.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::{Duration, Instant},
};

use domain::Stage;
use reqwest::Method;
use serde_json::json;
use service::{Address, telemetry};
use system_tests::{Api, Collector, Crew, Fleet, Rig, Span, sample_archive};
use tokio::net::TcpListener;

/// What a caller sends that traces by itself.
const CALLER: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const PARENT: &str = "00f067aa0ba902b7";

async fn traced_sync(api: &Api, channel: &str) {
    let request = api.request(Method::POST, "/api/sync").header("traceparent", CALLER);
    let reply = api.send(request.json(&json!({"channel_id": channel}))).await;
    let job = reply.body["job_id"].as_str().unwrap();
    assert_eq!(api.finished(channel, job).await["status"], "completed");
}

/// The spans of the caller's trace, once the last stage's has come in.
async fn received(api: &Api, collector: &Collector) -> BTreeMap<String, Span> {
    api.until(async || {
        let spans = collector.spans().into_iter().filter(|span| span.trace == TRACE);
        let spans: BTreeMap<_, _> = spans.map(|span| (span.id.clone(), span)).collect();
        let whole = |span: &Span| span.parent == PARENT || spans.contains_key(&span.parent);
        let ended = spans.values().any(|span| span.name == Stage::GeneratingWiki.as_str());
        (ended && spans.values().all(whole)).then_some(spans)
    })
    .await
}

/// From the request to the wiki every span hangs on the one that called for it.
fn check(spans: &BTreeMap<String, Span>) {
    let of = |name: &str| spans.values().filter(|span| span.name == name).collect::<Vec<_>>();
    let roots: Vec<_> = spans.values().filter(|span| span.parent == PARENT).collect();
    assert_eq!(roots.len(), 1, "{roots:?}");
    let root = roots[0];
    assert_eq!(root.name, "POST /api/sync");
    assert_eq!(root.attributes["http.response.status_code"], "202");
    let callers: [&[&str]; 4] = [
        &["POST /api/sync", "fetching_messages"],
        &["fetching_messages"],
        &["extracting_facts"],
        &["building_graph"],
    ];
    for (stage, callers) in Stage::ALL.into_iter().zip(callers) {
        let tasks = of(stage.as_str());
        assert!(!tasks.is_empty(), "{stage}");
        for task in tasks {
            let parent = &spans[&task.parent];
            assert!(callers.contains(&parent.name.as_str()), "{task:?} under {parent:?}");
            for said in ["job", "channel", "stage", "task", "claim", "attempt", "outcome"] {
                assert!(task.attributes.contains_key(said), "{said}: {task:?}");
            }
        }
    }
    assert!(of("extracting_facts").len() > 1, "the sample has more than one batch");
}

/// One test for all of a process: there is one log and one sender of traces in it.
#[tokio::test(flavor = "multi_thread")]
async fn a_sync_in_one_process_is_one_trace() {
    let collector = Collector::start().await;
    let folder = tempfile::tempdir().unwrap();
    let mut config = Rig::config_in(folder.path());
    config.traces_to = Some(Address::new(collector.url()));
    // What is not logged is traced all the same.
    "off".clone_into(&mut config.log);
    telemetry::start_log(&config);

    let mut rig = Rig::start().await;
    let channel = rig.import(sample_archive(|_| true)).await;
    traced_sync(&rig, &channel).await;
    rig.stop().await;
    let spans = received(&rig, &collector).await;
    check(&spans);
    let services: BTreeSet<_> = spans.values().map(|span| span.service.as_str()).collect();
    assert_eq!(services, BTreeSet::from(["atlas-sync"]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sync_through_all_processes_is_one_trace() {
    let collector = Collector::start().await;
    let variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url())];
    let mut fleet = Fleet::start_with(Crew { variables, ..Crew::default() }).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    traced_sync(&fleet.api, &channel).await;
    // The last spans come with the end of their process.
    for member in fleet.members.drain(..) {
        assert!(member.end());
    }
    let spans = received(&fleet.api, &collector).await;
    check(&spans);
    let processes = |stage: Stage| {
        let of = spans.values().filter(move |span| span.name == stage.as_str());
        of.map(|span| span.service.as_str()).collect::<BTreeSet<_>>()
    };
    assert_eq!(processes(Stage::FetchingMessages), BTreeSet::from(["atlas-fetch-worker"]));
    assert_eq!(processes(Stage::ExtractingFacts), BTreeSet::from(["atlas-extract-worker"]));
    assert_eq!(processes(Stage::BuildingGraph), BTreeSet::from(["atlas-graph-worker"]));
    assert_eq!(processes(Stage::GeneratingWiki), BTreeSet::from(["atlas-wiki-worker"]));
}

/// It takes connections and never answers.
#[tokio::test(flavor = "multi_thread")]
async fn a_collector_that_hangs_neither_slows_work_nor_keeps_processes_from_ending() {
    let silent = Arc::new(TcpListener::bind("127.0.0.1:0").await.unwrap());
    let url = format!("http://{}", silent.local_addr().unwrap());
    let taking = tokio::spawn(async move {
        let mut held = Vec::new();
        while let Ok((connection, _)) = silent.accept().await {
            held.push(connection);
        }
    });
    let variables = vec![("OTEL_EXPORTER_OTLP_ENDPOINT", url)];
    let mut fleet = Fleet::start_with(Crew { variables, ..Crew::default() }).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    for _ in 0..3 {
        traced_sync(&fleet.api, &channel).await;
    }
    let begun = Instant::now();
    for member in &fleet.members {
        member.signal("TERM");
    }
    for member in fleet.members.drain(..) {
        assert!(member.ended());
    }
    // The grace period of work is 5 s, of clients and spans 2 s each; nothing waits for the collector.
    assert!(begun.elapsed() < Duration::from_secs(15), "{:?}", begun.elapsed());
    taking.abort();
}
