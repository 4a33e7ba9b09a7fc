//! Many workers at a platform that limits calls, by an nginx in front of it: they keep out of each other's way
//! by what Redis counts for all.

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

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use connections::SharedLimiter;
use connectors::{Account, ConnectorError, contract::Mirror, http::Limiter, matrix, slack};
use domain::{Channel, ConnectionId, Platform};
use progress::{Progress, memory::MemoryProgress, redis::RedisProgress};
use room::Room;
use serde_json::{Value, json};
use system_tests::{Call, Gate, Limit, given};
use tokio::task::JoinSet;

/// The emulator counts calls by token: this one is for these tests.
const TOKEN: &str = "xoxp-ann-7";

const PROCESSES: usize = 4;
const WORKERS: usize = 8;
const MESSAGES: usize = 3;

/// How long workers may take to be refused often.
const SOON: Duration = Duration::from_secs(120);

const HISTORY: &str = "/api/conversations.history";

/// Accounts of all workers: those of a process share one, and processes count by Redis.
fn counting_together(open: impl Fn(Arc<dyn Limiter>) -> Arc<dyn Account>) -> Vec<Arc<dyn Account>> {
    let prefix = ConnectionId::random().to_string();
    let process = || {
        let redis = RedisProgress::new(&given("ATLAS_TEST_PROGRESS_URL"), &prefix).unwrap();
        open(Arc::new(SharedLimiter::new(Arc::new(redis))))
    };
    (0..PROCESSES).map(|_| process()).flat_map(|account| vec![account; WORKERS]).collect()
}

/// Accounts of workers that know nothing of each other.
fn counting_alone(open: impl Fn(Arc<dyn Limiter>) -> Arc<dyn Account>) -> Vec<Arc<dyn Account>> {
    let alone = || -> Arc<dyn Progress> { Arc::new(MemoryProgress::default()) };
    (0..PROCESSES * WORKERS).map(|_| open(Arc::new(SharedLimiter::new(alone())))).collect()
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

/// Every worker walks a channel.
fn start(
    accounts: Vec<Arc<dyn Account>>,
    channels: Vec<Channel>,
) -> JoinSet<Result<usize, ConnectorError>> {
    accounts.into_iter().zip(channels).map(|(account, channel)| walk(account, channel)).collect()
}

/// Waits for the last of them.
async fn ended(walks: JoinSet<Result<usize, ConnectorError>>) {
    for read in walks.join_all().await {
        assert_eq!(read.unwrap(), MESSAGES);
    }
}

fn refused(calls: &[Call]) -> Vec<&Call> {
    calls.iter().filter(|call| call.status == 429).collect()
}

fn tell(calls: &[Call]) {
    let (calls, refused) = (calls.len(), refused(calls).len());
    println!("{calls} calls by {} workers, {refused} refused", PROCESSES * WORKERS);
}

/// Few are refused, and nobody calls while all are asked to stay away.
fn assert_polite(calls: &[Call]) {
    tell(calls);
    let refused = refused(calls);
    assert!((1..=9).contains(&refused.len()), "{refused:?}");
    // Those that did not know of the refusal yet come within the first seconds.
    for refusal in refused {
        let since = |call: &Call| call.came_at - refusal.answered_at;
        let meanwhile: Vec<_> =
            calls.iter().filter(|call| (2.0..5.5).contains(&since(call))).collect();
        assert!(meanwhile.is_empty(), "{meanwhile:?} in the pause that {refusal:?} began");
    }
}

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
    platform::channel(Platform::Slack, &id)
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
    let url = format!("{}/api", gate.url);
    let accounts = counting_together(|limiter| {
        let access = platform::access_limited_by(&url, json!({"token": TOKEN}), limiter);
        slack::open(access).unwrap()
    });
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let prefix = ConnectionId::random().to_string().replace('_', "-").to_lowercase();
    let mut channels = Vec::new();
    for number in 0..accounts.len() {
        channels.push(channel(&http, &server, &format!("{number}-{prefix}")).await);
    }
    ended(start(accounts, channels)).await;
    assert_polite(&gate.calls(HISTORY));
}

/// A room of Synapse, and an nginx that limits how often its history is read.
async fn limited_room(per_minute: u32, burst: u32) -> (Room<'static>, Gate, String) {
    let server = server::shared().await;
    let mut room = Room::new(server).await;
    for number in 0..MESSAGES {
        room.say(&format!("message {number}"), None).await;
    }
    let path = format!("/_matrix/client/v3/rooms/{}/messages", room.id);
    let limit = Limit {
        path: &path,
        per_minute,
        burst,
        retry_after: 6,
        body: r#"{"errcode":"M_LIMIT_EXCEEDED","error":"Too Many Requests"}"#,
    };
    let gate = Gate::before(&server.url, limit).await;
    (room, gate, path)
}

fn opened(room: &Room<'_>, gate: &Gate, limiter: Arc<dyn Limiter>) -> Arc<dyn Account> {
    let token = json!({"token": room.server.token("helper")});
    matrix::open(platform::access_limited_by(&gate.url, token, limiter)).unwrap()
}

fn channels(room: &Room<'_>) -> Vec<Channel> {
    vec![platform::channel(Platform::Matrix, &room.id); PROCESSES * WORKERS]
}

#[tokio::test(flavor = "multi_thread")]
async fn a_pause_that_is_asked_for_before_synapse_is_kept_by_thirty_two_workers() {
    // A third of what they begin with: they have to learn that, once for all.
    let (room, gate, path) = limited_room(90, 3).await;
    let accounts = counting_together(|limiter| opened(&room, &gate, limiter));
    ended(start(accounts, channels(&room))).await;
    assert_polite(&gate.calls(&path));
}

/// What the test above finds is due to the limiter that all share.
#[tokio::test(flavor = "multi_thread")]
async fn workers_that_count_each_for_itself_are_refused_again_and_again() {
    let (room, gate, path) = limited_room(90, 3).await;
    let accounts = counting_alone(|limiter| opened(&room, &gate, limiter));
    let begun = Instant::now();
    let mut walks = start(accounts, channels(&room));
    while refused(&gate.calls(&path)).len() <= PROCESSES * WORKERS {
        assert!(!walks.is_empty() && begun.elapsed() < SOON, "they are not refused");
        // Those that are through are waited for no longer.
        while walks.try_join_next().is_some() {}
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    tell(&gate.calls(&path));
}
