//! The fixed part of the HTTP contract, field by field, against the live service.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{sync::Arc, time::Duration};

use atlas_sync::server::Doubles;
use connectors::{
    ConnectorError,
    replay::{Replay, Step},
};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use system_tests::{Place, Rig, channel_archive, message, sample_archive, scenarios};

scenarios!(
    a_trigger_is_accepted_with_every_field,
    a_status_has_every_field_from_the_start_to_the_end,
    one_of_two_triggers_at_the_same_instant_wins,
    an_idempotency_key_gives_the_first_reply_again_and_no_other,
    bad_input_of_every_kind_gets_the_contracts_error,
    every_route_of_the_api_asks_for_a_key,
    history_pages_backwards_and_filters,
    a_failed_job_tells_why_in_status_and_history,
    a_rate_limit_is_waited_out_and_uses_no_attempt_up,
    schedules_are_set_listed_replaced_and_removed,
    events_tell_every_state_up_to_the_last,
    a_retry_is_a_sync_of_the_jobs_channel,
);

fn replaying() -> (Arc<Replay>, Doubles) {
    let replay = Arc::new(Replay::new(10));
    (replay.clone(), Doubles { connector: Some(replay), ..Doubles::default() })
}

/// A rig with the channel `C1`, whose walk hangs until it is released.
async fn hanging(place: Place) -> (Arc<Replay>, Rig) {
    let (replay, doubles) = replaying();
    let rig = Rig::at_with(place, doubles).await;
    let id = rig.channel().await;
    replay.say(&id, (0..20).map(|n| message(n, "Decision: we use Redis for the cache.")));
    replay.script([Step::Hang]);
    (replay, rig)
}

fn is_time(value: &Value) -> bool {
    value.as_str().is_some_and(|text| text.len() >= 20 && text.ends_with('Z') && text.contains('T'))
}

async fn a_trigger_is_accepted_with_every_field(place: Place) {
    let (replay, rig) = hanging(place).await;
    let reply = rig.post("/api/sync", &json!({"channel_id": "C1"})).await;
    assert_eq!(reply.status, StatusCode::ACCEPTED);
    assert_eq!(reply.body["status"], "started");
    let job = reply.body["job_id"].as_str().unwrap();
    assert!(job.starts_with("sync_") && job.len() == 37, "{job}");
    assert_eq!(reply.body["channel_id"], "C1");
    assert_eq!(reply.body["estimated_messages"], 20);
    assert!(is_time(&reply.body["started_at"]));
    let place = format!("/api/sync/status?channel_id=C1&job_id={job}");
    assert_eq!(reply.headers["location"], place.as_str());
    replay.release();
    assert_eq!(rig.finished("C1", job).await["status"], "completed");
}

async fn a_status_has_every_field_from_the_start_to_the_end(place: Place) {
    let (replay, rig) = hanging(place).await;
    let job = rig.trigger("C1", false).await;
    let running = rig
        .until(async || {
            let status = rig.status("C1", &job).await;
            (status["status"] == "running").then_some(status)
        })
        .await;
    assert_eq!(running["current_stage"], "fetching_messages");
    assert_eq!(running["estimated_completion"], Value::Null);
    for field in ["total_messages", "processed_messages", "failing_messages", "percentage"] {
        assert!(running["progress"][field].is_u64(), "{field}");
    }
    replay.release();
    let ended = rig.finished("C1", &job).await;
    assert_eq!(ended["status"], "completed");
    assert_eq!(ended["current_stage"], Value::Null);
    let all = json!({"total_messages": 20, "processed_messages": 20, "failing_messages": 0, "percentage": 100});
    assert_eq!(ended["progress"], all);
    let names: Vec<_> =
        ended["stages"].as_array().unwrap().iter().map(|s| s["name"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        ["fetching_messages", "extracting_facts", "building_graph", "generating_wiki"]
    );
    for stage in ended["stages"].as_array().unwrap() {
        assert_eq!(stage["status"], "completed");
        assert!(is_time(&stage["started_at"]) && is_time(&stage["completed_at"]));
        assert!(stage["duration_seconds"].is_f64());
    }
    assert_eq!(
        (&ended["trigger"], &ended["force"], &ended["error"]),
        (&json!("manual"), &json!(false), &Value::Null)
    );
    // Without a job: the newest.
    assert_eq!(rig.get("/api/sync/status?channel_id=C1").await.body["job_id"], job.as_str());
}

async fn one_of_two_triggers_at_the_same_instant_wins(place: Place) {
    let (replay, rig) = hanging(place).await;
    let body = json!({"channel_id": "C1"});
    let (one, other) = tokio::join!(rig.post("/api/sync", &body), rig.post("/api/sync", &body));
    let (won, lost) = if one.status == StatusCode::ACCEPTED { (one, other) } else { (other, one) };
    assert_eq!(won.status, StatusCode::ACCEPTED);
    assert_eq!((lost.status, lost.code()), (StatusCode::CONFLICT, "SYNC_IN_PROGRESS"));
    assert_eq!(lost.body["error"]["details"]["job_id"], won.body["job_id"]);
    replay.release();
}

async fn an_idempotency_key_gives_the_first_reply_again_and_no_other(place: Place) {
    let (replay, rig) = hanging(place).await;
    let send = async |key: &str, body: Value| {
        rig.send(rig.request(Method::POST, "/api/sync").header("Idempotency-Key", key).json(&body))
            .await
    };
    let body = json!({"channel_id": "C1"});
    let (one, other) = tokio::join!(send("k1", body.clone()), send("k1", body.clone()));
    assert_eq!((one.status, other.status), (StatusCode::ACCEPTED, StatusCode::ACCEPTED));
    assert_eq!(one.body, other.body);
    let reused = send("k1", json!({"channel_id": "C1", "force": true})).await;
    assert_eq!((reused.status.as_u16(), reused.code()), (422, "IDEMPOTENCY_KEY_REUSED"));
    assert_eq!(send("k2", body.clone()).await.code(), "SYNC_IN_PROGRESS");
    replay.release();
    rig.finished("C1", one.body["job_id"].as_str().unwrap()).await;
    assert_eq!(send("k1", body.clone()).await.body, one.body);
    let long = send(&"x".repeat(256), body).await;
    assert_eq!(
        (long.code(), &long.body["error"]["details"]["field"]),
        ("INVALID_REQUEST", &json!("Idempotency-Key"))
    );
}

async fn bad_input_of_every_kind_gets_the_contracts_error(place: Place) {
    let rig = Rig::at(place).await;
    let bodies = [
        ("not json", 400, Value::Null),
        ("[1]", 400, Value::Null),
        ("{}", 422, json!("channel_id")),
        (r#"{"channel_id": 7}"#, 422, json!("channel_id")),
        (r#"{"channel_id": ""}"#, 422, json!("channel_id")),
        (r#"{"channel_id": "a\u0000b"}"#, 422, json!("channel_id")),
        (r#"{"channel_id": "C1", "force": "yes"}"#, 422, json!("force")),
    ];
    for (body, status, field) in bodies {
        let reply = rig.send(rig.request(Method::POST, "/api/sync").body(body)).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (status, "INVALID_REQUEST"), "{body}");
        assert_eq!(reply.body["error"]["details"]["field"], field, "{body}");
    }
    let long = json!({"channel_id": "x".repeat(256)});
    assert_eq!(rig.post("/api/sync", &long).await.status.as_u16(), 422);
    let huge = "x".repeat(70_000);
    let reply = rig.send(rig.request(Method::POST, "/api/sync").body(huge)).await;
    assert_eq!((reply.status.as_u16(), reply.code()), (413, "INVALID_REQUEST"));
    for path in [
        "/api/sync/status",
        "/api/sync/history?channel_id=C1&limit=0",
        "/api/sync/history?channel_id=C1&limit=101",
        "/api/sync/history?channel_id=C1&before=x",
        "/api/memories?limit=201",
        "/api/memories?cursor=%21",
        "/api/memories?kind=gossip",
        "/api/memories?since=soon",
        "/api/graph/entities?type=cow",
    ] {
        let reply = rig.get(path).await;
        assert_eq!(
            (reply.status.as_u16(), reply.code()),
            (422, "INVALID_REQUEST"),
            "{path} {}",
            reply.text
        );
    }
    for (path, code) in [
        ("/api/nothing", "NOT_FOUND"),
        ("/api/channels/C9", "CHANNEL_NOT_FOUND"),
        ("/api/memories/x", "FACT_NOT_FOUND"),
        ("/api/graph/entities/x", "ENTITY_NOT_FOUND"),
        ("/api/imports/x", "IMPORT_NOT_FOUND"),
        ("/api/wiki/structure?channel_id=C9", "CHANNEL_NOT_FOUND"),
        ("/api/sync/status?channel_id=C9", "JOB_NOT_FOUND"),
        ("/api/sync/history?channel_id=C9", "CHANNEL_NOT_FOUND"),
    ] {
        let reply = rig.get(path).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (404, code), "{path}");
    }
    let unknown = rig.post("/api/sync", &json!({"channel_id": "C9"})).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "CHANNEL_NOT_FOUND"));
    assert_eq!(rig.delete("/api/sync").await.status.as_u16(), 405);
}

async fn every_route_of_the_api_asks_for_a_key(place: Place) {
    let rig = Rig::at(place).await;
    let http = reqwest::Client::new();
    let document: Value = serde_json::from_str(&rig.get("/openapi.json").await.text).unwrap();
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 20);
    for (path, methods) in paths {
        for method in methods.as_object().unwrap().keys() {
            let method: Method = method.to_uppercase().parse().unwrap();
            let url = format!(
                "{}{}",
                rig.base(),
                path.replace("{id}", "x").replace("{message_id}", "x").replace("{slug}", "x")
            );
            for key in [None, Some("wrong")] {
                let mut request = http.request(method.clone(), &url);
                if let Some(key) = key {
                    request = request.bearer_auth(key);
                }
                let reply = rig.send(request).await;
                assert_eq!(
                    (reply.status.as_u16(), reply.code()),
                    (401, "UNAUTHORIZED"),
                    "{method} {path}"
                );
            }
        }
    }
    for open in ["/openapi.json", "/docs/"] {
        let response = http.get(format!("{}{open}", rig.base())).send().await.unwrap();
        assert_eq!(response.status(), 200, "{open}");
    }
}

async fn history_pages_backwards_and_filters(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(sample_archive(|_| true)).await;
    let mut jobs = Vec::new();
    for _ in 0..4 {
        jobs.push(rig.sync(&channel).await["job_id"].as_str().unwrap().to_owned());
    }
    jobs.reverse();
    let page = rig.get(&format!("/api/sync/history?channel_id={channel}&limit=3")).await.body;
    let ids = |page: &Value| -> Vec<String> {
        page["history"]
            .as_array()
            .unwrap()
            .iter()
            .map(|e| e["job_id"].as_str().unwrap().to_owned())
            .collect()
    };
    assert_eq!(ids(&page), jobs[..3]);
    let rest =
        rig.get(&format!("/api/sync/history?channel_id={channel}&before={}", jobs[2])).await.body;
    assert_eq!(ids(&rest), jobs[3..]);
    let entry = &rest["history"][0];
    assert_eq!(
        (&entry["status"], &entry["messages_synced"], &entry["error"]),
        (&json!("completed"), &json!(339), &Value::Null)
    );
    assert!(
        entry["facts_extracted"].as_u64().unwrap() > 0
            && entry["entities_created"].as_u64().unwrap() > 0
    );
    assert!(is_time(&entry["completed_at"]) && entry["duration_seconds"].is_f64());
    let failed =
        rig.get(&format!("/api/sync/history?channel_id={channel}&status=failed")).await.body;
    assert_eq!(failed, json!({"history": []}));
}

async fn a_failed_job_tells_why_in_status_and_history(place: Place) {
    let (replay, doubles) = replaying();
    let rig = Rig::at_with(place, doubles).await;
    rig.channel().await;
    replay.script([Step::Fail(ConnectorError::Auth("log in again".into()))]);
    let job = rig.trigger("C1", false).await;
    let status = rig.finished("C1", &job).await;
    assert_eq!(
        (&status["status"], &status["error"]["code"]),
        (&json!("failed"), &json!("AUTH_ERROR"))
    );
    let history = rig.get("/api/sync/history?channel_id=C1").await.body;
    assert_eq!(history["history"][0]["error"], status["error"]);
}

async fn a_rate_limit_is_waited_out_and_uses_no_attempt_up(place: Place) {
    let (replay, doubles) = replaying();
    let rig = Rig::at_with(place, doubles).await;
    let id = rig.channel().await;
    replay.say(&id, [message(0, "Decision: we use Redis for the cache.")]);
    let limited = Step::Fail(ConnectorError::RateLimit { retry_after: Duration::from_secs(1) });
    replay.script([limited.clone(), limited]);
    let job = rig.trigger("C1", false).await;
    let waiting = rig
        .until(async || {
            let stage = rig.status("C1", &job).await["stages"][0].clone();
            stage["retrying"].is_object().then_some(stage)
        })
        .await;
    assert_eq!(
        (&waiting["retrying"]["code"], &waiting["retrying"]["attempt"]),
        (&json!("RATE_LIMIT"), &json!(1))
    );
    assert!(is_time(&waiting["retrying"]["next_attempt_at"]));
    assert_eq!(rig.finished("C1", &job).await["status"], "completed");
}

async fn schedules_are_set_listed_replaced_and_removed(place: Place) {
    let rig = Rig::at(place).await;
    let channel = rig.import(channel_archive(&[])).await;
    let body = json!({"channel_id": channel, "schedule": "0 */2 * * *", "enabled": true});
    let set = rig.put("/api/sync/schedules", &body).await;
    assert_eq!(set.status, StatusCode::OK);
    assert_eq!(
        (&set.body["schedule"], &set.body["enabled"], &set.body["last_sync"]),
        (&json!("0 */2 * * *"), &json!(true), &Value::Null)
    );
    assert!(is_time(&set.body["next_sync"]));
    let list = rig.get("/api/sync/schedules").await.body;
    assert_eq!(list["schedules"], json!([set.body]));
    let disabled = json!({"channel_id": channel, "schedule": "@daily", "enabled": false, "timezone": "Europe/Berlin"});
    assert_eq!(rig.put("/api/sync/schedules", &disabled).await.body["next_sync"], Value::Null);
    for bad in ["* * * *", "0 0 30 2 *", "*/60 * * * *", "0 0 0 * * *"] {
        let reply =
            rig.put("/api/sync/schedules", &json!({"channel_id": channel, "schedule": bad})).await;
        assert_eq!((reply.status.as_u16(), reply.code()), (422, "INVALID_SCHEDULE"), "{bad}");
        assert!(reply.body["error"]["details"]["reason"].is_string());
    }
    let zone = json!({"channel_id": channel, "schedule": "@daily", "timezone": "Mars/Olympus"});
    assert_eq!(rig.put("/api/sync/schedules", &zone).await.code(), "INVALID_SCHEDULE");
    let unknown = json!({"channel_id": "C9", "schedule": "@daily"});
    assert_eq!(rig.put("/api/sync/schedules", &unknown).await.code(), "CHANNEL_NOT_FOUND");
    let path = format!("/api/sync/schedules?channel_id={channel}");
    assert_eq!(rig.delete(&path).await.status.as_u16(), 204);
    assert_eq!(rig.delete(&path).await.status.as_u16(), 404);
}

async fn events_tell_every_state_up_to_the_last(place: Place) {
    let (replay, rig) = hanging(place).await;
    let job = rig.trigger("C1", false).await;
    let path = format!("/api/sync/events?channel_id=C1&job_id={job}");
    let open = rig.request(Method::GET, &path).send().await.unwrap();
    assert_eq!(open.headers()["content-type"], "text/event-stream");
    replay.release();
    // The stream ends by itself with the job.
    let text = tokio::time::timeout(Duration::from_secs(30), open.text()).await.unwrap().unwrap();
    let events: Vec<&str> = text.split("\n\n").filter(|event| event.contains("data: ")).collect();
    let field = |event: &str, name: &str| -> String {
        event.lines().find_map(|line| line.strip_prefix(name)).unwrap().trim().to_owned()
    };
    let revisions: Vec<i64> =
        events.iter().map(|event| field(event, "id:").parse().unwrap()).collect();
    assert!(revisions.windows(2).all(|pair| pair[0] < pair[1]), "{revisions:?}");
    assert!(events.iter().all(|event| field(event, "event:") == "status"));
    let last: Value = serde_json::from_str(&field(events.last().unwrap(), "data:")).unwrap();
    assert_eq!(last, rig.status("C1", &job).await);
    assert_eq!(last["status"], "completed");
}

async fn a_retry_is_a_sync_of_the_jobs_channel(place: Place) {
    let (replay, doubles) = replaying();
    let rig = Rig::at_with(place, doubles).await;
    let id = rig.channel().await;
    replay.say(&id, [message(0, "Decision: we use Redis for the session cache.")]);
    replay.script([Step::Fail(ConnectorError::Auth("log in again".into()))]);
    let failed = rig.trigger("C1", false).await;
    rig.finished("C1", &failed).await;
    let reply = rig.post("/api/sync/retry", &json!({"job_id": failed})).await;
    assert_eq!((reply.status, &reply.body["channel_id"]), (StatusCode::ACCEPTED, &json!("C1")));
    let job = reply.body["job_id"].as_str().unwrap();
    assert_ne!(job, failed);
    let status = rig.finished("C1", job).await;
    assert_eq!((&status["status"], &status["trigger"]), (&json!("completed"), &json!("retry")));
    let unknown = rig.post("/api/sync/retry", &json!({"job_id": "sync_x"})).await;
    assert_eq!((unknown.status.as_u16(), unknown.code()), (404, "JOB_NOT_FOUND"));
}
