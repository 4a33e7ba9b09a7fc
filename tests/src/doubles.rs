//! Doubles that reach across processes.
//!
//! The platform and the extractor that a scenario scripts live in the test's own process, whatever runs
//! the stages. Processes of a fleet ask them over a connection of its own for each call: dropped work
//! ends the connection, which drops the work here as well.

mod asking;
mod wire;

use std::sync::Arc;

use connectors::{Connector, Known, PageRequest};
use extraction::Extractor;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
    task::JoinHandle,
};
use tokio_util::sync::CancellationToken;

pub use self::asking::{AskedExtractor, AskedPlatform};

/// Tells a process with doubles where its platform answers.
pub const ASK_PLATFORM: &str = "ATLAS_TEST_ASK_PLATFORM";

/// Tells a process with doubles where its extractor answers.
pub const ASK_EXTRACTOR: &str = "ATLAS_TEST_ASK_EXTRACTOR";

/// Tells a process with doubles a text that takes its life when it is to be extracted from.
pub const ABORT_AT: &str = "ATLAS_TEST_ABORT_AT";

/// Tells a process with doubles to call for everything twice.
pub const TWICE: &str = "ATLAS_TEST_TWICE";

/// Doubles that processes can ask.
pub(crate) struct Asked {
    /// Where they answer.
    pub(crate) address: String,
    task: JoinHandle<()>,
}

impl Asked {
    /// Answers for these.
    pub(crate) async fn start(
        connector: Option<Arc<dyn Connector>>,
        extractor: Option<Arc<dyn Extractor>>,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let doubles = Arc::new((connector, extractor));
        let task = tokio::spawn(async move {
            while let Ok((call, _)) = listener.accept().await {
                tokio::spawn(answer(call, doubles.clone()));
            }
        });
        Self { address, task }
    }
}

impl Drop for Asked {
    fn drop(&mut self) {
        self.task.abort();
    }
}

type Doubles = (Option<Arc<dyn Connector>>, Option<Arc<dyn Extractor>>);

/// A double that panics answers nothing, and the asking process does so as well.
async fn answer(mut call: TcpStream, doubles: Arc<Doubles>) {
    let (reading, mut writing) = call.split();
    let mut reading = BufReader::new(reading);
    let mut line = String::new();
    if reading.read_line(&mut line).await.is_err() {
        return;
    }
    let asked: Value = serde_json::from_str(&line).unwrap();
    let stop = CancellationToken::new();
    let answered = tokio::select! {
        // Computations off the async threads go on until they see the token.
        _ = reading.read_u8() => return stop.cancel(),
        answered = reply(&doubles, &asked, stop.clone()) => answered,
    };
    // Who asked may be gone.
    let _ = writing.write_all(format!("{answered}\n").as_bytes()).await;
}

async fn reply(doubles: &Doubles, asked: &Value, stop: CancellationToken) -> Value {
    let (connector, extractor) = doubles;
    let what = asked["what"].as_str().unwrap();
    if what == "extractions" {
        let conversations = wire::read_conversations(&asked["conversations"]);
        return wire::extractions(extractor.as_ref().unwrap().extract(conversations, stop).await);
    }
    let connector = connector.as_ref().unwrap();
    let channel = serde_json::from_value(asked["channel"].clone()).unwrap();
    let text = |name: &str| asked[name].as_str().map(str::to_owned);
    let watermark = text("watermark");
    if what == "estimate" {
        return wire::estimate(connector.estimate(&channel, watermark.as_deref()).await);
    }
    let request = PageRequest { channel, watermark, cursor: text("cursor") };
    wire::page(connector.page(&request, &Nothing).await)
}

/// What is known is stored elsewhere; a replayed platform does not ask for it.
struct Nothing;

#[async_trait::async_trait]
impl Known for Nothing {
    async fn marks(&self, _: &[String]) -> Result<Vec<Option<String>>, connectors::ConnectorError> {
        unreachable_question()
    }

    async fn marks_under(
        &self,
        _: &str,
        _: Option<&str>,
        _: u32,
    ) -> Result<Vec<(String, String)>, connectors::ConnectorError> {
        unreachable_question()
    }

    async fn newest(
        &self,
        _: &domain::walk::Stream,
    ) -> Result<Option<(domain::MessageId, domain::Timestamp)>, connectors::ConnectorError> {
        unreachable_question()
    }

    async fn messages(
        &self,
        _: &[domain::MessageId],
    ) -> Result<Vec<domain::Message>, connectors::ConnectorError> {
        unreachable_question()
    }
}

fn unreachable_question<T>() -> Result<T, connectors::ConnectorError> {
    Err(connectors::ConnectorError::Request("a double across processes asks nothing".into()))
}
