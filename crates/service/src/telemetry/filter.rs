//! What is looked at: what is logged, and every span that is meant for traces.
//!
//! One filter for the log and the traces together. A filter of its own for each would be simpler to say, but two
//! of them lose spans (seen with `tracing-subscriber` 0.3.23: all but the first of a thread).

use tracing::{
    Metadata, Subscriber,
    level_filters::LevelFilter,
    span::{Attributes, Id, Record},
    subscriber::Interest,
};
use tracing_subscriber::{EnvFilter, Layer, layer::Context};

/// Whether a span is meant for traces: then it says its kind. What a library does beneath is not part of
/// the story, nor is the log. What such a span says is also said with every line of the log within it,
/// whatever the filter lets through.
pub(super) fn is_traced(what: &Metadata<'_>) -> bool {
    what.is_span() && what.fields().field("otel.kind").is_some()
}

/// Lets through what the log wants and what is traced.
pub(super) struct LoggedOrTraced(pub(super) EnvFilter);

impl<S: Subscriber> Layer<S> for LoggedOrTraced {
    fn register_callsite(&self, what: &'static Metadata<'static>) -> Interest {
        let logged = Layer::<S>::register_callsite(&self.0, what);
        if is_traced(what) { Interest::always() } else { logged }
    }

    fn enabled(&self, what: &Metadata<'_>, context: Context<'_, S>) -> bool {
        is_traced(what) || Layer::<S>::enabled(&self.0, what, context)
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Layer::<S>::max_level_hint(&self.0).map(|level| level.max(LevelFilter::INFO))
    }

    fn on_new_span(&self, said: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        Layer::<S>::on_new_span(&self.0, said, id, context);
    }

    fn on_record(&self, id: &Id, said: &Record<'_>, context: Context<'_, S>) {
        Layer::<S>::on_record(&self.0, id, said, context);
    }

    fn on_enter(&self, id: &Id, context: Context<'_, S>) {
        Layer::<S>::on_enter(&self.0, id, context);
    }

    fn on_exit(&self, id: &Id, context: Context<'_, S>) {
        Layer::<S>::on_exit(&self.0, id, context);
    }

    fn on_close(&self, id: Id, context: Context<'_, S>) {
        Layer::<S>::on_close(&self.0, id, context);
    }
}
