//! Which channels are synchronised, and which no longer.

use reqwest::StatusCode;
use serde_json::json;
use system_tests::Rig;

use crate::{chosen, connected, team};

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_no_longer_chosen_says_so() {
    let (chat, channel) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel]).await;
    let job = rig.trigger(&channel, false).await;
    rig.finished(&channel, &job).await;
    chosen(&rig, &id, &[]).await;
    for (path, body) in
        [("/api/sync", json!({"channel_id": channel})), ("/api/sync/retry", json!({"job_id": job}))]
    {
        let refused = rig.post(path, &body).await;
        assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "CHANNEL_NOT_FOUND"));
        let error = &refused.body["error"];
        assert_eq!(error["details"]["connection_id"], id.as_str());
        assert!(error["message"].as_str().unwrap().contains("choose it"), "{error}");
    }
    let schedule = json!({"channel_id": channel, "schedule": "0 3 * * *"});
    let refused = rig.put("/api/sync/schedules", &schedule).await;
    assert_eq!((refused.status, refused.code()), (StatusCode::NOT_FOUND, "CHANNEL_NOT_FOUND"));
    let told = rig.get(&format!("/api/channels/{channel}")).await.body;
    assert_eq!(told["message_count"], 451, "what was brought stays");
    chosen(&rig, &id, &[&channel]).await;
    assert_eq!(rig.sync(&channel).await["progress"]["total_messages"], 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_channel_that_is_given_up_before_its_sync_begins_fails_it() {
    let (chat, channel) = team().await;
    let other = chat.say("other", "We decided to have lunch at noon.");
    let rig = Rig::start_with_slots(1).await;
    let id = connected(&rig, &chat).await;
    chosen(&rig, &id, &[&channel, &other]).await;
    chat.hold();
    let holds = rig.trigger(&other, false).await;
    rig.until(async || chat.is_waited_for().then_some(())).await;
    let job = rig.trigger(&channel, false).await;
    chosen(&rig, &id, &[&other]).await;
    chat.resume();
    let status = rig.finished(&channel, &job).await;
    assert_eq!(status["error"]["code"], "CHANNEL_NOT_FOUND", "{status}");
    assert!(status["error"]["message"].as_str().unwrap().contains("no longer chosen"), "{status}");
    assert_eq!(rig.finished(&other, &holds).await["status"], "completed");
    let again = rig.post("/api/sync/failures/replay", &json!({})).await;
    assert_eq!(again.body["not_chosen"], json!([channel]), "{}", again.body);
    assert!(rig.command(&["failures", "--replay"]).unwrap().contains("Not chosen"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_command_chooses_channels_only_when_it_names_them() {
    let (chat, _) = team().await;
    let rig = Rig::start().await;
    let id = connected(&rig, &chat).await;
    let path = format!("/api/connections/{id}/channels");
    let chosen = async || {
        let offered = rig.get(&path).await.body;
        let channels = offered["channels"].as_array().unwrap().clone();
        let chosen = channels.into_iter().filter(|channel| channel["sync_enabled"] == true);
        chosen.map(|channel| channel["name"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let select = |more: &[&str]| rig.command(&[&["connections", "select", &id], more].concat());
    assert!(select(&["beacon"]).unwrap().contains("Chosen, and no others"));
    for (wrong, code) in [
        (&[][..], 2),
        (&["--schedule", "0 3 * * *"], 2),
        (&["random", "--all"], 2),
        (&["random", "--none"], 2),
        (&["--all", "--none"], 2),
        (&["nowhere"], 3),
        (&["random", "--schedule", "never"], 2),
    ] {
        let (exit, told) = select(wrong).unwrap_err();
        assert_eq!(exit, code, "{wrong:?}: {told}");
        assert_eq!(chosen().await, ["beacon"], "{wrong:?} changes nothing");
    }
    select(&["--all", "--schedule", "0 3 * * *"]).unwrap();
    assert_eq!(chosen().await, ["beacon", "random"]);
    let schedules = rig.get("/api/sync/schedules").await.body;
    assert_eq!(schedules["schedules"].as_array().unwrap().len(), 2, "{schedules}");
    assert!(select(&["--none"]).unwrap().contains("No channel"));
    assert_eq!(chosen().await, Vec::<String>::new());
}
