//! How fast a long history is read, beside a client that does nothing but page through it:
//!
//!     ATLAS_MEASURE_ROUNDS=5 cargo test --release -p connectors --test slack rate -- --nocapture
//!
//! and likewise of the other platforms; `ATLAS_MEASURE_LATENCY_MS` is how long a server of ours takes to answer,
//! beside its own work.

#![expect(clippy::expect_used, reason = "what tests share is no test itself")]

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use connectors::{Account, ConnectorError, Known, Next, Page, PageRequest, Stream};
use domain::{Channel, Message, MessageId, Timestamp};
use reqwest::RequestBuilder;

/// Messages of a long history.
pub(crate) const MESSAGES: usize = 20_000;

/// Whatever else the machine does: no walk is as slow as this part of a bare client's rate.
const SLOWEST: f64 = if cfg!(debug_assertions) { 0.25 } else { 0.4 };

/// However busy the machine is: what is asked for is asked for within this.
const PATIENCE: Duration = Duration::from_secs(60);

/// A bare client: asks for one page after the other, and reads of each where the next one is.
pub(crate) async fn pages(first: RequestBuilder, next: impl Fn(&[u8]) -> Option<RequestBuilder>) {
    let mut request = first;
    loop {
        let reply = request.send().await.expect("an answer");
        let body = reply.bytes().await.expect("a page");
        match next(&body) {
            Some(following) => request = following,
            None => return,
        }
    }
}

/// What a bare client calls by.
pub(crate) fn client() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder().no_proxy().build().expect("a client")
}

/// Walks through a channel and finds all its messages, in turns with a bare client, and tells the medians.
/// `requests` counts those since it was called last; a walk makes so many more at most.
pub(crate) async fn race(
    (channel, messages): (&Channel, usize),
    open: impl Fn() -> Arc<dyn Account>,
    bare: impl AsyncFn(),
    requests: impl Fn() -> usize,
    more: usize,
) {
    let (mut ratios, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..rounds() {
        requests();
        let (theirs, ()) = timed(&bare).await;
        let asked_by_them = requests();
        let account = open();
        let (ours, read) = timed(async || Marks::default().walk(&*account, channel).await).await;
        let asked = requests();
        let there: BTreeSet<_> = read.iter().filter(|(_, there)| *there).collect();
        assert_eq!(there.len(), messages);
        assert!(asked <= asked_by_them + more, "{asked} requests beside {asked_by_them}");
        ratios.push(theirs / ours);
        rates.push(messages as f64 / ours);
    }
    let (ratio, rate) = (median(&mut ratios), median(&mut rates));
    let percent = ratio * 100.0;
    println!("{rate:.0} messages a second, {percent:.0} % of a bare client's rate (medians)");
    assert!(ratio > SLOWEST, "{percent:.0} % of a bare client's rate");
}

/// Reads two pages, and sees that what is behind each is asked for before it is wanted, and once.
pub(crate) async fn looks_ahead(
    channel: &Channel,
    account: &dyn Account,
    requests_for_pages: impl Fn() -> usize,
) {
    let (marks, mut request) = (Marks::default(), first_page(channel));
    for read in 1..=2 {
        let page = account.page(&request, &marks).await.expect("a page");
        marks.apply(&page);
        request.cursor = match page.next {
            Next::Cursor(cursor) => Some(cursor),
            Next::End(_) => None,
        };
        assert!(request.cursor.is_some(), "the channel has more pages");
        let asked = async {
            while requests_for_pages() <= read {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(PATIENCE, asked).await.expect("the page behind is asked for");
    }
    assert_eq!(requests_for_pages(), 3);
}

fn first_page(channel: &Channel) -> PageRequest {
    PageRequest { channel: channel.clone(), watermark: None, cursor: None }
}

/// In seconds.
async fn timed<T>(work: impl AsyncFnOnce() -> T) -> (f64, T) {
    let begun = Instant::now();
    let done = work().await;
    (begun.elapsed().as_secs_f64(), done)
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn rounds() -> usize {
    let rounds = std::env::var("ATLAS_MEASURE_ROUNDS").ok();
    rounds.and_then(|rounds| rounds.parse().ok()).unwrap_or(3)
}

/// As much of a store as a walk through everything needs.
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

    /// Walks to the end; answers with what was read, and whether it is there.
    async fn walk(&self, account: &dyn Account, channel: &Channel) -> Vec<(MessageId, bool)> {
        let mut request = first_page(channel);
        let mut read = Vec::new();
        loop {
            let page = account.page(&request, self).await.expect("a page");
            self.apply(&page);
            read.extend(page.messages.into_iter().map(|m| (m.id, m.deleted_at.is_none())));
            match page.next {
                Next::Cursor(cursor) => request.cursor = Some(cursor),
                Next::End(_) => return read,
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
