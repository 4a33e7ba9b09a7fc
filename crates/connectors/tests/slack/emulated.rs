//! The same connector against an emulator of Slack that is not ours: `emulate`, as scripts/services starts it.
//!
//! It knows no windows, no limits of pages of replies, no tombstones and no wrong tokens: those are for our own
//! fake. What is compared is what it shows to a client of a few lines, which pages through everything.

use std::{
    collections::BTreeMap,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};

use connectors::{Account, ConnectorError, contract::Mirror, slack};
use domain::{Classify as _, ErrorCode, Platform};
use serde_json::{Value, json};

use crate::platform::{self, Row, assert_same, stored};

/// How long a change may take to be found: Slack's clock has to be past what is compared.
const SOON: Duration = Duration::from_secs(40);

fn url() -> String {
    let named = std::env::var("ATLAS_TEST_SLACK_URL");
    named.expect("ATLAS_TEST_SLACK_URL names an emulator: run scripts/test, which starts one")
}

/// Somebody at the emulator.
struct Client {
    token: String,
    http: reqwest::Client,
}

impl Client {
    fn of(token: &str) -> Self {
        let http = reqwest::Client::builder().no_proxy().build().expect("a client");
        Self { token: token.to_owned(), http }
    }

    async fn ask(&self, method: &str, form: &[(&str, &str)]) -> Value {
        let request = self.http.post(format!("{}/{method}", url())).form(form);
        let reply = request.bearer_auth(&self.token).send().await.expect("an answer");
        serde_json::from_slice(&reply.bytes().await.expect("an answer")).expect("JSON")
    }

    async fn call(&self, method: &str, form: &[(&str, &str)]) -> Value {
        let reply = self.ask(method, form).await;
        assert_eq!(reply["ok"], true, "{method} {form:?}: {reply}");
        reply
    }

    fn account(&self) -> Arc<dyn Account> {
        slack::open(platform::access(&url(), json!({"token": self.token}))).expect("an account")
    }
}

/// A channel of a test's own.
struct Room {
    client: Client,
    id: String,
}

impl Room {
    /// Each test has a token of its own, since calls are counted by token.
    async fn new(token: &str, is_private: bool) -> Self {
        let _ = platform::access(&url(), json!({}));
        let client = Client::of(token);
        let made = SystemTime::UNIX_EPOCH.elapsed().expect("a time").as_nanos();
        let (name, is_private) = (format!("c-{made}"), is_private.to_string());
        let form = [("name", name.as_str()), ("is_private", &is_private)];
        let made = client.call("conversations.create", &form).await;
        let id = made["channel"]["id"].as_str().expect("an id").to_owned();
        Self { client, id }
    }

    async fn about(&self, method: &str, form: &[(&str, &str)]) -> Value {
        let channel = [("channel", self.id.as_str())];
        self.client.call(method, &[&channel, form].concat()).await
    }

    async fn say(&self, text: &str, more: &[(&str, &str)]) -> String {
        let said = self.about("chat.postMessage", &[&[("text", text)], more].concat()).await;
        said["ts"].as_str().expect("a ts").to_owned()
    }

    fn mirror(&self) -> Mirror {
        Mirror::new(platform::channel(Platform::Slack, &self.id))
    }

    /// Everything that the emulator shows, by id.
    async fn rows(&self) -> BTreeMap<String, Row> {
        let (mut rows, mut cursor) = (BTreeMap::new(), String::new());
        let people = self.client.call("users.list", &[]).await;
        loop {
            let form = [("limit", "100"), ("cursor", cursor.as_str())];
            let page = self.about("conversations.history", &form).await;
            for message in page["messages"].as_array().expect("messages") {
                rows.insert(text(&message["ts"]), row(message, &people));
                if message["reply_count"].as_u64().is_some_and(|count| count > 0) {
                    let ts = text(&message["ts"]);
                    let thread = self.about("conversations.replies", &[("ts", &ts)]).await;
                    let replies = thread["messages"].as_array().expect("messages");
                    rows.extend(replies.iter().map(|r| (text(&r["ts"]), row(r, &people))));
                }
            }
            cursor = text(&page["response_metadata"]["next_cursor"]);
            if cursor.is_empty() {
                return rows;
            }
        }
    }

    /// Walks until our rows are the emulator's.
    async fn until_equal(&self, account: &dyn Account, mirror: &Mirror) {
        let begun = Instant::now();
        loop {
            mirror.walk(account).await.expect("a walk");
            let rows = self.rows().await;
            if stored(mirror) == rows || begun.elapsed() > SOON {
                assert_same(&rows, &stored(mirror));
                return;
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
    }
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn row(message: &Value, people: &Value) -> Row {
    let members = people["members"].as_array().expect("people");
    let author = members.iter().find(|member| member["id"] == message["user"]);
    let name = author.map(|author| text(&author["profile"]["display_name"]));
    let reactions = message["reactions"].as_array();
    Row {
        text: text(&message["text"]),
        reply_to: Some(text(&message["thread_ts"])).filter(|root| !root.is_empty()),
        edited_at_ms: message["edited"]["ts"]
            .as_str()
            .and_then(|ts| ts.replace('.', "").parse::<i64>().ok())
            .map(|micros| micros / 1_000),
        reactions: reactions
            .into_iter()
            .flatten()
            .map(|r| usize::try_from(r["count"].as_u64().unwrap_or(0)).unwrap_or(0))
            .sum(),
        author: message["username"].as_str().map(str::to_owned).or(name).unwrap_or_default(),
    }
}

#[tokio::test]
async fn a_history_of_many_pages_with_threads_is_read_as_it_is_shown() {
    let room = Room::new("xoxp-ann-1", false).await;
    let mut roots = Vec::new();
    for number in 0..450 {
        roots.push(room.say(&format!("message {number}"), &[]).await);
    }
    for root in roots.iter().step_by(50) {
        for number in 0..3 {
            room.say(&format!("reply {number}"), &[("thread_ts", root)]).await;
        }
    }
    room.about("chat.update", &[("ts", &roots[7]), ("text", "said better")]).await;
    room.about("reactions.add", &[("timestamp", &roots[8]), ("name", "+1")]).await;
    room.say("deployed", &[("username", "Deploys"), ("bot_id", "B404")]).await;
    let (account, mirror) = (room.client.account(), room.mirror());
    room.until_equal(&*account, &mirror).await;
    assert_eq!(mirror.live().len(), 450 + 27 + 1);
    assert!(mirror.pages() > 3, "{}", mirror.pages());
}

#[tokio::test]
async fn late_replies_edits_and_deletes_are_found_by_increments() {
    let room = Room::new("xoxp-ann-2", true).await;
    let mut said = Vec::new();
    for number in 0..30 {
        said.push(room.say(&format!("message {number}"), &[]).await);
    }
    let answered = room.say("an answer", &[("thread_ts", &said[3])]).await;
    let (account, mirror) = (room.client.account(), room.mirror());
    room.until_equal(&*account, &mirror).await;
    room.say("a late reply", &[("thread_ts", &said[0])]).await;
    room.say("another", &[("thread_ts", &said[3])]).await;
    room.about("chat.update", &[("ts", &answered), ("text", "a better answer")]).await;
    room.about("chat.update", &[("ts", &said[1]), ("text", "said better")]).await;
    room.until_equal(&*account, &mirror).await;
    room.about("chat.delete", &[("ts", &said[2])]).await;
    room.about("chat.delete", &[("ts", &answered)]).await;
    room.until_equal(&*account, &mirror).await;
    let gone = &mirror.messages()[&said[2].as_str().into()];
    assert!(gone.deleted_at.is_some() && gone.text.is_empty(), "{gone:?}");
}

#[tokio::test]
async fn what_is_said_while_it_is_read_is_not_missed() {
    let room = Arc::new(Room::new("xoxp-ann-3", false).await);
    for number in 0..250 {
        room.say(&format!("message {number}"), &[]).await;
    }
    let (account, mirror) = (room.client.account(), room.mirror());
    let talking = tokio::spawn({
        let room = room.clone();
        async move {
            for number in 0..100 {
                let at = room.say(&format!("meanwhile {number}"), &[]).await;
                room.say("to that", &[("thread_ts", &at)]).await;
            }
        }
    });
    while !talking.is_finished() {
        mirror.walk(&*account).await.expect("a walk");
    }
    talking.await.expect("all was said");
    room.until_equal(&*account, &mirror).await;
    assert_eq!(mirror.live().len(), 450);
}

#[tokio::test]
async fn links_lead_where_the_emulator_says() {
    let room = Room::new("xoxp-ann-4", false).await;
    let root = room.say("hello", &[]).await;
    let reply = room.say("a reply", &[("thread_ts", &root)]).await;
    let (account, mirror) = (room.client.account(), room.mirror());
    room.until_equal(&*account, &mirror).await;
    let path = |link: &str| link[link.find("/archives/").expect("a path")..].to_owned();
    for ts in [root, reply] {
        let theirs = room.about("chat.getPermalink", &[("message_ts", &ts)]).await;
        let ours = mirror.live()[&ts.as_str().into()].permalink.clone().expect("a link");
        assert_eq!(path(&ours), path(&text(&theirs["permalink"])));
        assert!(ours.starts_with("https://crew.slack.com/"), "{ours}");
    }
}

#[tokio::test]
async fn who_we_are_and_what_there_is_to_read_there() {
    let (open, closed) =
        (Room::new("xoxp-ann-5", false).await, Room::new("xoxp-bob-1", true).await);
    let account = open.client.account();
    let identity = account.identity().await.expect("an identity");
    let told = (identity.workspace.as_str(), identity.workspace_name.as_str());
    assert_eq!((told, identity.account.as_str()), (("T000000001", "Crew"), "ann"));
    let shown = |offered: Vec<connectors::OfferedChannel>| -> Vec<(String, bool)> {
        offered.into_iter().map(|channel| (channel.external_id, channel.is_private)).collect()
    };
    let ours = shown(account.channels().await.expect("channels"));
    assert!(ours.contains(&(open.id.clone(), false)), "{ours:?}");
    assert!(!ours.iter().any(|(id, _)| *id == closed.id), "{ours:?}");
    let theirs = shown(closed.client.account().channels().await.expect("channels"));
    assert!(theirs.contains(&(closed.id.clone(), true)), "{theirs:?}");
    let refused = closed.mirror().walk(&*account).await.expect_err("it is closed to us");
    assert!(matches!(refused, ConnectorError::ChannelNotFound(_)), "{refused:?}");
    assert!(refused.to_string().contains("/invite"), "{refused}");
}

#[tokio::test]
async fn a_missing_scope_is_named_there_as_well() {
    let room = Room::new("xoxp-ann-6", false).await;
    room.say("hello", &[]).await;
    let without = Client::of("xoxp-ann-without-history").account();
    let refused = room.mirror().walk(&*without).await.expect_err("a scope is missing");
    assert_eq!(refused.sync_error().code, ErrorCode::AuthError);
    let told = refused.to_string();
    assert!(told.contains("the bot lacks the scope channels:history: add it"), "{told}");
    let elsewhere = Mirror::new(platform::channel(Platform::Slack, "C404"));
    let missing = elsewhere.walk(&*room.client.account()).await.expect_err("no such channel");
    assert_eq!(missing.sync_error().code, ErrorCode::ChannelNotFound);
}
