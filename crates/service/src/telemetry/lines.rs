//! Lines of the log for programs: a flat object each.

use std::fmt;

use serde_json::{Deserializer, Map, Value};
use tracing::{
    Event, Subscriber,
    field::{Field, Visit},
};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::Writer,
        time::{FormatTime as _, SystemTime},
    },
    registry::LookupSpan,
};

use super::fields::TRACING;

/// Writes what an event says and what the spans around it say side by side, so that whoever looks for a job,
/// a stage, a task or a claim finds it by that name in every line.
pub(super) struct Flat;

impl<S, N> FormatEvent<S, N> for Flat
where
    S: Subscriber + for<'s> LookupSpan<'s>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut said = Map::new();
        for span in context.event_scope().into_iter().flat_map(|spans| spans.from_root()) {
            if let Some(of_span) = span.extensions().get::<FormattedFields<N>>() {
                // One object for what it was made with, and one for each time that more was recorded.
                for more in Deserializer::from_str(&of_span.fields).into_iter::<Map<_, _>>() {
                    said.extend(more.unwrap_or_default());
                }
            }
        }
        event.record(&mut Fields(&mut said));
        let mut time = String::new();
        SystemTime.format_time(&mut Writer::new(&mut time))?;
        let message = said.remove("message").unwrap_or_default();
        let level = event.metadata().level().as_str();
        write!(writer, r#"{{"timestamp":"{time}","level":"{level}","message":{message}"#)?;
        for (name, value) in &said {
            write!(writer, ",{}:{value}", Value::from(name.as_str()))?;
        }
        writeln!(writer, "}}")
    }
}

/// Keeps what a span says as an object.
pub(super) struct Objects;

impl<'w> FormatFields<'w> for Objects {
    fn format_fields<R: RecordFields>(&self, mut writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut said = Map::new();
        fields.record(&mut Fields(&mut said));
        write!(writer, "{}", Value::Object(said))
    }
}

struct Fields<'m>(&'m mut Map<String, Value>);

impl Fields<'_> {
    fn say(&mut self, field: &Field, value: impl Into<Value>) {
        if !field.name().starts_with(TRACING) {
            self.0.insert(field.name().to_owned(), value.into());
        }
    }
}

impl Visit for Fields<'_> {
    fn record_f64(&mut self, field: &Field, value: f64) {
        self.say(field, value);
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.say(field, value);
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.say(field, value);
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.say(field, value);
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.say(field, value);
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.say(field, format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests {
    use super::{super::fields::tests::Kept, *};

    #[test]
    fn a_line_says_the_same_names_at_its_top_whatever_spans_there_are() {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .event_format(Flat)
            .fmt_fields(Objects)
            .with_writer(kept.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let outcome = tracing::field::Empty;
            let task =
                tracing::info_span!("task", otel.kind = "consumer", job = "j1", seq = 7, outcome);
            let inner = tracing::info_span!(parent: &task, "page", seq = 8);
            task.record("outcome", "done");
            inner.in_scope(
                || tracing::info!(cause = %"two\n\"lines\"", tasks = 3, ok = true, "it ended"),
            );
            tracing::info!("nothing around");
        });
        let lines = kept.text();
        let mut lines = lines.lines();
        let mut rest = || lines.next().unwrap().split_once(r#","level""#).unwrap().1.to_owned();
        let told = r#":"INFO","message":"it ended","cause":"two\n\"lines\"","job":"j1","ok":true,"outcome":"done","seq":8,"tasks":3}"#;
        assert_eq!(rest(), told);
        assert_eq!(rest(), r#":"INFO","message":"nothing around"}"#);
    }
}
