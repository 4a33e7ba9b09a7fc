//! A collector of traces: what an operator would have Jaeger or Tempo for.

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{Arc, Mutex, PoisonError},
};

use axum::{Router, body::Bytes, extract::State, http::StatusCode, routing::post};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value},
};
use prost::Message as _;

/// A span as it came in.
#[derive(Debug, Clone)]
pub struct Span {
    /// The program that it is of.
    pub service: String,
    /// The process.
    pub instance: String,
    /// What it is called.
    pub name: String,
    /// Its trace, in hexadecimal.
    pub trace: String,
    /// Its own id.
    pub id: String,
    /// The id of its parent; empty where it has none.
    pub parent: String,
    /// What it says, as text.
    pub attributes: BTreeMap<String, String>,
}

/// Receives spans over OTLP as long as it lives.
pub struct Collector {
    /// Where it listens.
    pub address: SocketAddr,
    spans: Spans,
}

type Spans = Arc<Mutex<Vec<Span>>>;

impl Collector {
    /// Listens on any free port.
    pub async fn start() -> Self {
        let spans = Spans::default();
        let router = Router::new().route("/v1/traces", post(receive)).with_state(spans.clone());
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, spans }
    }

    /// What `OTEL_EXPORTER_OTLP_ENDPOINT` names it by.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// What has come in so far.
    #[must_use]
    pub fn spans(&self) -> Vec<Span> {
        self.spans.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn receive(State(spans): State<Spans>, body: Bytes) -> StatusCode {
    let Ok(request) = ExportTraceServiceRequest::decode(body) else {
        return StatusCode::BAD_REQUEST;
    };
    let mut received = spans.lock().unwrap_or_else(PoisonError::into_inner);
    for of_process in request.resource_spans {
        let process = texts(&of_process.resource.map(|r| r.attributes).unwrap_or_default());
        let about = |key: &str| process.get(key).cloned().unwrap_or_default();
        for span in of_process.scope_spans.into_iter().flat_map(|scope| scope.spans) {
            received.push(Span {
                service: about("service.name"),
                instance: about("service.instance.id"),
                name: span.name,
                trace: domain::message::hex(&span.trace_id),
                id: domain::message::hex(&span.span_id),
                parent: domain::message::hex(&span.parent_span_id),
                attributes: texts(&span.attributes),
            });
        }
    }
    StatusCode::OK
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |value: Option<&Value>| match value {
        Some(Value::StringValue(text)) => text.clone(),
        Some(Value::IntValue(number)) => number.to_string(),
        other => format!("{other:?}"),
    };
    let attribute = |attribute: &KeyValue| {
        let value = attribute.value.as_ref().and_then(|value| value.value.as_ref());
        (attribute.key.clone(), text(value))
    };
    attributes.iter().map(attribute).collect()
}
