//! What cannot be done is set aside where people see it, and stops nobody else.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{cmp::Ordering, time::Duration};

use lapin::{Connection, ConnectionProperties};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{
    ABORT_AT, Crew, Fleet, Ledger, Rig, channel_archive, difference, dump_server, sample_archive,
};

/// Occurs in one message of the sample channel.
const DEADLY: &str = "post-mortem is published";

/// Puts a message on a stage's queue that no worker can decode.
async fn send_rubbish(fleet: &Fleet, stage: &str) {
    let url = std::env::var("ATLAS_TEST_QUEUE_URL").unwrap();
    let link = Connection::connect(&url, ConnectionProperties::default()).await.unwrap();
    let broker = link.create_channel().await.unwrap();
    let queue = format!("{}.{stage}", fleet.prefix());
    let (options, properties) = (Default::default(), Default::default());
    let sent = broker.basic_publish("".into(), queue.as_str().into(), options, b"{!", properties);
    sent.await.unwrap().await.unwrap();
    link.close(200, "done".into()).await.unwrap();
}

async fn until_listed(fleet: &Fleet, status: &str) -> Value {
    let listed = async || {
        let listed = fleet.api.get("/api/sync/failures").await.body;
        let failures = listed["failures"].as_array().unwrap();
        failures.iter().find(|failure| failure["status"] == status).cloned()
    };
    fleet.api.until(listed).await
}

async fn replay(fleet: &Fleet, failure: &Value) -> Value {
    let reply = fleet.api.post("/api/sync/failures/replay", &json!({"ids": [failure["id"]]})).await;
    assert_eq!(reply.status.as_u16(), 202, "{}", reply.text);
    reply.body
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_that_cannot_be_decoded_is_listed_and_stops_nobody() {
    let fleet = Fleet::start(&[]).await;
    let channel = fleet.api.import(sample_archive(|_| true)).await;
    for stage in ["extracting_facts", "building_graph", "building_graph"] {
        send_rubbish(&fleet, stage).await;
    }
    let mut ledger = Ledger::default();
    ledger.sync(&fleet, &channel, false).await;
    ledger.check(&fleet).await;
    let letters = async || {
        let listed = fleet.api.get("/api/sync/failures").await.body["failures"].clone();
        let twice = listed.to_string().contains("came 2 times");
        (twice && listed.as_array().unwrap().len() == 2).then_some(listed)
    };
    let letters = fleet.api.until(letters).await;
    let told = fleet.api.command(&["failures"]).unwrap();
    assert_eq!(told.matches("dead_letter").count(), 2, "{told}");
    for letter in letters.as_array().unwrap() {
        assert_eq!((&letter["status"], &letter["job_id"]), (&json!("dead_letter"), &Value::Null));
        assert!(letter["error"]["message"].as_str().unwrap().contains(": {!."), "{letter}");
        let (worker, came) = match letter["stage"].as_str().unwrap() {
            "extracting_facts" => ("atlas-extract-worker", 1.0),
            _ => ("atlas-graph-worker", 2.0),
        };
        let set_aside = fleet.measured(worker).await.sum("atlas_messages_set_aside_total", &[]);
        assert_eq!(set_aside.total_cmp(&came), Ordering::Equal, "{worker}: {set_aside}");
        assert_eq!(replay(&fleet, letter).await["forgotten"], 1);
    }
    assert_eq!(fleet.api.get("/api/sync/failures").await.body["failures"], json!([]));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_task_that_kills_its_worker_each_time_is_set_aside_and_stops_nobody() {
    let worker = "atlas-extract-worker";
    let mut fleet = Fleet::start_with(Crew {
        more: vec![worker],
        doubled: vec![worker],
        variables: vec![(ABORT_AT, DEADLY.to_owned())],
    })
    .await;
    let said = json!({"type": "message", "user": "U1", "ts": "1700000000.000100",
        "text": "Decision: we use Redis for the session cache."});
    let other = channel_archive(&[said]);
    let deadly = fleet.api.import(sample_archive(|_| true)).await;
    let harmless = fleet.api.import(other.clone()).await;
    let job = fleet.api.trigger(&deadly, false).await;
    let (mut deaths, mut syncs) = (0, 0);
    let mut beside = fleet.api.trigger(&harmless, true).await;
    while fleet.api.status(&deadly, &job).await["completed_at"].is_null() {
        let ended = fleet.revive();
        assert!(ended.iter().all(|program| *program == worker), "{ended:?}");
        deaths += ended.len();
        let status = fleet.api.status(&harmless, &beside).await;
        if status["completed_at"].is_string() {
            assert_eq!(
                (&status["status"], &status["progress"]["failing_messages"]),
                (&json!("completed"), &json!(0))
            );
            syncs += 1;
            beside = fleet.api.trigger(&harmless, true).await;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(deaths == 3 && syncs > 0, "{deaths} deaths, {syncs} other syncs");
    fleet.api.finished(&harmless, &beside).await;
    let status = fleet.api.status(&deadly, &job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert!(status["progress"]["failing_messages"].as_u64().unwrap() > 0, "{status}");
    let poison = until_listed(&fleet, "poison").await;
    assert_eq!((&poison["crashes"], &poison["stage"]), (&json!(3), &json!("extracting_facts")));
    let counted = async || {
        let told = fleet.measured("atlas-scheduler").await;
        let set_aside = [("stage", "extracting_facts"), ("status", "poison")];
        let gone = told.sum("atlas_repairs_total", &[("kind", "expired_lease")]);
        (told.sum("atlas_tasks", &set_aside) > 0.0).then_some(gone)
    };
    // Both slots of a worker that dies may have held something.
    assert!((3.0..=6.0).contains(&fleet.api.until(counted).await));

    // A release that knows better.
    while let Some(n) = fleet.members.iter().position(|member| member.program == worker) {
        assert!(fleet.members.remove(n).end());
    }
    fleet.add_with(worker, &[(ABORT_AT, "")]);
    let again = replay(&fleet, &poison).await["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    let status = fleet.api.finished(&deadly, &again).await;
    assert_eq!(status["progress"]["failing_messages"], 0, "{status}");
    let none = fleet.api.request(Method::GET, "/api/sync/failures");
    assert_eq!(fleet.api.send(none).await.body["failures"], json!([]));

    let calm = Rig::start().await;
    for archive in [sample_archive(|_| true), other] {
        let channel = calm.import(archive).await;
        calm.sync(&channel).await;
    }
    // Pages have had a version without the message.
    let pages = |dump: String| dump.split("== wiki_pages").next().unwrap().to_owned();
    let (rows, expected) = (dump_server(fleet.database_url(), false).await, calm.dump(false).await);
    assert_eq!(difference(&pages(expected), &pages(rows)), "");
}
