//! Fields of the log for people: without those that only say how a span is to be traced.

use std::fmt::{self, Write as _};

use tracing::field::{Field, Visit};
use tracing_subscriber::{
    field::RecordFields,
    fmt::{FormatFields, format::Writer},
};

/// Begins the names of fields that are meant for traces.
pub(super) const TRACING: &str = "otel.";

/// Writes `name=value`, a message without its name.
pub(super) struct Readable;

impl<'w> FormatFields<'w> for Readable {
    fn format_fields<R: RecordFields>(&self, writer: Writer<'w>, fields: R) -> fmt::Result {
        let mut visitor = Fields { writer, separator: "", outcome: Ok(()) };
        fields.record(&mut visitor);
        visitor.outcome
    }
}

struct Fields<'w> {
    writer: Writer<'w>,
    separator: &'static str,
    outcome: fmt::Result,
}

impl Fields<'_> {
    fn write(&mut self, field: &Field, value: fmt::Arguments<'_>) {
        if self.outcome.is_err() || field.name().starts_with(TRACING) {
            return;
        }
        let separator = std::mem::replace(&mut self.separator, " ");
        let mut line = OneLine(&mut self.writer);
        self.outcome = match field.name() {
            "message" => write!(line, "{separator}{value}"),
            name => write!(line, "{separator}{name}={value}"),
        };
    }
}

/// What others have written neither ends a line nor colours a terminal.
struct OneLine<'l, 'w>(&'l mut Writer<'w>);

impl fmt::Write for OneLine<'_, '_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for piece in text.split_inclusive(char::is_control) {
            match piece.char_indices().next_back() {
                Some((at, last)) if last.is_control() => {
                    self.0.write_str(&piece[..at])?;
                    write!(self.0, "{}", last.escape_default())?;
                }
                _ => self.0.write_str(piece)?,
            }
        }
        Ok(())
    }
}

impl Visit for Fields<'_> {
    fn record_str(&mut self, field: &Field, value: &str) {
        // A word needs no quotes.
        let is_word = |c: char| c.is_ascii_alphanumeric() || "-_.:/".contains(c);
        let is_plain = field.name() == "message" || !value.is_empty() && value.chars().all(is_word);
        match is_plain {
            true => self.write(field, format_args!("{value}")),
            false => self.write(field, format_args!("{value:?}")),
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.write(field, format_args!("{value:?}"));
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::{
        io,
        sync::{Arc, Mutex},
    };

    use tracing_subscriber::fmt::MakeWriter;

    use super::*;

    /// A log that can be read.
    #[derive(Clone, Default)]
    pub(in super::super) struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Kept {
        pub(in super::super) fn text(&self) -> String {
            String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
        }
    }

    impl io::Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    impl<'w> MakeWriter<'w> for Kept {
        type Writer = Self;

        fn make_writer(&'w self) -> Self {
            self.clone()
        }
    }

    #[test]
    fn a_line_says_what_happened_to_what_and_nothing_for_tracers() {
        let kept = Kept::default();
        let subscriber = tracing_subscriber::fmt()
            .compact()
            .without_time()
            .with_target(false)
            .with_ansi(false)
            .fmt_fields(Readable)
            .with_writer(kept.clone())
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            let outcome = tracing::field::Empty;
            let span = tracing::info_span!("task", otel.kind = "consumer", job = "j1", outcome);
            span.record("outcome", "done");
            span.in_scope(|| tracing::info!(cause = %"two\n\u{1b}lines", tasks = 3, "it ended"));
        });
        let told = "it ended cause=two\\n\\u{1b}lines tasks=3 job=j1 outcome=done";
        assert_eq!(kept.text(), format!(" INFO task: {told}\n"));
    }
}
