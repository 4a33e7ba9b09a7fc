//! Many workers at a platform that limits calls, by an nginx in front of it: they keep out of each other's way
//! by what Redis counts for all.

#![expect(clippy::unwrap_used, reason = "what tests share is no test itself")]

use std::{sync::Arc, time::Duration};

use connections::SharedLimiter;
use connectors::{Access, Account, ConnectorError, contract::Mirror, slack};
use domain::{Channel, ChannelId, ConnectionId, Platform};
use progress::redis::RedisProgress;
use serde_json::{Value, json};
use system_tests::{Gate, Limit, given};

/// The emulator counts calls by token: this one is for these tests.
const TOKEN: &str = "xoxp-ann-7";

const PROCESSES: usize = 4;
const WORKERS: usize = 8;
const MESSAGES: usize = 3;
const HISTORY: &str = "/api/conversations.history";

/// A channel of the emulator in which a little was said.
async fn channel(http: &reqwest::Client, server: &str, name: &str) -> Channel {
    let call = async |method: &str, form: &[(&str, &str)]| -> Value {
        let request = http.post(format!("{server}/api/{method}")).bearer_auth(TOKEN).form(form);
        let reply = request.send().await.unwrap().bytes().await.unwrap();
        serde_json::from_slice(&reply).unwrap()
    };
    let made = call("conversations.create", &[("name", name)]).await;
    let id = made["channel"]["id"].as_str().unwrap().to_owned();
    for number in 0..MESSAGES {
        let text = format!("message {number}");
        let said = call("chat.postMessage", &[("channel", &id), ("text", &text)]).await;
        assert_eq!(said["ok"], true, "{said}");
    }
    Channel {
        id: ChannelId::from(id.as_str()),
        connection_id: ConnectionId::random(),
        platform: Platform::Slack,
        external_id: id,
        name: name.to_owned(),
        topic: String::new(),
        last_sync: None,
    }
}

/// What a process has: a connection to Redis and an account of its own.
fn process(http: &reqwest::Client, gate: &Gate, prefix: &str) -> Arc<dyn Account> {
    let redis = RedisProgress::new(&given("ATLAS_TEST_PROGRESS_URL"), prefix).unwrap();
    slack::open(Access {
        client: http.clone().into(),
        base_url: Some(format!("{}/api", gate.url).parse().unwrap()),
        credentials: json!({"token": TOKEN}).as_object().unwrap().clone(),
        limiter: Arc::new(SharedLimiter::new(Arc::new(redis))),
        connection: "conn_test".into(),
    })
    .unwrap()
}

/// Walks a channel to its end; gives the task back when told to wait, and takes it again when that is over.
async fn walk(account: Arc<dyn Account>, channel: Channel) -> Result<usize, ConnectorError> {
    let mirror = Mirror::new(channel);
    loop {
        match mirror.walk(&*account).await {
            Ok(()) if mirror.live().len() >= MESSAGES => return Ok(mirror.live().len()),
            // What was said within the last second belongs to the next walk.
            Ok(()) => tokio::time::sleep(Duration::from_secs(1)).await,
            Err(ConnectorError::RateLimit { retry_after }) => tokio::time::sleep(retry_after).await,
            Err(error) => return Err(error),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_slack_asks_for_is_kept_by_thirty_two_workers() {
    let server = given("ATLAS_TEST_SLACK_URL").trim_end_matches("/api").to_owned();
    let limit = Limit {
        path: HISTORY,
        per_minute: 45,
        burst: 2,
        retry_after: 6,
        body: r#"{"ok":false,"error":"ratelimited"}"#,
    };
    let gate = Gate::before(&server, limit).await;
    let _ = rustls::crypto::ring::default_provider().install_default();
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let prefix = ConnectionId::random().to_string();
    let mut channels = Vec::new();
    for number in 0..PROCESSES * WORKERS {
        channels.push(
            channel(
                &http,
                &server,
                &format!("{number}-{}", prefix.replace('_', "-").to_lowercase()),
            )
            .await,
        );
    }
    let accounts: Vec<_> = (0..PROCESSES).map(|_| process(&http, &gate, &prefix)).collect();
    let walks: Vec<_> = channels
        .into_iter()
        .zip(accounts.iter().cycle())
        .map(|(channel, account)| tokio::spawn(walk(account.clone(), channel)))
        .collect();
    for walk in walks {
        assert_eq!(walk.await.unwrap().unwrap(), MESSAGES);
    }
    let calls = gate.calls(HISTORY);
    let refused: Vec<_> = calls.iter().filter(|call| call.status == 429).collect();
    println!("{} calls by {} workers, {} refused", calls.len(), PROCESSES * WORKERS, refused.len());
    assert!((1..=9).contains(&refused.len()), "{refused:?}");
    // Calls on their way when the first refusal came are answered within the first seconds.
    for refusal in refused {
        let during = |at: f64| at > refusal.at + 2.0 && at < refusal.at + 5.5;
        let meanwhile: Vec<_> = calls.iter().filter(|call| during(call.at)).collect();
        assert!(meanwhile.is_empty(), "{meanwhile:?} in the pause that {refusal:?} began");
    }
}
