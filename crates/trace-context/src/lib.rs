//! Trace context: from a span to what is sent, and from what was received to a span.
//!
//! While nothing is exported there is no context, and asking for it costs a look at the span.

use domain::TraceContext;
use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Where the work that runs at the moment stands in its trace; `None` while nothing is exported.
#[must_use]
pub fn current() -> Option<TraceContext> {
    let context = Span::current().context();
    let span = context.span();
    let place = span.span_context();
    let trace = u128::from_be_bytes(place.trace_id().to_bytes());
    let id = u64::from_be_bytes(place.span_id().to_bytes());
    TraceContext::new(trace, id, place.trace_flags().to_u8())
}

/// Makes a span that was not entered yet a part of the trace that a request or message came with.
pub fn continue_in(span: &Span, context: &TraceContext) {
    let (trace, id, flags) = context.parts();
    let place = SpanContext::new(
        TraceId::from_bytes(trace.to_be_bytes()),
        SpanId::from_bytes(id.to_be_bytes()),
        TraceFlags::new(flags),
        true,
        TraceState::default(),
    );
    // Fails while nothing is exported.
    let _ = span.set_parent(Context::new().with_remote_span_context(place));
}

/// Says with every line of the log within a span which trace it is part of, in its field `trace_id`.
pub fn tell(span: &Span) {
    if let Some(context) = span.in_scope(current) {
        span.record("trace_id", format!("{:032x}", context.parts().0));
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    const RECEIVED: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn a_span_goes_on_in_the_trace_it_is_told() {
        let provider = SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = info_span!("task");
            let received: TraceContext = RECEIVED.parse().unwrap();
            continue_in(&span, &received);
            let sent = span.in_scope(current).unwrap();
            assert_eq!(sent.parts().0, received.parts().0, "the same trace");
            assert_ne!(sent.parts().1, received.parts().1, "another span");
            assert!(current().is_none(), "outside of it there is none");
        });
    }

    #[test]
    fn without_an_exporter_there_is_no_context() {
        let subscriber = tracing_subscriber::registry();
        tracing::subscriber::with_default(subscriber, || {
            let span = info_span!("task");
            continue_in(&span, &RECEIVED.parse().unwrap());
            assert!(span.in_scope(current).is_none());
        });
    }
}
