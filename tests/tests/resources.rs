//! What stands around the fixed part of the contract: imports, messages, facts, graph, wiki, health.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::sync::Arc;

use atlas_sync::server::Doubles;
use connectors::{
    ConnectorError,
    replay::{Replay, Step as Page},
};
use reqwest::Method;
use serde_json::{Value, json};
use system_tests::{Place, Rig, difference, message, sample_archive, scenarios};

scenarios!(
    lists_page_through_everything_once,
    an_upload_that_is_no_export_is_refused_with_the_reason,
    a_table_is_imported_as_its_options_say_and_synchronised,
    the_wiki_is_read_as_json_as_markdown_by_version_and_as_a_zip,
    erased_data_comes_back_with_the_next_sync,
    health_names_its_dependencies,
    the_graph_is_walked_from_an_entity,
    the_syncs_of_all_channels_are_listed_newest_first,
    what_failed_is_listed_and_tried_again_on_request,
);

async fn lists_page_through_everything_once(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    for (path, name) in [
        (format!("/api/memories?channel_id={channel}"), "memories"),
        (format!("/api/graph/entities?channel_id={channel}"), "entities"),
        (format!("/api/graph/relationships?channel_id={channel}"), "relationships"),
        (format!("/api/channels/{channel}/messages?x=1"), "messages"),
    ] {
        let whole =
            rig.get(&format!("{path}&limit=200")).await.body[name].as_array().unwrap().len();
        let mut seen = std::collections::BTreeSet::new();
        let mut cursor = String::new();
        for _ in 0..200 {
            let page = rig.get(&format!("{path}&limit=7{cursor}")).await.body;
            for entry in page[name].as_array().unwrap() {
                assert!(seen.insert(entry["id"].as_str().unwrap().to_owned()), "{name} twice");
            }
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        assert!(seen.len() >= whole && !seen.is_empty(), "{name}");
    }
}

async fn an_upload_that_is_no_export_is_refused_with_the_reason(place: Place) {
    let rig = Rig::at(place).await;
    let send = async |bytes: Vec<u8>| {
        let file = reqwest::multipart::Part::bytes(bytes).file_name("x.zip");
        let form = reqwest::multipart::Form::new().part("file", file);
        rig.send(rig.request(Method::POST, "/api/imports").multipart(form)).await
    };
    let reply = send(Vec::new()).await;
    assert_eq!(
        (reply.code(), &reply.body["error"]["details"]["field"]),
        ("INVALID_REQUEST", &json!("file"))
    );
    let junk = rig.upload(b"hello, I am no export".to_vec()).await;
    assert_eq!(junk["status"], "failed");
    assert!(junk["error"]["message"].as_str().unwrap().contains("content"), "{junk}");
    let file = reqwest::multipart::Part::bytes(b"PK\x03\x04...".to_vec()).file_name("x.zip");
    let late = reqwest::multipart::Form::new().part("file", file).text("format", "slack_export");
    let reply = rig.send(rig.request(Method::POST, "/api/imports").multipart(late)).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (422, "INVALID_REQUEST"));
    let broken = rig.upload(b"PK\x03\x04 and then nothing of the kind".to_vec()).await;
    assert_eq!(broken["status"], "failed");
    assert!(broken["error"]["message"].as_str().unwrap().contains("zip"));
    let plain = rig.send(rig.request(Method::POST, "/api/imports").body("x")).await;
    assert_eq!((plain.status.as_u16(), plain.code()), (400, "INVALID_REQUEST"));
}

async fn a_table_is_imported_as_its_options_say_and_synchronised(place: Place) {
    let rig = Rig::at(place).await;
    let send = async |options: &str| {
        let table = "when|who|what\n03/04/2026 10:00|Ann|We decided to use Kafka for events.\nsoon|Bob|lost\n";
        let file = reqwest::multipart::Part::bytes(table.as_bytes()).file_name("Team Talk.csv");
        let form = reqwest::multipart::Form::new();
        let form = form.text("format", "csv").text("options", options.to_owned());
        let form = form.part("file", file);
        rig.send(rig.request(Method::POST, "/api/imports").multipart(form)).await
    };
    let refused = send(r#"{"colums": {}}"#).await;
    assert_eq!(
        (refused.status.as_u16(), &refused.body["error"]["details"]["field"]),
        (422, &json!("options"))
    );
    let columns = r#"{"content": "what", "timestamp": "when", "author": "who"}"#;
    let accepted = send(&format!(
        r#"{{"columns": {columns}, "timezone": "Europe/Berlin", "day_first": true}}"#
    ))
    .await;
    let path = format!("/api/imports/{}", accepted.body["id"].as_str().unwrap());
    let import = rig
        .until(async || {
            let import = rig.get(&path).await.body;
            matches!(import["status"].as_str(), Some("completed" | "failed")).then_some(import)
        })
        .await;
    assert_eq!(
        (&import["rows"], &import["row_errors"][0]["line"]),
        (&json!(1), &json!(3)),
        "{import}"
    );
    assert_eq!(import["channels"], json!(["file:team-talk"]));
    rig.sync("file:team-talk").await;
    let messages = rig.get("/api/channels/file%3Ateam-talk/messages").await.body;
    assert_eq!(messages["messages"][0]["timestamp"], "2026-04-03T08:00:00Z");
    let facts = rig.get("/api/memories?channel_id=file%3Ateam-talk").await.body;
    assert_eq!(facts["memories"][0]["kind"], "decision", "{facts}");
}

async fn the_wiki_is_read_as_json_as_markdown_by_version_and_as_a_zip(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    let path = format!("/api/wiki/pages/decisions?channel_id={channel}");
    let page = rig.get(&path).await.body;
    assert_eq!((&page["kind"], &page["version"]), (&json!("decisions"), &json!(1)));
    assert!(page["citations"].as_array().unwrap().len() > 10);
    let markdown =
        rig.send(rig.request(Method::GET, &path).header("accept", "text/markdown")).await;
    assert_eq!(markdown.text, page["content"]);
    assert!(markdown.text.contains("superseded on 2026-03-26"), "{}", markdown.text);
    assert_eq!(rig.get(&format!("{path}&version=1")).await.body, page);
    assert_eq!(rig.get(&format!("{path}&version=2")).await.code(), "PAGE_NOT_FOUND");
    let versions =
        rig.get(&format!("/api/wiki/versions?channel_id={channel}&slug=decisions")).await.body;
    assert_eq!(versions["versions"].as_array().unwrap().len(), 1);
    let zip = rig
        .request(Method::GET, &format!("/api/wiki/download?channel_id={channel}"))
        .send()
        .await
        .unwrap();
    let bytes = zip.bytes().await.unwrap();
    let mut archive = zip::ZipArchive::new(std::io::Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    std::io::Read::read_to_string(&mut archive.by_name("decisions.md").unwrap(), &mut text)
        .unwrap();
    assert_eq!(text, page["content"]);
}

async fn erased_data_comes_back_with_the_next_sync(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    let before = rig.dump(false).await;
    assert_eq!(rig.delete(&format!("/api/channels/{channel}/data")).await.status.as_u16(), 204);
    let summary = rig.get(&format!("/api/channels/{channel}")).await.body;
    assert_eq!(
        (&summary["message_count"], &summary["fact_count"], &summary["wiki_page_count"]),
        (&json!(0), &json!(0), &json!(0))
    );
    rig.sync(&channel).await;
    let after = rig.dump(false).await;
    assert_eq!(difference(&after, &before), "");
}

async fn health_names_its_dependencies(place: Place) {
    let rig = Rig::at(place).await;
    let base = format!("http://{}", rig.health_address());
    let http = reqwest::Client::new();
    let ready: Value = serde_json::from_str(
        &http.get(format!("{base}/health/ready")).send().await.unwrap().text().await.unwrap(),
    )
    .unwrap();
    assert_eq!(
        ready,
        json!({"status": "ok", "dependencies": {"database": "ok", "queue": "ok", "progress": "ok"}})
    );
    assert_eq!(http.get(format!("{base}/health/live")).send().await.unwrap().status(), 200);
    assert_eq!(http.get(format!("{base}/metrics")).send().await.unwrap().status(), 200);
}

async fn the_graph_is_walked_from_an_entity(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    rig.sync(&channel).await;
    let found = rig
        .get(&format!("/api/graph/entities?channel_id={channel}&q=kafka&type=technology"))
        .await
        .body;
    let kafka = &found["entities"][0];
    assert_eq!((&kafka["name"], &kafka["scope"]), (&json!("Kafka"), &json!("slack:T07NQUAY00")));
    assert!(kafka["fact_count"].as_u64().unwrap() > 2);
    let id = kafka["id"].as_str().unwrap();
    assert_eq!(rig.get(&format!("/api/graph/entities/{id}")).await.body, *kafka);
    let near = rig.get(&format!("/api/graph/entities/{id}/neighbors")).await.body;
    let far = rig.get(&format!("/api/graph/entities/{id}/neighbors?depth=3")).await.body;
    let nodes = |body: &Value| body["nodes"].as_array().unwrap().len();
    assert!(nodes(&near) > 1 && nodes(&far) > nodes(&near));
    let replaces =
        rig.get(&format!("/api/graph/relationships?entity={id}&type=REPLACES")).await.body;
    let edge = &replaces["relationships"][0];
    assert_eq!((&edge["source"], &edge["type"]), (&json!(id), &json!("REPLACES")));
    let fact = edge["fact_ids"][0].as_str().unwrap();
    let fact = rig.get(&format!("/api/memories/{fact}")).await.body;
    assert!(fact["text"].as_str().unwrap().contains("replace Redis Streams with Kafka"));
    assert!(fact["sources"][0]["quote"].as_str().unwrap().contains("we replace Redis Streams"));
    assert_eq!(
        rig.get(&format!("/api/graph/entities/{id}/neighbors?depth=4")).await.code(),
        "INVALID_REQUEST"
    );
    let stats = rig.get("/api/stats").await.body;
    assert_eq!((&stats["channels"], &stats["messages"]), (&json!(1), &json!(338)));
}

async fn the_syncs_of_all_channels_are_listed_newest_first(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    let first = rig.sync(&channel).await;
    let second = rig.sync(&channel).await;
    let listed = rig.get("/api/sync/jobs").await.body;
    let jobs = listed["jobs"].as_array().unwrap();
    assert_eq!([&jobs[0]["job_id"], &jobs[1]["job_id"]], [&second["job_id"], &first["job_id"]]);
    assert_eq!(jobs[0]["stages"], second["stages"], "each as its own status tells");
    let path = format!("/api/sync/jobs?limit=5&before={}", second["job_id"].as_str().unwrap());
    assert_eq!(rig.get(&path).await.body["jobs"].as_array().unwrap().len(), 1);
    let none = rig.get("/api/sync/jobs?status=failed&channel_id=C1").await.body;
    assert_eq!(none["jobs"], serde_json::json!([]));
    assert_eq!(rig.get("/api/sync/jobs?limit=0").await.code(), "INVALID_REQUEST");
}

async fn what_failed_is_listed_and_tried_again_on_request(place: Place) {
    let replay = Arc::new(Replay::new(100));
    let doubles = Doubles { connector: Some(replay.clone()), ..Doubles::default() };
    let rig = Rig::at_with(place, doubles).await;
    let id = rig.channel().await;
    replay.say(&id, (0..5).map(|n| message(n, "something was said")));
    replay.script([Page::Fail(ConnectorError::Auth("log in again".into()))]);
    let job = rig.trigger(id.as_str(), false).await;
    assert_eq!(rig.finished(id.as_str(), &job).await["status"], "failed");
    let listed = rig.get("/api/sync/failures?code=AUTH_ERROR&stage=fetching_messages").await.body;
    let failure = &listed["failures"][0];
    assert_eq!((&failure["job_id"], &failure["status"]), (&json!(job), &json!("failed")));
    assert_eq!(failure["error"]["code"], "AUTH_ERROR");
    let none = rig.get("/api/sync/failures?code=RATE_LIMIT").await.body;
    assert_eq!(none["failures"], json!([]));
    assert_eq!(rig.get("/api/sync/failures?stage=cooking").await.code(), "INVALID_REQUEST");
    let wrong = rig.post("/api/sync/failures/replay", &json!({"ids": "all"})).await;
    assert_eq!(wrong.code(), "INVALID_REQUEST");
    let of_others = rig.post("/api/sync/failures/replay", &json!({"ids": ["x"]})).await;
    assert_eq!(of_others.body["jobs"], json!([]));
    let again = rig.post("/api/sync/failures/replay", &json!({"ids": [failure["id"]]})).await;
    assert_eq!(again.status.as_u16(), 202);
    let again = again.body["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    assert_eq!(rig.finished(id.as_str(), &again).await["status"], "completed");
    assert_eq!(rig.get("/api/sync/failures").await.body["failures"], json!([]));
}
