//! A role of the service, as its own program has it, but with doubles in place of some of what it works
//! with. Only tests start it; its variables say which doubles.

#![expect(clippy::unwrap_used, reason = "only tests start it")]

use std::sync::Arc;

use async_trait::async_trait;
use atlas_sync::server::{Doubles, Server};
use domain::{conversation::Conversation, fact::Extraction};
use extraction::{ExtractionError, Extractor, rules::Rules};
use queue::{Queue, rabbitmq::RabbitQueue};
use service::{Config, shutdown, telemetry};
use system_tests::{
    ABORT_AT, ASK_EXTRACTOR, ASK_PLATFORM, AskedExtractor, AskedPlatform, TWICE, Twice,
};
use tokio_util::sync::CancellationToken;

/// The rules, but a certain message takes the whole process with it.
struct Deadly {
    rules: Rules,
    at: String,
}

#[async_trait]
impl Extractor for Deadly {
    fn version(&self) -> &str {
        self.rules.version()
    }

    async fn extract(
        &self,
        conversations: Vec<Conversation>,
        stop: CancellationToken,
    ) -> Result<Vec<Extraction>, ExtractionError> {
        let mut messages = conversations.iter().flat_map(|conversation| &conversation.messages);
        if messages.any(|message| message.text.contains(&self.at)) {
            std::process::abort();
        }
        self.rules.extract(conversations, stop).await
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

#[tokio::main]
async fn main() {
    let role = std::env::args().nth(1).unwrap().parse().unwrap();
    let config = Config::load(None).unwrap().with_roles([role]).unwrap();
    telemetry::start_log(&config);
    let told = shutdown::on_signal();
    let mut doubles = Doubles::default();
    if let Some(at) = variable(ASK_PLATFORM) {
        doubles.connector = Some(Arc::new(AskedPlatform(at)));
    }
    if let Some(at) = variable(ASK_EXTRACTOR) {
        doubles.extractor = Some(Arc::new(AskedExtractor(at)));
    }
    if let Some(at) = variable(ABORT_AT) {
        doubles.extractor = Some(Arc::new(Deadly { rules: Rules::bundled().unwrap(), at }));
    }
    let broker = RabbitQueue::new(&config.queue_url, &config.prefix);
    doubles.queue = variable(TWICE).map(|_| Arc::new(Twice(broker.clone())) as Arc<dyn Queue>);
    let server = Server::start(&config, doubles).await.unwrap();
    told.cancelled().await;
    server.stop().await;
    broker.close().await;
}
