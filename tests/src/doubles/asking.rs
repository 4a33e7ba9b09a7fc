//! The doubles as a process of a fleet has them: they ask those in the test's process.

use async_trait::async_trait;
use connectors::{Connector, ConnectorError, Known, Page, PageRequest};
use domain::{Channel, conversation::Conversation, fact::Extraction};
use extraction::{ExtractionError, Extractor};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader},
    net::TcpStream,
};
use tokio_util::sync::CancellationToken;

use super::wire;

/// `None` when there was no answer: the double has panicked, or the test is over.
async fn ask(address: &str, question: &Value) -> Option<Value> {
    let mut call = BufReader::new(TcpStream::connect(address).await.ok()?);
    call.write_all(format!("{question}\n").as_bytes()).await.ok()?;
    let mut line = String::new();
    call.read_line(&mut line).await.ok()?;
    serde_json::from_str(&line).ok()
}

/// Asks the platform of the test.
pub struct AskedPlatform(pub String);

impl AskedPlatform {
    async fn ask(&self, question: &Value) -> Result<Value, ConnectorError> {
        let answer = ask(&self.0, question).await;
        answer.ok_or_else(|| ConnectorError::Platform("the double is gone".into()))
    }
}

#[async_trait]
impl Connector for AskedPlatform {
    async fn page(&self, request: &PageRequest, _: &dyn Known) -> Result<Page, ConnectorError> {
        let PageRequest { channel, watermark, cursor } = request;
        let question =
            json!({"what": "page", "channel": channel, "watermark": watermark, "cursor": cursor});
        wire::read_page(&self.ask(&question).await?)
    }

    async fn estimate(
        &self,
        channel: &Channel,
        watermark: Option<&str>,
    ) -> Result<Option<u64>, ConnectorError> {
        let question = json!({"what": "estimate", "channel": channel, "watermark": watermark});
        wire::read_estimate(&self.ask(&question).await?)
    }
}

/// Asks the extractor of the test.
pub struct AskedExtractor(pub String);

#[async_trait]
impl Extractor for AskedExtractor {
    fn version(&self) -> &str {
        "scripted"
    }

    #[expect(clippy::panic, reason = "the double has panicked, or is gone")]
    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError> {
        let question =
            json!({"what": "extractions", "conversations": wire::conversations(&conversations)});
        tokio::select! {
            () = stop.cancelled() => Err(ExtractionError::Stopped),
            answer = ask(&self.0, &question) => match answer {
                Some(answer) => wire::read_extractions(&answer),
                None => panic!("the double does not answer"),
            },
        }
    }
}
