//! How fast a long history is read, beside a client that does nothing but page through it:
//!
//!     ATLAS_MEASURE_ROUNDS=5 cargo test -p connectors --test slack rate -- --nocapture
//!
//! measures; `ATLAS_MEASURE_LATENCY_MS` is how long the server takes to answer, beside its own work.

use std::{
    collections::BTreeMap,
    sync::Mutex,
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::{Account, ConnectorError, Known, Next, Page, PageRequest, Stream};
use domain::{Message, MessageId, Platform, Timestamp};
use serde_json::Value;

use crate::{
    account,
    fake::{CHANNEL, Fake, TOKEN},
    platform::{Changing as _, channel},
};

const MESSAGES: usize = 20_000;
const THREADS: usize = 200;
const REPLIES: usize = 9;

/// Asks as the connector does, one page after the other, and looks for cursors only.
struct Bare<'f> {
    http: reqwest::Client,
    fake: &'f Fake,
}

impl Bare<'_> {
    async fn pages(&self, method: &str, form: &[(&str, &str)], roots: &mut Vec<String>) {
        let mut cursor = String::new();
        loop {
            let form =
                [&[("channel", CHANNEL), ("limit", "200"), ("cursor", &cursor)], form].concat();
            let request = self.http.post(format!("{}/{method}", self.fake.url)).form(&form);
            let reply = request.bearer_auth(TOKEN).send().await.expect("an answer");
            let body = reply.bytes().await.expect("a page");
            let page: Shown = serde_json::from_slice(&body).expect("a page");
            let threads = page.messages.into_iter().filter(|message| message.reply_count > 0);
            roots.extend(threads.map(|message| message.ts));
            cursor = page.response_metadata["next_cursor"].as_str().unwrap_or_default().to_owned();
            if cursor.is_empty() {
                return;
            }
        }
    }

    async fn everything(&self) {
        let mut roots = Vec::new();
        self.pages("conversations.history", &[], &mut roots).await;
        assert_eq!(roots.len(), THREADS);
        for root in &roots {
            self.pages("conversations.replies", &[("ts", root)], &mut Vec::new()).await;
        }
    }
}

#[derive(serde::Deserialize)]
struct Shown {
    messages: Vec<Parent>,
    response_metadata: Value,
}

#[derive(serde::Deserialize)]
struct Parent {
    ts: String,
    #[serde(default)]
    reply_count: u64,
}

/// As much of a store as a walk needs.
#[derive(Default)]
struct Marks(Mutex<BTreeMap<String, String>>);

impl Marks {
    fn apply(&self, page: &Page) {
        let mut marks = self.0.lock().expect("marks");
        for moved in &page.marks {
            match &moved.mark {
                Some(mark) => marks.insert(moved.stream.clone(), mark.clone()),
                None => marks.remove(&moved.stream),
            };
        }
    }

    async fn walk(&self, account: &dyn Account) -> usize {
        let channel = channel(Platform::Slack, CHANNEL);
        let mut request = PageRequest { channel, watermark: None, cursor: None };
        let mut read = BTreeMap::new();
        loop {
            let page = account.page(&request, self).await.expect("a page");
            self.apply(&page);
            read.extend(page.messages.into_iter().map(|message| (message.id, ())));
            match page.next {
                Next::Cursor(cursor) => request.cursor = Some(cursor),
                Next::End(_) => return read.len(),
            }
        }
    }
}

#[async_trait]
impl Known for Marks {
    async fn marks(&self, streams: &[String]) -> Result<Vec<Option<String>>, ConnectorError> {
        let marks = self.0.lock().expect("marks");
        Ok(streams.iter().map(|stream| marks.get(stream).cloned()).collect())
    }

    async fn marks_under(
        &self,
        prefix: &str,
        after: Option<&str>,
        limit: u32,
    ) -> Result<Vec<(String, String)>, ConnectorError> {
        let marks = self.0.lock().expect("marks");
        let from = after.unwrap_or(prefix).to_owned();
        let marks = marks.range(from..).filter(|(stream, _)| Some(stream.as_str()) != after);
        let marks = marks.take_while(|(stream, _)| stream.starts_with(prefix));
        let marks = marks.map(|(stream, mark)| (stream.clone(), mark.clone()));
        Ok(marks.take(limit as usize).collect())
    }

    async fn newest(&self, _: &Stream) -> Result<Option<(MessageId, Timestamp)>, ConnectorError> {
        Ok(None)
    }

    async fn messages(&self, _: &[MessageId]) -> Result<Vec<Message>, ConnectorError> {
        Ok(Vec::new())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_long_history_is_read_with_the_requests_of_a_bare_client() {
    let fake = Fake::start().await;
    let said = fake.talk(MESSAGES - THREADS * REPLIES);
    for root in said.iter().step_by(said.len() / THREADS).take(THREADS) {
        for number in 0..REPLIES {
            fake.lock().say(Some(*root), number % 3, "a reply");
        }
    }
    fake.calm();
    let _ = account(&fake);
    fake.lock().delay = Duration::from_millis(setting("ATLAS_MEASURE_LATENCY_MS", 0));
    let http = reqwest::Client::builder().no_proxy().build().expect("a client");
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..setting("ATLAS_MEASURE_ROUNDS", 1) {
        fake.requests();
        let begun = Instant::now();
        Bare { http: http.clone(), fake: &fake }.everything().await;
        let bare = begun.elapsed();
        let asked_bare = fake.requests().len();
        let app = account(&fake);
        let begun = Instant::now();
        let read = Marks::default().walk(&*app).await;
        let ours = begun.elapsed();
        let asked = fake.requests().len();
        assert_eq!(read, MESSAGES);
        assert!(asked <= asked_bare + 3, "{asked} requests beside {asked_bare}");
        ratios.push(bare.as_secs_f64() / ours.as_secs_f64());
        rates.push(MESSAGES as f64 / ours.as_secs_f64());
    }
    ratios.sort_by(f64::total_cmp);
    rates.sort_by(f64::total_cmp);
    println!(
        "{:.0} messages a second, {:.0} % of a bare client's rate (medians of {})",
        rates[rates.len() / 2],
        ratios[ratios.len() / 2] * 100.0,
        rates.len()
    );
}

fn setting(variable: &str, default: u64) -> u64 {
    std::env::var(variable).ok().and_then(|value| value.parse().ok()).unwrap_or(default)
}
