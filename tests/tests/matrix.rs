//! Matrix as people use it: connect a homeserver, choose a room, synchronise; over the API, from a real Synapse.

#![expect(clippy::unwrap_used, clippy::expect_used, reason = "what tests share is no test itself")]

#[path = "../../crates/connectors/tests/platform/mod.rs"]
#[expect(dead_code, reason = "the connectors' own tests use all of it")]
mod platform;
#[path = "../../crates/connectors/tests/matrix/synapse/room.rs"]
#[expect(dead_code, reason = "the connector's own tests use all of it")]
mod room;
#[path = "../../crates/connectors/tests/matrix/synapse/server.rs"]
#[expect(dead_code, reason = "the connector's own tests use all of it")]
mod server;

use std::collections::BTreeMap;

use platform::{Row, assert_same};
use reqwest::StatusCode;
use room::Room;
use serde_json::{Value, json};
use server::{Server, free_port, shared};
use system_tests::{Place, Rig, scenarios};

scenarios! {
    a_room_of_synapse_becomes_a_wiki_and_stays_what_synapse_shows,
    a_token_that_is_revoked_fails_the_sync_and_a_new_one_brings_it_back,
    a_homeserver_that_goes_away_in_the_middle_costs_time_and_no_message,
    what_element_exports_and_what_a_sync_finds_are_one_set_of_messages,
}

async fn connect(rig: &Rig, url: &str, token: &str) -> String {
    let entered = json!({"platform": "matrix", "base_url": url, "credentials": {"token": token}});
    let reply = rig.post("/api/connections", &entered).await;
    assert_eq!(reply.status, StatusCode::CREATED, "{}", reply.text);
    reply.body["id"].as_str().unwrap().to_owned()
}

/// Chooses a room by its id at the homeserver; answers with the channel's.
async fn choose(rig: &Rig, connection: &str, name: &str) -> String {
    let path = format!("/api/connections/{connection}/channels");
    let offered = rig.get(&path).await.body;
    let room = offered["channels"].as_array().unwrap().iter().find(|room| room["name"] == name);
    let channel = room.unwrap()["id"].as_str().unwrap().to_owned();
    let reply = rig.put(&path, &json!({"channel_ids": [channel]})).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    channel
}

/// What the API tells of a channel's messages.
async fn told(rig: &Rig, channel: &str) -> BTreeMap<String, Row> {
    let (mut rows, mut cursor) = (BTreeMap::new(), String::new());
    loop {
        let path = format!("/api/channels/{channel}/messages?limit=200{cursor}");
        let page = rig.get(&path).await.body;
        for message in page["messages"].as_array().unwrap() {
            rows.insert(message["id"].as_str().unwrap().to_owned(), row(message));
        }
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return rows,
        }
    }
}

fn row(message: &Value) -> Row {
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let edited = message["edited_at"].as_str();
    let reactions = message["reactions"].as_array().unwrap();
    let counts = reactions.iter().map(|reaction| reaction["count"].as_u64().unwrap());
    Row {
        text: text(&message["text"]).unwrap(),
        reply_to: text(&message["thread_id"]).filter(|root| message["id"] != root.as_str()),
        edited_at_ms: edited
            .map(|at| chrono::DateTime::parse_from_rfc3339(at).unwrap().timestamp_millis()),
        reactions: usize::try_from(counts.sum::<u64>()).unwrap(),
        author: text(&message["author"]["name"]).unwrap(),
    }
}

/// A room in which something was decided, and what is called after it.
async fn decided(server: &Server) -> (Room<'_>, Vec<String>, String) {
    let mut room = Room::new(server).await;
    let mut said = Vec::new();
    for number in 0..30 {
        said.push(room.say(&format!("Deploy {number} went through."), None).await);
    }
    let text = "Decision: we use PostgreSQL for the ledger service.";
    said.push(room.say(text, None).await);
    room.say("Agreed.", Some(&said[30])).await;
    let state = format!("rooms/{}/state/m.room.name", room.id);
    let name = server.call(server.token("ann"), "GET", &state, json!({})).await;
    let name = name["name"].as_str().unwrap().to_owned();
    (room, said, name)
}

async fn a_room_of_synapse_becomes_a_wiki_and_stays_what_synapse_shows(place: Place) {
    let server = shared().await;
    let (mut room, said, name) = decided(server).await;
    let rig = Rig::at(place).await;
    let connection = connect(&rig, &server.url, server.token("helper")).await;
    let path = format!("/api/connections/{connection}");
    let validated = rig.post(&format!("{path}/validate"), &json!({})).await;
    assert_eq!(validated.body["valid"], true, "{}", validated.text);
    let about = rig.get(&path).await.body;
    assert_eq!((&about["name"], &about["status"]), (&json!("localhost"), &json!("connected")));
    let channel = choose(&rig, &connection, &name).await;
    let status = rig.sync(&channel).await;
    assert_eq!(status["progress"]["processed_messages"], 32, "{status}");
    assert_same(&room.rows, &told(&rig, &channel).await);
    let wiki = format!("/api/wiki/pages/decisions?channel_id={channel}");
    let decisions = rig.get(&wiki).await.text;
    assert!(decisions.contains("PostgreSQL"), "{decisions}");
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0, "nothing is new");
    room.say("a late reply", Some(&said[3])).await;
    room.edit(&said[4], "said better").await;
    room.react(&said[5]).await;
    room.redact(&said[6]).await;
    rig.sync(&channel).await;
    assert_same(&room.rows, &told(&rig, &channel).await);
}

/// A token of a session of its own, and the way to end that session.
async fn session(server: &Server) -> String {
    let password = json!({"type": "m.login.password", "password": "for tests",
        "identifier": {"type": "m.id.user", "user": "helper"}});
    let session = server.call("", "POST", "login", password).await;
    session["access_token"].as_str().unwrap().to_owned()
}

async fn a_token_that_is_revoked_fails_the_sync_and_a_new_one_brings_it_back(place: Place) {
    let server = shared().await;
    let (mut room, _, name) = decided(server).await;
    let rig = Rig::at(place).await;
    let token = session(server).await;
    let connection = connect(&rig, &server.url, &token).await;
    let channel = choose(&rig, &connection, &name).await;
    rig.sync(&channel).await;
    server.call(&token, "POST", "logout", json!({})).await;
    room.say("said meanwhile", None).await;
    let job = rig.trigger(&channel, false).await;
    let failed = rig.finished(&channel, &job).await;
    assert_eq!(failed["error"]["code"], "AUTH_ERROR", "{failed}");
    assert!(failed.to_string().contains("enter a new one"), "{failed}");
    let path = format!("/api/connections/{connection}");
    let about = rig.get(&path).await.body;
    assert_ne!(about["status"], "connected", "{about}");
    assert!(!format!("{about}{failed}").contains(&token));
    let renewed = json!({"credentials": {"token": server.token("helper")}});
    let reply = rig.put(&path, &renewed).await;
    assert_eq!(reply.status, StatusCode::OK, "{}", reply.text);
    rig.sync(&channel).await;
    assert_same(&room.rows, &told(&rig, &channel).await);
}

async fn a_homeserver_that_goes_away_in_the_middle_costs_time_and_no_message(place: Place) {
    let port = free_port();
    let server = Server::start("early", port).await;
    let rig = Rig::at(place).await;
    let connection = connect(&rig, &server.url, server.token("helper")).await;
    let channel = choose(&rig, &connection, "General").await;
    rig.sync(&channel).await;
    assert_same(&server.seeded_rows(), &told(&rig, &channel).await);
    server.stop();
    let job = rig.trigger(&channel, false).await;
    let retrying = rig
        .until(async || {
            let status = rig.status(&channel, &job).await;
            let retrying = &status["stages"][0]["retrying"];
            retrying["code"].is_string().then(|| retrying["code"].clone())
        })
        .await;
    assert_eq!(retrying, "PLATFORM_ERROR");
    let server = Server::start("late", port).await;
    let status = rig.finished(&channel, &job).await;
    assert_eq!(status["status"], "completed", "{status}");
    assert_same(&server.seeded_rows(), &told(&rig, &channel).await);
    server.stop();
}

/// The room as Element exports it: what it shows, with the words of the last edit, oldest first.
async fn exported(room: &Room<'_>, decrypted: &str) -> Vec<u8> {
    let path = format!("rooms/{}/messages?dir=f&limit=1000", room.id);
    let mut page = room.server.call(room.server.token("helper"), "GET", &path, json!({})).await;
    let shown = |event: &&mut Value| {
        !["m.reaction", "m.room.redaction"].contains(&event["type"].as_str().unwrap())
            && event["content"]["m.relates_to"]["rel_type"] != "m.replace"
    };
    let mut events = Vec::new();
    for event in page["chunk"].as_array_mut().unwrap().iter_mut().filter(shown) {
        let edit = &event["unsigned"]["m.relations"]["m.replace"]["content"]["m.new_content"];
        if edit.is_object() {
            event["content"] = edit.clone();
        }
        if event["type"] == "m.room.encrypted" {
            event["type"] = "m.room.message".into();
            event["content"] = json!({"msgtype": "m.text", "body": decrypted});
        }
        events.push(event.take());
    }
    let events = serde_json::to_string_pretty(&events).unwrap();
    let about = r#""room_name": "As it was called", "room_creator": "Ann Smith", "topic": """#;
    let when = r#""export_date": "6/15/2025", "exported_by": "Helper""#;
    format!("{{\n  {about},\n  {when},\n  \"messages\": {events}\n}}").into_bytes()
}

async fn what_element_exports_and_what_a_sync_finds_are_one_set_of_messages(place: Place) {
    let (mut room, said, name) = decided(shared().await).await;
    let reply = room.say("a reply that is edited", Some(&said[0])).await;
    room.edit(&reply, "an edited reply").await;
    room.edit(&said[1], "said better").await;
    room.react(&said[2]).await;
    room.redact(&said[3]).await;
    let cipher = json!({"algorithm": "m.megolm.v1.aes-sha2", "ciphertext": "abc",
        "session_id": "s", "device_id": "D", "sender_key": "k"});
    let (secret, _) = room.put("send/m.room.encrypted", cipher).await;
    let rig = Rig::at(place).await;
    let imported = rig.import(exported(&room, "what was encrypted").await).await;
    rig.sync(&imported).await;
    let mut exported = told(&rig, &imported).await;
    assert_eq!(exported.remove(&secret).unwrap().text, "what was encrypted");
    let mut known = room.rows.clone();
    // What the file does not say: who reacts, and which thread an edited reply is in.
    known.get_mut(&said[2]).unwrap().reactions = 0;
    known.get_mut(&reply).unwrap().reply_to = None;
    assert_same(&known, &exported);
    let path = format!("/api/channels/{imported}/messages/");
    let link = async |id: &str| {
        let id = id.replace('$', "%24");
        rig.get(&format!("{path}{id}")).await.body["permalink"].clone()
    };
    let linked = link(&said[1]).await;
    let connection = connect(&rig, &room.server.url, room.server.token("helper")).await;
    assert_eq!(choose(&rig, &connection, &name).await, imported, "the same channel");
    let synced = rig.sync(&imported).await;
    assert_eq!(synced["progress"]["total_messages"], 2, "the reaction and the thread: {synced}");
    let mut live = told(&rig, &imported).await;
    assert_eq!(live.remove(&secret).unwrap().text, "what was encrypted", "no cipher instead");
    assert_same(&room.rows, &live);
    assert_eq!(link(&said[1]).await, linked);
}
