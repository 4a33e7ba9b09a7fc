//! Traces, sent to a collector over OTLP (HTTP, protobuf).
//!
//! Spans wait in a bounded buffer and go out in batches, from threads of their own. A collector that is
//! away or slow costs spans, never work.

mod sender;

use std::{sync::OnceLock, time::Duration};

use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{Protocol, SpanExporter, WithExportConfig as _, WithHttpConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use tracing::{Subscriber, warn};
use tracing_subscriber::{Layer, filter::filter_fn, registry::LookupSpan};

use self::sender::Sender;
use super::filter::is_traced;
use crate::{Address, Config, process::worker_name};

/// Who has the spans that are not sent yet.
static PROVIDER: OnceLock<SdkTracerProvider> = OnceLock::new();

/// How long the end of a process waits for its last spans to be sent.
const GOODBYE: Duration = Duration::from_secs(2);

/// What makes traces of spans; `None` when the system gives no thread for it.
pub(super) fn layer<S>(config: &Config, collector: &Address) -> Option<impl Layer<S> + use<S>>
where
    S: Subscriber + for<'s> LookupSpan<'s> + Send + Sync,
{
    let provider = match provider(config, collector) {
        Ok(provider) => provider,
        Err(error) => {
            // The log has not begun.
            eprintln!("no traces: {error}");
            return None;
        }
    };
    let tracer = provider.tracer("atlas-sync");
    // The first of a process is as good as any.
    let _ = PROVIDER.set(provider);
    let layer = tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_location(false)
        .with_threads(false)
        .with_target(false)
        .with_tracked_inactivity(false);
    Some(layer.with_filter(filter_fn(is_traced)))
}

fn provider(
    config: &Config,
    collector: &Address,
) -> Result<SdkTracerProvider, Box<dyn std::error::Error>> {
    let exporter = SpanExporter::builder()
        .with_http()
        .with_http_client(Sender::start(collector.clone())?)
        .with_protocol(Protocol::HttpBinary)
        .with_endpoint(format!("{}/v1/traces", collector.trim_end_matches('/')))
        .build()?;
    Ok(SdkTracerProvider::builder()
        .with_batch_exporter(exporter)
        .with_resource(resource(config))
        .build())
}

/// Which process it is; what the environment says by OpenTelemetry's variables wins.
fn resource(config: &Config) -> Resource {
    let name = match config.roles.first() {
        Some(role) if config.roles.len() == 1 => format!("atlas-{}", role.as_str()),
        _ => "atlas-sync".to_owned(),
    };
    let own = [
        KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        KeyValue::new("service.instance.id", worker_name()),
    ];
    let builder = Resource::builder().with_attributes(own);
    match std::env::var_os("OTEL_SERVICE_NAME") {
        Some(_) => builder.build(),
        None => builder.with_service_name(name).build(),
    }
}

/// Sends what is not sent yet, but does not wait long for it.
pub async fn flush_traces() {
    let Some(provider) = PROVIDER.get() else { return };
    let (done, flushed) = tokio::sync::oneshot::channel();
    // Not one of the runtime's threads, whose end would be waited for.
    let thread = std::thread::Builder::new().name("last-spans".into()).spawn(move || {
        // Whoever waited may be gone.
        let _ = done.send(provider.force_flush());
    });
    let outcome = tokio::time::timeout(GOODBYE, flushed).await;
    if thread.is_err() || !matches!(outcome, Ok(Ok(Ok(())))) {
        warn!("the last spans of this process could not be sent");
    }
}
